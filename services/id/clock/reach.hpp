// The latest time used in ids, recorded in the store, so that ids do not go back after a restart.
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

/// Times are milliseconds since 1970, reserved before their use; but if the store grants none, they are used
/// nevertheless: ids stay unique, and only lose their order if the clock was set back while the store was
/// unavailable or slow, and the process then crashes. Belongs to the loop's thread. Must not outlive its
/// store and timers; may be destroyed while a call to the store is pending.
class Reach {
 public:
  /// Gets the ms from which on this worker id has given out no ids.
  using Begun = std::function<void(std::int64_t first_ms)>;

  Reach(net::Timers& timers, Store& store, core::milliseconds window, Begun begun);

  /// Starts with this worker id. Retries until the store grants a range.
  void begin(std::int64_t worker, std::int64_t now_ms);
  /// Whether the store has granted a range.
  bool begun() const { return range_.hi > 0; }
  /// Ids with times up to this one were given out.
  void used(std::int64_t ms);
  /// Whether those times are recorded in the store, or cannot be at present.
  bool kept() const { return (!fresh_ && used_ < range_.hi) || failing_ || !asking_; }
  /// If not kept(): runs `then` once they are recorded, or could not be.
  void once_kept(core::MoveFunction<void()> then) { waiting_.push_back(std::move(then)); }
  /// Gives back the unused times; releases `last` once that is done, or has failed.
  void stop(const core::SharedLatch& last);

 private:
  void ask();
  void answered(const Range& range, std::int64_t stored, std::int64_t now_ms);
  void release();

  Store& store_;
  Window ahead_;
  const Begun begun_;
  Key key_{Key::Kind::kTicks, ""};
  Range range_;            // hi = 0 before the first range
  std::int64_t used_ = 0;  // the latest ms of an id, or the clock's ms at begin()
  bool fresh_ = true;      // no range of this key has been reserved yet
  bool asking_ = false;
  bool failing_ = false;  // the last reserve failed
  bool stopped_ = false;
  std::uint64_t round_ = 0;  // rises with begin()
  std::vector<core::MoveFunction<void()>> waiting_;
  net::Timer again_;
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);
};

}  // namespace zerosuite::id
