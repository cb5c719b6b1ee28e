// One request to a store at a time, and after one that failed a pause, which doubles each time.
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

/// Keeps the state of the requests; its owner sends them. Belongs to the loop's thread.
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
  /// One is sent, and its answer not dealt with yet.
  bool asking() const { return asking_; }
  /// The pause after a failure is not over.
  bool resting() const { return pause_over_.armed(); }
  /// The present pause, or the next one when there is none.
  core::milliseconds pause() const { return std::max(pause_, pauses_.first); }
  const Pauses& pauses() const { return pauses_; }
  /// Why the last attempt failed.
  const std::optional<core::Error>& trouble() const { return trouble_; }

  /// A request is sent, of the generation that is returned.
  Generation begin() {
    asking_ = true;
    return generation_;
  }
  /// Whether the answer to it may be used. Any other is dropped.
  bool is_present(Generation generation) const { return generation == generation_; }
  /// What is being reserved is not to be used.
  void void_all() { ++generation_; }
  /// How the request went.
  void succeeded() {
    trouble_.reset();
    pause_ = core::milliseconds(0);
  }
  void failed(core::Error why) {
    trouble_ = std::move(why);
    pause_ = std::clamp(2 * pause_, pauses_.first, pauses_.longest);
    pause_over_.after(pause_);
  }
  /// Its answer is dealt with, so that another may be sent. Not earlier: who is answered may ask again.
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
