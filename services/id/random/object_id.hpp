// Ids of 96 bits that count within a second and a process: Xid (https://github.com/rs/xid) and MongoDB's
// ObjectId (https://www.mongodb.com/docs/manual/reference/bson-types/#objectid).
#pragma once

#include <cstdint>
#include <string>

#include "core/entropy.hpp"

namespace zerosuite::id::formats {

struct ObjectIdParts {
  std::uint32_t seconds = 0;  ///< Since 1970
  std::uint64_t process = 0;  ///< 40 bits: for Xid 24 of the machine and 16 of the process.
  std::uint32_t counter = 0;  ///< 24 bits
};

/// 20 digits of base 32, small letters.
std::string xid_text(const ObjectIdParts& id);
/// 24 digits of base 16.
std::string objectid_text(const ObjectIdParts& id);

}  // namespace zerosuite::id::formats

namespace zerosuite::id {

/// Unique in this process by a counter, and elsewhere by 40 random bits of the process. The counter begins
/// anywhere. When it has gone round within one second, it goes on in the next one, so that no id comes twice.
/// Belongs to one thread; must not outlive its entropy.
class ObjectIdGenerator {
 public:
  explicit ObjectIdGenerator(core::Entropy& entropy) : entropy_(entropy) { renew(); }

  /// Throws core::Failure TimeExhausted from 2106 on.
  formats::ObjectIdParts next(std::int64_t seconds_since_1970);
  /// From now on as another process.
  void renew();

 private:
  core::Entropy& entropy_;
  std::uint64_t process_ = 0;
  std::uint32_t counter_ = 0;
  std::int64_t seconds_ = 0;
  std::uint32_t used_ = 0;  // of that second's
};

}  // namespace zerosuite::id
