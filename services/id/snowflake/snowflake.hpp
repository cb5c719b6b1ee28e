// Ids of one layout: a cursor over ticks that were reserved before, moved on by the clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/entropy.hpp"
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
  core::milliseconds window{3'000};      ///< How much time is reserved at once; less at first, see Window.
  core::milliseconds burst_lead{1'000};  ///< How much of the future is borrowed when a tick is used up.
  core::milliseconds park{2'000};        ///< How long a caller waits for the store.
  std::size_t max_parked = 10'000;       ///< How many callers wait; Overloaded beyond. See
                                         ///< FairQueue::has_room().
  std::size_t max_layouts = 64;          ///< Of custom layouts and named ones together; Overloaded beyond.
};

/// What all layouts of one issuer share.
struct SnowflakeParts {
  net::Timers& timers;
  Store& store;
  IdTime& time;
  WorkerIdLease& worker;
  core::Entropy& entropy;
};

/// No id twice, and each greater than those before, as long as this object lives. Belongs to the loop's
/// thread.
class Snowflake {
 public:
  using Runs = std::vector<Run>;

  Snowflake(const SnowflakeParts& parts, Layout layout, const SnowflakeOptions& options);

  /// The next id, when it can be had at once; `now` is of this call.
  std::optional<std::int64_t> one(const Now& now);
  /// `n` ids in ascending order; at most most(). May wait for the store, or for time to pass: clients who ask
  /// for more than there is get equal shares, and small requests come first. LeaseLost, ClockRollback and
  /// Unavailable (with {"retry_after_ms"}), TimeExhausted, Overloaded, or the store's StorageError and
  /// StoreRegressed.
  void take(std::int64_t n, core::Done<Runs> done, Client client = 0);
  /// How many ids can be borrowed at once.
  std::int64_t most() const;
  /// Ids given out since the start.
  std::int64_t issued() const { return cursor_.taken(); }
  /// Callers that wait.
  std::size_t parked() const { return queue_.size(); }

  const Layout& layout() const { return cursor_.layout(); }
  /// Ticks before this one are reserved, in ms since 1970; 0 before the first use.
  std::int64_t reserved_ms() const;
  /// Nobody is served any more: gives the unused ticks back. `done` runs once they are, or could not be.
  void stop(core::MoveFunction<void()> done);

 private:
  struct Parked {
    std::int64_t n;
    Runs runs;  // those it has already
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
  const std::int64_t kept_ticks_;  // how many more small requests may borrow
  const std::int64_t small_;       // how many ids a small request has at most
  Cursor cursor_;
  Range window_;  // the ticks that are reserved
  WaitQueue<Parked> queue_;
  Reserver reserver_;
  std::uint64_t discontinuities_ = 0;
  std::uint64_t generation_ = 0;
  std::uint64_t skipped_generation_ = 0;  // the last that began with a window of its own
  bool serving_ = false;
  bool stopping_ = false;
  core::MoveFunction<void()> then_;  // once what is unused is given back
  net::Timer next_tick_;             // while callers wait for time to pass
};

}  // namespace zerosuite::id
