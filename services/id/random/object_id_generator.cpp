#include "id/random/object_id_generator.hpp"

#include "id/random/monotonic.hpp"

namespace zerosuite::id {
namespace {

constexpr std::uint32_t kCounters = std::uint32_t{1} << 24;

}  // namespace

formats::Counted ObjectIdGenerator::next(std::int64_t seconds_since_1970) {
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
