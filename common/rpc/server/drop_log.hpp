// Limits how often dropped messages are reported, so that a flood of them does not flood the log.
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
  /// Whether this is the peer's first drop for that reason in this minute. Returns false beyond 1 024 reports
  /// a minute; the counters still count.
  bool first(const wire::Envelope& peer, std::string_view reason, core::TimePoint now);

 private:
  std::unordered_set<std::string, core::KeyedHash> reported_;
  core::TimePoint minute_ends_ = core::TimePoint::min();
};

inline bool DropLog::first(const wire::Envelope& peer, std::string_view reason, core::TimePoint now) {
  constexpr std::size_t kMostReports = 1024;
  if (now >= minute_ends_) {
    reported_.clear();
    minute_ends_ = now + std::chrono::minutes(1);
  }
  if (reported_.size() >= kMostReports) return false;
  return reported_.insert(peer.bytes() + std::string(reason)).second;
}

}  // namespace zerosuite::rpc
