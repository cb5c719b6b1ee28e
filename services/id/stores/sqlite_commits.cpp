#include "id/stores/sqlite_commits.hpp"

#include <exception>
#include <iterator>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::id::stores {
namespace {

constexpr core::milliseconds kQueueFullDelay{5};
constexpr core::milliseconds kProbe{1000};

}  // namespace

SqliteCommits::SqliteCommits(net::Timers& timers, net::Offload& offload, SqliteFile& file,
                             SqliteTables& tables)
    : offload_(offload), file_(file), tables_(tables), flush_(timers, [this] { flush(); }) {}

void SqliteCommits::add(Operation operation) {
  if (trouble_) return operation.answer(&*trouble_);
  gathering_.push_back(std::move(operation));
  schedule();
}

// Not in this turn: the others that it has brought are to come along.
void SqliteCommits::schedule() {
  if (!flying_ && !flush_.armed() && !gathering_.empty()) flush_.after(core::milliseconds(0));
}

// In trouble it goes out empty, to see whether it is over.
void SqliteCommits::flush() {
  flight_ = std::exchange(gathering_, {});
  flying_ = offload_.submit([this] { write(); }, [this] { land(); });
  if (flying_) return;
  gathering_ = std::exchange(flight_, {});
  flush_.after(kQueueFullDelay);
}

void SqliteCommits::write() noexcept {
  try {
    file_.begin();
    if (flight_.empty()) tables_.probe();
    for (Operation& operation : flight_) operation.work(tables_);
    file_.commit();
    return;
  } catch (const db::SqliteFailure& failure) {
    failure_ = {failure.what(), failure.full()};
  } catch (const std::exception& failure) {
    failure_ = {failure.what(), false};
  }
  file_.roll_back();
}

void SqliteCommits::land() {
  flying_ = false;
  if (failure_) {
    fail();
  } else {
    succeed();
  }
  schedule();
}

void SqliteCommits::succeed() {
  if (std::exchange(trouble_, std::nullopt) && changed_) changed_(std::nullopt);
  for (Operation& operation : std::exchange(flight_, {})) operation.answer(nullptr);
}

void SqliteCommits::fail() {
  const Failure failure = *std::exchange(failure_, std::nullopt);
  const auto before = std::exchange(trouble_, std::nullopt);
  trouble_ = Trouble{{core::kStorageError, failure.message}, !failure.full};
  if (failure.full) {
    trouble_->error.details = core::Json().add("retry_after_ms", kProbe.count());
    flush_.after(kProbe);
  }
  if (changed_ && (!before || before->error.text() != trouble_->error.text())) changed_(trouble_->error);
  std::vector<Operation> failed = std::exchange(flight_, {});
  std::move(gathering_.begin(), gathering_.end(), std::back_inserter(failed));
  gathering_.clear();
  for (Operation& operation : failed) operation.answer(&*trouble_);
}

void SqliteCommits::close() {
  flush_.cancel();
  while (!gathering_.empty()) {
    flight_ = std::exchange(gathering_, {});
    write();
    land();
  }
  flush_.cancel();
}

}  // namespace zerosuite::id::stores
