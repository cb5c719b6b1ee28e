// All id generators of one process, on one store and one clock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "id/clock/clock.hpp"
#include "id/clock/reach.hpp"
#include "id/random/random_ids.hpp"
#include "id/sequence/daily.hpp"
#include "id/sequence/segments.hpp"
#include "id/sequence/sequences.hpp"
#include "id/snowflake/snowflakes.hpp"
#include "id/snowflake/worker_id_lease.hpp"
#include "id/stores/change_watch.hpp"
#include "id/stores/store.hpp"
#include "net/timers.hpp"

namespace zerosuite::id {

struct IssuerOptions {
  Layout layout;  ///< For snowflakes when a call names none.
  SequenceStart sequence_start = SequenceStart::kCarry;
  bool allow_relayout = false;    ///< Starts even if the store's ids had another layout.
  std::string fresh_store = {};   ///< The id to give to a shared store that has none.
  bool accept_regressed = false;  ///< Accepts a store that has lost data.
  SnowflakeOptions snowflake;
  WorkerIdOptions worker;
  SegmentOptions segments;
  SequenceOptions sequences;
  ChangeWatchOptions watch;
  ClockRules clock;
};

struct IssuerParts {
  net::Timers& timers;
  Store& store;
  const Clocks& clocks;
};

/// Belongs to the loop's thread. Call stop(), or make no more calls, before destroying it.
class Issuer {
 public:
  Issuer(const IssuerParts& parts, IssuerOptions options, WorkerIdLease::Callback told);

  /// Opens the store and claims a worker id, with retries; ready() returns true once that is done.
  void start();
  /// Whether it can serve.
  bool ready() const { return worker_.generation() > 0 && reach_.begun(); }
  /// Why it is not ready, as far as is known.
  const core::Error& not_ready_reason() const;
  /// Why it will never be ready without an operator: the store has ids of another layout, or has lost data.
  const std::optional<core::Error>& refusal() const { return refusal_; }
  /// Gives back everything unused; `done` runs once that is done, or has failed.
  void stop(core::MoveFunction<void()> done);

  /// To be called before each method call: discards what was reserved before the machine was paused or
  /// copied.
  void check_clock();
  /// Problems that need attention; empty if there are none.
  std::vector<std::string> health_problems();

  IdTime& time() { return time_; }
  Snowflakes& snowflakes() { return snowflakes_; }
  Segments& segments() { return segments_; }
  Sequences& sequences() { return sequences_; }
  Daily& daily() { return daily_; }
  RandomIds& random_ids() { return random_ids_; }
  Reach& reach() { return reach_; }
  ChangeWatch& watch() { return watch_; }
  const WorkerIdLease& worker() const { return worker_; }
  const Store& store() const { return store_; }

 private:
  void pin_layout();
  void told(const core::Result<Lease>& lease);

  Store& store_;
  const IssuerOptions options_;
  const WorkerIdLease::Callback told_;
  core::Entropy entropy_;
  IdTime time_;
  WorkerIdLease worker_;
  Snowflakes snowflakes_;
  Segments segments_;
  Sequences sequences_;
  Daily daily_;
  RandomIds random_ids_;
  Reach reach_;
  ChangeWatch watch_;
  std::uint64_t discontinuities_ = 0;
  std::optional<core::Error> refusal_;
  std::optional<core::Error> trouble_;  // of start()
  net::Timer start_again_;
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);  // destroyed first
};

}  // namespace zerosuite::id
