// Polls a shared store for changes by other issuers, and for whether they have applied the changes made here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/function.hpp"
#include "id/stores/store.hpp"
#include "net/timers.hpp"

namespace zerosuite::id {

struct ChangeWatchOptions {
  core::milliseconds every{100};   ///< The polling interval.
  core::milliseconds wait{2'000};  ///< How long to wait for the other issuers.
};

/// Belongs to the loop's thread. Does nothing on a store of one process. Must not outlive its store and
/// timers; may be destroyed while a call to the store is pending.
class ChangeWatch {
 public:
  using Changed = std::function<void(const std::string& tag)>;
  using WorkerId = std::function<std::optional<std::int64_t>()>;
  using Then = core::MoveFunction<void()>;

  /// `changed` runs for each tag that was changed or deleted, here or elsewhere; `worker` returns this
  /// issuer's worker id.
  ChangeWatch(net::Timers& timers, Store& store, const ChangeWatchOptions& options, Changed changed,
              WorkerId worker);

  void start();
  /// Runs `then` once all issuers have applied the changes made here so far, or after `wait`: an issuer that
  /// is cut off from the store applies them when it reconnects.
  void spread(Then then);
  /// Stops polling, and runs all pending callbacks of spread().
  void stop();

 private:
  struct Waiting {
    Then then;
    core::TimePoint until;
    std::int64_t revision;  // of the change, or later; 0 until it is known
    bool asked;             // whether a look for the revision was sent
  };

  void look();
  void answered(const core::Result<Changes>& news);
  void release(std::int64_t followed);

  net::Timers& timers_;
  Store& store_;
  const ChangeWatchOptions options_;
  const Changed changed_;
  const WorkerId worker_;
  std::vector<Waiting> waiting_;
  std::int64_t followed_ = 0;
  bool looking_ = false;
  bool stopped_ = false;
  net::Timer again_;
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);
};

}  // namespace zerosuite::id
