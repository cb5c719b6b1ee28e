// Numbers for papers: a prefix, the day, and a counter that begins anew every day.
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
  std::int64_t width = 6;  ///< Digits of the counter.
  std::string zone = "UTC";
};

/// Belongs to the loop's thread. Must not outlive the time and the sequences.
class Daily {
 public:
  Daily(IdTime& time, Sequences& sequences) : time_(time), sequences_(sequences) {}

  /// `<prefix>yyyymmdd<counter>`: of one prefix and day, if A was answered before B asked, B's is greater.
  /// The counter is never kept in a buffer: a crash would use up what the width has room for. RangeExhausted
  /// when the width has no room; Unavailable; StoreRegressed; Overloaded. Throws core::Failure
  /// InvalidArgument for a prefix, width or zone that cannot be, Unsupported when the machine knows no zones.
  void next(const DailyRequest& ask, core::Done<std::string> done, Client client = 0);

 private:
  struct Place {
    Zone zone;
    std::int64_t day = 0;  // the latest so far
  };

  std::int64_t today(const std::string& zone);

  IdTime& time_;
  Sequences& sequences_;
  std::map<std::string, Place> places_;  // no more than there are zones
};

}  // namespace zerosuite::id
