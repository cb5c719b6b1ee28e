// What became of the handlers a test started: it asks by tag, from another connection.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "net/timers.hpp"

namespace zerosuite::test {

/// One handler. It is "running", then "done" or "cancelled".
class Fate {
 public:
  explicit Fate(const net::Timers& timers) : timers_(timers), begun_(timers.now()) {}

  void item() { ++items_; }
  /// The first end counts.
  void end(std::string state) {
    if (ended_) return;
    state_ = std::move(state);
    ended_ = timers_.now();
  }

  /// The state, the items made, and the milliseconds it ran.
  std::tuple<std::string, std::uint64_t, std::int64_t> report() const {
    const auto time = ended_.value_or(timers_.now()) - begun_;
    return {state_, items_, std::chrono::duration_cast<core::milliseconds>(time).count()};
  }

 private:
  const net::Timers& timers_;
  core::TimePoint begun_;
  std::optional<core::TimePoint> ended_;
  std::string state_ = "running";
  std::uint64_t items_ = 0;
};

class Fates {
 public:
  explicit Fates(const net::Timers& timers) : timers_(timers) {}

  /// Forgets an earlier handler of that tag.
  std::shared_ptr<Fate> begin(const std::string& tag) {
    return fates_[tag] = std::make_shared<Fate>(timers_);
  }
  /// Null when there was none.
  std::shared_ptr<Fate> find(const std::string& tag) const {
    const auto found = fates_.find(tag);
    return found == fates_.end() ? nullptr : found->second;
  }

 private:
  const net::Timers& timers_;
  std::map<std::string, std::shared_ptr<Fate>> fates_;
};

/// Ends its fate as "cancelled" when it goes: streams have no other way to learn that nobody listens.
class CancelledAtEnd {
 public:
  explicit CancelledAtEnd(std::shared_ptr<Fate> fate) : fate_(std::move(fate)) {}
  ~CancelledAtEnd() { fate_->end("cancelled"); }
  CancelledAtEnd(const CancelledAtEnd&) = delete;
  CancelledAtEnd& operator=(const CancelledAtEnd&) = delete;

  Fate& fate() const { return *fate_; }

 private:
  std::shared_ptr<Fate> fate_;
};

}  // namespace zerosuite::test
