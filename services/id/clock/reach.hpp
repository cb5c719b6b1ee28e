// How far ids that carry a time have come, kept in the store, so that they do not go back over a restart.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/completion_latch.hpp"
#include "core/function.hpp"
#include "id/clock/window.hpp"
#include "id/stores/store.hpp"
#include "net/timers.hpp"

namespace zerosuite::id {

/// Milliseconds since 1970, reserved ahead of their use; but where the store gives none, they are used all
/// the same: no id is there twice for that, and only a clock that is set back while the store is away or
/// slow, before a crash, could show it. Belongs to the loop's thread. Must not outlive its store and timers;
/// what they answer later is ignored.
class Reach {
 public:
  /// Told the ms from which on no id was given out by this worker id.
  using Begun = std::function<void(std::int64_t first_ms)>;

  Reach(net::Timers& timers, Store& store, core::milliseconds window, Begun begun);

  /// From now on as this worker. Asks the store until it answers.
  void begin(std::int64_t worker, std::int64_t now_ms);
  /// Whether it has answered once.
  bool begun() const { return range_.hi > 0; }
  /// Ids of times up to this one were given out.
  void used(std::int64_t ms);
  /// Whether those times are kept, or cannot be kept now.
  bool kept() const { return (!fresh_ && used_ < range_.hi) || failing_ || !asking_; }
  /// Where not kept(): runs `then` once they are, or could not be.
  void once_kept(core::MoveFunction<void()> then) { waiting_.push_back(std::move(then)); }
  /// Gives back what was not used; lets go of `last` once that is kept, or could not be.
  void stop(const core::SharedLatch& last);

 private:
  void ask();
  void answered(const Range& range, std::int64_t stored, std::int64_t now_ms);
  void release();

  Store& store_;
  Window ahead_;
  const Begun begun_;
  Key key_{Key::Kind::kTicks, ""};
  Range range_;            // hi = 0 before the first
  std::int64_t used_ = 0;  // the latest ms of an id, or of the clock when it began
  bool fresh_ = true;      // no range of this key was reserved yet
  bool asking_ = false;
  bool failing_ = false;  // the last answer was none
  bool stopped_ = false;
  std::uint64_t round_ = 0;  // rises with begin()
  std::vector<core::MoveFunction<void()>> waiting_;
  net::Timer again_;
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);
};

}  // namespace zerosuite::id
