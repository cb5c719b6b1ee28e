// 96-bit ids with a counter per second and process: Xid (https://github.com/rs/xid) and MongoDB's ObjectId
// (https://www.mongodb.com/docs/manual/reference/bson-types/#objectid).
#pragma once

#include <cstdint>
#include <string>

#include "core/random.hpp"
#include "id/clock/clock.hpp"
#include "id/text/digits.hpp"

namespace zerosuite::id::formats {

struct ObjectIdParts {
  std::uint32_t seconds = 0;  ///< Since 1970
  std::uint64_t process = 0;  ///< 40 bits: in an Xid, 24 for the machine and 16 for the process.
  std::uint32_t counter = 0;  ///< 24 bits

  Number128 number() const { return joined(seconds, process << 24 | counter); }
};

/// 20 base 32 digits in lower case.
inline std::string xid_text(const ObjectIdParts& id) {
  constexpr int kFilled = 20 * 5 - 96;  // the last digit's lower bits
  std::string text(20, '\0');
  write(id.number() << kFilled, kBase32Digits, text);
  return text;
}

/// 24 hexadecimal digits.
inline std::string objectid_text(const ObjectIdParts& id) {
  std::string text(24, '\0');
  write(id.number(), kHexDigits, text);
  return text;
}

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
  static constexpr std::uint32_t kCounters = std::uint32_t{1} << 24;

  core::Entropy& entropy_;
  std::uint64_t process_ = 0;
  std::uint32_t counter_ = 0;
  std::int64_t seconds_ = 0;
  std::uint32_t used_ = 0;  // the number of counters used in that second
};

inline formats::ObjectIdParts ObjectIdGenerator::next(std::int64_t seconds_since_1970) {
  if (seconds_since_1970 > seconds_) {
    seconds_ = seconds_since_1970;
    used_ = 0;
  } else if (used_ == kCounters) {
    ++seconds_;
    used_ = 0;
  }
  ++used_;
  counter_ = (counter_ + 1) % kCounters;
  return {seconds_in_32_bits(seconds_), process_, counter_};
}

inline void ObjectIdGenerator::renew() {
  process_ = entropy_.bits() >> 24;
  counter_ = static_cast<std::uint32_t>(entropy_.bits() % kCounters);
}

}  // namespace zerosuite::id
