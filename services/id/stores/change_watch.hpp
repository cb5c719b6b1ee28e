// What other issuers on a shared store have changed, and whether they follow what was changed here.
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
  core::milliseconds every{100};   ///< Looks so often.
  core::milliseconds wait{2'000};  ///< How long others are waited for.
};

/// Belongs to the loop's thread. Does nothing on a store of one process. Must not outlive its store and
/// timers; what they answer later is nothing to it.
class ChangeWatch {
 public:
  using Changed = std::function<void(const std::string& tag)>;
  using WorkerId = std::function<std::optional<std::int64_t>()>;
  using Then = core::MoveFunction<void()>;

  /// `changed` hears of each tag that was changed or deleted, here or elsewhere; `worker` tells who this is.
  ChangeWatch(net::Timers& timers, Store& store, const ChangeWatchOptions& options, Changed changed,
              WorkerId worker);

  void start();
  /// Runs `then` once all issuers follow what was changed here before, or when they have been waited for long
  /// enough: one that is cut off from the store follows when it is back.
  void spread(Then then);
  /// Does not look any more, and waits for nobody.
  void stop();

 private:
  struct Waiting {
    Then then;
    core::TimePoint until;
    std::int64_t revision;  // of the change, or a later one; 0 until that is known
    bool asked;             // for it
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
