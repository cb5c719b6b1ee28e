// Reports dropped messages without letting a flood of them become a flood of log lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>

#include "core/clock.hpp"
#include "core/keyed_hash.hpp"
#include "wire/envelope.hpp"

namespace zerosuite::rpc {

/// Remembers what was reported in the current minute.
class DropLog {
 public:
  /// Whether this peer's drop is the first of its reason and minute. Beyond 1 024 of them a minute the answer
  /// is no: the counters still count.
  bool first(const wire::Envelope& peer, std::string_view reason, core::TimePoint now);

 private:
  std::unordered_set<std::string, core::KeyedHash> reported_;
  core::TimePoint minute_ends_ = core::TimePoint::min();
};

}  // namespace zerosuite::rpc
