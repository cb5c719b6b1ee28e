// The date in a time zone of the IANA time zone database.
#pragma once

#include <cstdint>
#include <string>

namespace date {
class time_zone;
}

namespace zerosuite::id {

/// A plain value.
class Zone {
 public:
  /// "UTC", which needs no database, or a name in the machine's database. Throws core::Failure
  /// InvalidArgument for another name, Unsupported if there is no database.
  explicit Zone(const std::string& name);

  /// The day as yyyymmdd. `time_ns` is since 1970.
  std::int64_t day(std::int64_t time_ns);

 private:
  const date::time_zone* zone_ = nullptr;  // null = UTC; owned by the library
  // From from_ until to_ the offset is offset_; all in seconds.
  std::int64_t from_ = 0;
  std::int64_t to_ = 0;
  std::int64_t offset_ = 0;
};

/// A time in ms since 1970 as text (ISO 8601, RFC 3339): "2022-06-28T16:07:40.105Z".
std::string iso_time(std::int64_t ms);

}  // namespace zerosuite::id
