// At most one request to a store at a time, with exponential back-off after failures.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "net/timers.hpp"

namespace zerosuite::id {

/// Tracks the state of the requests; its owner sends them. Belongs to the loop's thread.
class Reserver {
 public:
  struct Pauses {
    core::milliseconds first{50};
    core::milliseconds longest{2'000};
  };
  /// Requests from before and after void_all() are of different generations.
  using Generation = std::uint64_t;

  /// `again` runs when a pause is over.
  Reserver(net::Timers& timers, Pauses pauses, std::function<void()> again)
      : pauses_(pauses), pause_over_(timers, std::move(again)) {}

  /// Whether a request may be sent now.
  bool ready() const { return !asking_ && !resting(); }
  /// Whether a request was sent whose result has not been processed yet.
  bool asking() const { return asking_; }
  /// Whether the pause after a failure is running.
  bool resting() const { return pause_over_.armed(); }
  /// The present pause, or the first one if there is none.
  core::milliseconds pause() const { return std::max(pause_, pauses_.first); }
  const Pauses& pauses() const { return pauses_; }
  /// Why the last attempt failed.
  const std::optional<core::Error>& trouble() const { return trouble_; }

  /// Records that a request is sent; returns its generation.
  Generation begin() {
    asking_ = true;
    return generation_;
  }
  /// Whether the result of a request of that generation may be used; otherwise it must be dropped.
  bool is_present(Generation generation) const { return generation == generation_; }
  /// Invalidates the request in flight: its result must not be used.
  void void_all() { ++generation_; }
  /// The outcome of the request.
  void succeeded() {
    trouble_.reset();
    pause_ = core::milliseconds(0);
  }
  void failed(core::Error why) {
    trouble_ = std::move(why);
    pause_ = std::clamp(2 * pause_, pauses_.first, pauses_.longest);
    pause_over_.after(pause_);
  }
  /// The result is processed, so another request may be sent. Not earlier: a callback that gets the result
  /// may make another call.
  void end() { asking_ = false; }

 private:
  const Pauses pauses_;
  bool asking_ = false;
  Generation generation_ = 0;
  core::milliseconds pause_{0};
  std::optional<core::Error> trouble_;
  net::Timer pause_over_;
};

}  // namespace zerosuite::id
