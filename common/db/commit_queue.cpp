#include "db/commit_queue.hpp"

#include <exception>
#include <iterator>
#include <utility>

#include "core/json.hpp"
#include "db/database.hpp"

namespace zerosuite::db {
namespace {

constexpr core::milliseconds kQueueFullDelay{5};
constexpr core::milliseconds kProbe{1000};

}  // namespace

CommitQueue::CommitQueue(net::Timers& timers, net::Offload& offload, Target& target)
    : offload_(offload), target_(target), flush_(timers, [this] { flush(); }), refusals_(timers) {}

void CommitQueue::add(Entry entry) {
  if (trouble_)
    return refusals_.add([done = std::move(entry.done), error = *trouble_]() mutable { done(&error); });
  if (entry.work) works_.push_back(std::move(entry.work));
  waiting_.push_back({std::move(entry.undo), std::move(entry.done)});
  soon();
}

void CommitQueue::follow(Number number, Entry entry) {
  (number == gathering_ ? waiting_ : flight_waiting_)
      .push_back({std::move(entry.undo), std::move(entry.done)});
  schedule();
}

CommitQueue::Number CommitQueue::awaited() const {
  if (!waiting_.empty()) return gathering_;
  return answered_ + 1 < gathering_ ? gathering_ - 1 : 0;
}

// Not at once: the batch is to include everything else from this turn.
void CommitQueue::soon() {
  if (flying_ || trouble_ || at_once_) return;
  at_once_ = true;
  flush_.after(core::milliseconds(0));
}

void CommitQueue::within(core::milliseconds delay) {
  if (!flying_ && !trouble_ && !flush_.armed()) flush_.after(delay);
}

void CommitQueue::schedule() {
  if (!waiting_.empty()) soon();
}

void CommitQueue::flush() {
  at_once_ = false;
  // The data that the entries wait for may have been withdrawn. But while writing fails, an empty batch is a
  // probe.
  if (!outstanding() && !trouble_) {
    depart();
    return land();
  }
  load();
  flying_ = offload_.submit([this] { write(); }, [this] { land(); });
  if (flying_) return depart();
  unload();
  flush_.after(kQueueFullDelay);
}

void CommitQueue::load() {
  flight_works_ = std::exchange(works_, {});
  target_.load();
}

void CommitQueue::unload() {
  works_ = std::exchange(flight_works_, {});
  target_.unload();
}

void CommitQueue::depart() {
  flight_waiting_ = std::exchange(waiting_, {});
  ++gathering_;
}

void CommitQueue::write() noexcept {
  try {
    target_.write(flight_works_);
  } catch (const SqliteFailure& failure) {
    failure_ = {failure.what(), failure.full()};
  } catch (const std::exception& failure) {
    failure_ = {failure.what(), false};
  }
}

void CommitQueue::land() {
  flying_ = false;
  flight_works_.clear();
  if (const auto failure = std::exchange(failure_, std::nullopt)) {
    fail(*failure);
  } else {
    succeed();
  }
  answered_ = gathering_ - 1;
  target_.settled();
  schedule();
}

void CommitQueue::succeed() {
  written_ = gathering_ - 1;
  const bool over = std::exchange(trouble_, std::nullopt).has_value();
  target_.landed(nullptr);
  if (over && changed_) changed_(trouble_);
  answer(nullptr);
}

// All waiting entries fail: the gathering batch depends on what could not be written.
void CommitQueue::fail(const Failure& failure) {
  const auto before = std::exchange(trouble_, core::Error{core::kStorageError, failure.message});
  for_good_ = !failure.full;
  if (failure.full) {
    trouble_->details = core::Json().add("retry_after_ms", kProbe.count());
    flush_.after(kProbe);
  }
  target_.landed(&*trouble_);
  if (changed_ && (!before || before->text() != trouble_->text())) changed_(trouble_);
  works_.clear();
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(flight_waiting_));
  waiting_.clear();
  ++gathering_;
  for (auto waiting = flight_waiting_.rbegin(); waiting != flight_waiting_.rend(); ++waiting) {
    if (waiting->undo) waiting->undo();
  }
  const core::Error error = *trouble_;
  answer(&error);
}

// The callbacks may add to the list meanwhile.
void CommitQueue::answer(const core::Error* error) {
  while (!flight_waiting_.empty()) {
    Waiting waiting = std::move(flight_waiting_.front());
    flight_waiting_.pop_front();
    waiting.done(error);
  }
}

std::optional<core::Error> CommitQueue::close() {
  while (!for_good_ && (trouble_ || outstanding() || !waiting_.empty())) {
    load();
    depart();
    write();
    land();
    if (trouble_) break;
  }
  refusals_.run();
  flush_.cancel();
  return trouble_;
}

}  // namespace zerosuite::db
