// Issues ids of one layout: a cursor over reserved ticks, advanced by the clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "id/clock/clock.hpp"
#include "id/clock/window.hpp"
#include "id/snowflake/cursor.hpp"
#include "id/snowflake/layout.hpp"
#include "id/snowflake/wait_queue.hpp"
#include "id/snowflake/worker_id_lease.hpp"
#include "id/stores/reserver.hpp"
#include "id/stores/store.hpp"
#include "net/timers.hpp"

namespace zerosuite::id {

struct SnowflakeOptions {
  core::milliseconds window{3'000};      ///< How much time is reserved at once; see Window for less.
  core::milliseconds burst_lead{1'000};  ///< How far ids may run ahead when a tick is used up.
  core::milliseconds park{2'000};        ///< How long a caller waits for the store.
  std::size_t max_parked = 10'000;       ///< The maximum number of waiters; Overloaded beyond. See
                                         ///< FairQueue::has_room().
  std::size_t max_layouts = 64;  ///< The maximum number of layouts, custom and named; Overloaded beyond.
};

/// What the layouts of one issuer share.
struct SnowflakeParts {
  net::Timers& timers;
  Store& store;
  IdTime& time;
  WorkerIdLease& worker;
  core::Entropy& entropy;
};

/// Ids are unique, and strictly increasing during the lifetime of this object. Belongs to the loop's thread.
class Snowflake {
 public:
  using Runs = std::vector<Run>;

  Snowflake(const SnowflakeParts& parts, Layout layout, const SnowflakeOptions& options);

  /// The next id if it is available at once; `now` is the time of this call.
  std::optional<std::int64_t> one(const Now& now);
  /// `n` ids in ascending order; at most most(). May wait for the store, or for time to pass: if clients ask
  /// for more ids than there are, they get equal shares, and small requests come first. Errors: LeaseLost,
  /// ClockRollback and Unavailable (with {"retry_after_ms"}), TimeExhausted, Overloaded, ShuttingDown,
  /// WorkerIdExhausted if the layout does not have this worker id, or the store's StorageError and
  /// StoreRegressed.
  void take(std::int64_t n, core::Done<Runs> done, Client client = 0);
  /// The maximum number of ids in one request: as many as burst_lead has.
  std::int64_t most() const;
  /// Ids given out since the start.
  std::int64_t issued() const { return cursor_.taken(); }
  /// The number of waiters.
  std::size_t parked() const { return queue_.size(); }

  const Layout& layout() const { return cursor_.layout(); }
  /// The end of the reserved ticks, in ms since 1970; 0 before the first use.
  std::int64_t reserved_ms() const;
  /// Fails all waiters with ShuttingDown, and gives back the unused ticks. `done` runs once that is done, or
  /// has failed.
  void stop(core::MoveFunction<void()> done);

 private:
  struct Parked {
    std::int64_t n;
    Runs runs;  // the ids it has received so far
    core::Done<Runs> done;
  };

  std::optional<core::Error> refusal(const Now& now);
  void drop_stale(std::uint64_t discontinuities);
  void follow(const Now& now);
  std::int64_t end_tick(std::int64_t now_tick, std::int64_t n) const;
  void advance();
  void serve(std::int64_t now_tick);
  core::Error too_late() const;
  void refill(std::int64_t now_tick);
  void ask_ticks(ReserveRequest ask);
  void answered(const core::Result<Reserved>& answer, Reserver::Generation generation, std::int64_t skip);
  bool starved() const;
  void supply(const Range& range);
  void exhausted();
  void give_back();
  Key key() const;

  const SnowflakeParts parts_;
  const SnowflakeOptions options_;
  Window ahead_;
  const std::int64_t full_window_ticks_;
  const std::int64_t lead_ticks_;
  const std::int64_t kept_ticks_;  // the additional lead of small requests
  const std::int64_t small_;       // the maximum number of ids of a small request
  Cursor cursor_;
  Range window_;  // the reserved ticks
  WaitQueue<Parked> queue_;
  Reserver reserver_;
  std::uint64_t discontinuities_ = 0;
  std::uint64_t generation_ = 0;
  std::uint64_t skipped_generation_ = 0;  // the last that reserved a window
  bool serving_ = false;
  bool stopping_ = false;
  core::MoveFunction<void()> then_;  // runs once the unused ticks are given back
  net::Timer next_tick_;             // armed while callers wait for time to pass
};

}  // namespace zerosuite::id
