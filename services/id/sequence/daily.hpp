// Document numbers: a prefix, the day, and a counter that restarts every day.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/result.hpp"
#include "id/clock/clock.hpp"
#include "id/clock/zone.hpp"
#include "id/sequence/sequences.hpp"

namespace zerosuite::id {

struct DailyRequest {
  std::string prefix = {};
  std::int64_t width = 6;  ///< The number of digits of the counter.
  std::string zone = "UTC";
};

/// Belongs to the loop's thread. Must not outlive the time and the sequences.
class Daily {
 public:
  Daily(IdTime& time, Sequences& sequences) : time_(time), sequences_(sequences) {}

  /// `<prefix>yyyymmdd<counter>`: for one prefix and day, a request made after another one's reply gets a
  /// greater number. The counter is never buffered, since a crash would waste some of the few numbers that
  /// the width has room for. Errors: RangeExhausted when the counter does not fit the width; Unavailable;
  /// StoreRegressed; Overloaded. Throws core::Failure InvalidArgument for an invalid prefix, width or zone,
  /// Unsupported if the machine has no time zone database.
  void next(const DailyRequest& ask, core::Done<std::string> done, Client client = 0);

 private:
  struct Place {
    Zone zone;
    std::int64_t day = 0;  // the latest so far
  };

  std::int64_t today(const std::string& zone);

  IdTime& time_;
  Sequences& sequences_;
  std::map<std::string, Place> places_;  // bounded by the number of zones
};

}  // namespace zerosuite::id
