// 96-bit ids with a counter per second and process: Xid (https://github.com/rs/xid) and MongoDB's ObjectId
// (https://www.mongodb.com/docs/manual/reference/bson-types/#objectid).
#pragma once

#include <cstdint>
#include <string>

#include "core/random.hpp"

namespace zerosuite::id::formats {

struct ObjectIdParts {
  std::uint32_t seconds = 0;  ///< Since 1970
  std::uint64_t process = 0;  ///< 40 bits: in an Xid, 24 for the machine and 16 for the process.
  std::uint32_t counter = 0;  ///< 24 bits
};

/// 20 base 32 digits in lower case.
std::string xid_text(const ObjectIdParts& id);
/// 24 hexadecimal digits.
std::string objectid_text(const ObjectIdParts& id);

}  // namespace zerosuite::id::formats

namespace zerosuite::id {

/// Unique within this process by a counter, and across processes by 40 random bits per process. The counter
/// starts at a random value. After 2^24 ids in one second, the next second is used, so that no id repeats.
/// Belongs to one thread; must not outlive its entropy.
class ObjectIdGenerator {
 public:
  explicit ObjectIdGenerator(core::Entropy& entropy) : entropy_(entropy) { renew(); }

  /// Throws core::Failure TimeExhausted from 2106 on.
  formats::ObjectIdParts next(std::int64_t seconds_since_1970);
  /// Takes new random bits for the process and the counter.
  void renew();

 private:
  core::Entropy& entropy_;
  std::uint64_t process_ = 0;
  std::uint32_t counter_ = 0;
  std::int64_t seconds_ = 0;
  std::uint32_t used_ = 0;  // the number of counters used in that second
};

}  // namespace zerosuite::id
