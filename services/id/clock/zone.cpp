#include "id/clock/zone.hpp"

#include <date/tz.h>

#include <chrono>
#include <stdexcept>

#include "core/error.hpp"

namespace zerosuite::id {
namespace {

void check_database() {
  try {
    if (!date::get_tzdb().zones.empty()) return;
  } catch (const std::runtime_error&) {  // not even the folder exists
  }
  throw core::Failure(core::kUnsupported,
                      "this machine has no time zone database (tzdata), so tz must be 'UTC'");
}

const date::time_zone* locate(const std::string& name) {
  if (name == "UTC") return nullptr;
  check_database();
  try {
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    throw core::Failure(
        core::kInvalidArgument,
        "tz must be the name of a time zone, such as 'UTC' or 'Europe/Berlin', not '" + name + "'");
  }
}

}  // namespace

Zone::Zone(const std::string& name) : zone_(locate(name)) {}

std::int64_t Zone::day(std::int64_t time_ns) {
  using std::chrono::days, std::chrono::floor, std::chrono::seconds;
  const auto time =
      floor<seconds>(date::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(time_ns)));
  const std::int64_t second = time.time_since_epoch().count();
  if (zone_ != nullptr && (second < from_ || second >= to_)) {
    const date::sys_info info = zone_->get_info(time);
    from_ = info.begin.time_since_epoch().count();
    to_ = info.end.time_since_epoch().count();
    offset_ = info.offset.count();
  }
  const std::chrono::year_month_day date(floor<days>(std::chrono::sys_seconds(seconds(second + offset_))));
  return int{date.year()} * 10'000 + static_cast<int>(unsigned{date.month()}) * 100 +
         static_cast<int>(unsigned{date.day()});
}

std::string iso_time(std::int64_t ms) {
  return date::format("%FT%TZ", date::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(ms)));
}

}  // namespace zerosuite::id
