#include "id/sequence/daily.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace zerosuite::id {
namespace {

using core::Failure;

constexpr std::size_t kLongestPrefix = 64;
constexpr std::int64_t kWidest = 18;

void check(const DailyRequest& ask) {
  core::check_range("width", ask.width, 1, kWidest);
  if (ask.prefix.size() > kLongestPrefix)
    throw Failure(core::kInvalidArgument, "prefix must have at most " + std::to_string(kLongestPrefix) +
                                              " bytes, not " + std::to_string(ask.prefix.size()));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(ask.prefix.begin(), ask.prefix.end(), is_control))
    throw Failure(core::kInvalidArgument, "prefix must have no control characters");
}

std::int64_t power_of_ten(std::int64_t exponent) {
  std::int64_t power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

}  // namespace

void Daily::next(const DailyRequest& ask, core::Done<std::string> done, Client client) {
  check(ask);
  const std::string day = std::to_string(today(ask.zone));
  sequences_.count(
      "daily/" + ask.prefix + "/" + day, power_of_ten(ask.width),
      [start = ask.prefix + day, width = static_cast<std::size_t>(ask.width),
       done = std::move(done)](const core::Result<std::int64_t>& count) mutable {
        if (!count) return done(count.error());
        const std::string digits = std::to_string(*count);
        done(start + std::string(width - digits.size(), '0') + digits);
      },
      client);
}

// A zone may set its clocks back across midnight, but its day number never decreases.
std::int64_t Daily::today(const std::string& zone) {
  auto place = places_.find(zone);
  if (place == places_.end()) place = places_.emplace(zone, Place{Zone(zone)}).first;
  std::int64_t& day = place->second.day;
  day = std::max(day, place->second.zone.day(time_.look().ns));
  return day;
}

}  // namespace zerosuite::id
