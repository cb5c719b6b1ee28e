#include "id/random/object_id.hpp"

#include "id/clock/clock.hpp"
#include "id/text/digits.hpp"

namespace zerosuite::id::formats {
namespace {

Number128 number_of(const ObjectIdParts& id) { return joined(id.seconds, id.process << 24 | id.counter); }

}  // namespace

std::string xid_text(const ObjectIdParts& id) {
  constexpr int kFilled = 20 * 5 - 96;  // the last digit's lower bits
  std::string text(20, '\0');
  write(number_of(id) << kFilled, kBase32Digits, text);
  return text;
}

std::string objectid_text(const ObjectIdParts& id) {
  std::string text(24, '\0');
  write(number_of(id), kHexDigits, text);
  return text;
}

}  // namespace zerosuite::id::formats

namespace zerosuite::id {
namespace {

constexpr std::uint32_t kCounters = std::uint32_t{1} << 24;

}  // namespace

formats::ObjectIdParts ObjectIdGenerator::next(std::int64_t seconds_since_1970) {
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

void ObjectIdGenerator::renew() {
  process_ = entropy_.bits() >> 24;
  counter_ = static_cast<std::uint32_t>(entropy_.bits() % kCounters);
}

}  // namespace zerosuite::id
