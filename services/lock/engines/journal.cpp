#include "lock/engines/journal.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::lock::engines {
namespace {

using core::milliseconds;

// How long what nobody waits for may stay unwritten. A lost release only delays the next holder.
constexpr milliseconds kSyncDelay{20};
constexpr milliseconds kAsyncDelay{5};
constexpr milliseconds kQueueFullDelay{5};
constexpr milliseconds kProbe{1000};

}  // namespace

Journal::Journal(net::Timers& timers, net::Offload& offload, HoldStore& store, Setup setup)
    : timers_(timers),
      offload_(offload),
      store_(store),
      setup_(std::move(setup)),
      meta_(setup_.meta),
      written_meta_(setup_.meta),
      flush_(timers, [this] { flush(); }) {}

void Journal::add(Token token, Row row) {
  if (setup_.durability == Durability::kNone) return;
  changes_.insert_or_assign(token, Change{std::move(row), true});
  schedule();
}

void Journal::change(Token token, Row row) {
  if (setup_.durability == Durability::kNone) return;
  changes_[token].row = std::move(row);
  schedule();
}

bool Journal::drop(Token token) {
  if (setup_.durability == Durability::kNone) return false;
  const auto [change, added] = changes_.try_emplace(token);
  if (change->second.fresh) {
    changes_.erase(change);
    return false;
  }
  change->second.row = nullptr;
  schedule();
  return true;
}

void Journal::set_durability(Durability durability) {
  meta_.durability = durability;
  schedule();
}

void Journal::reserve(Token next, milliseconds lease) {
  if (lease.count() <= meta_.max_lease_ms && next < meta_.token_limit - kTokenBlock / 2) return;
  meta_.max_lease_ms = std::max(meta_.max_lease_ms, lease.count());
  if (next >= meta_.token_limit - kTokenBlock / 2) meta_.token_limit += kTokenBlock;
  schedule();
}

void Journal::shorten(milliseconds longest) {
  if (longest.count() >= meta_.max_lease_ms) return;
  meta_.max_lease_ms = longest.count();
  schedule();
}

// What is on its way may be less than what is there.
bool Journal::covers(Token token, milliseconds lease) const {
  return token < written_meta_.token_limit && lease.count() <= written_meta_.max_lease_ms &&
         (!flight_.meta || lease.count() <= flight_.meta->max_lease_ms);
}

Journal::Number Journal::awaited() const {
  if (!waits_.empty()) return gathering_;
  return answered_ + 1 < gathering_ ? gathering_ - 1 : 0;
}

void Journal::wait(Number number, Wait wait) {
  (number == gathering_ ? waits_ : flight_waits_).push_back(std::move(wait));
  schedule();
}

void Journal::schedule() {
  if (flying_ || trouble_ || at_once_) return;
  // Not in this turn: the others that it has brought are to come along.
  if (!waits_.empty() || meta_ != written_meta_) {
    at_once_ = true;
    flush_.after(milliseconds(0));
  } else if (!changes_.empty() && !flush_.armed()) {
    flush_.after(setup_.durability == Durability::kSync ? kSyncDelay : kAsyncDelay);
  }
}

void Journal::flush() {
  at_once_ = false;
  // What they wait for may have been undone meanwhile; but a probe goes out empty.
  if (!dirty() && !trouble_) {
    depart();
    return land();
  }
  load();
  flying_ = offload_.submit([this] { write(); }, [this] { land(); });
  if (flying_) return depart();
  changes_ = std::exchange(flight_, {}).changes;
  flush_.after(kQueueFullDelay);
}

void Journal::load() {
  flight_.changes = std::exchange(changes_, {});
  if (meta_ != written_meta_) flight_.meta = meta_;
}

void Journal::depart() {
  flight_waits_ = std::exchange(waits_, {});
  ++gathering_;
}

void Journal::write() noexcept {
  try {
    store_.write(flight_);
  } catch (const db::SqliteFailure& failure) {
    failure_ = {failure.what(), failure.full()};
  } catch (const std::exception& failure) {
    failure_ = {failure.what(), false};
  }
}

void Journal::land() {
  flying_ = false;
  if (const auto failure = std::exchange(failure_, std::nullopt)) {
    fail(*failure);
  } else {
    succeed();
  }
  answered_ = gathering_ - 1;
  setup_.settled();
  schedule();
}

void Journal::succeed() {
  trouble_.reset();
  written_ = gathering_ - 1;
  if (flight_.meta) written_meta_ = *flight_.meta;
  flight_ = {};
  answer(nullptr);
}

// Nobody who waits gets anything any more: what gathers rests on what could not be written.
void Journal::fail(const Failure& failure) {
  // Perhaps it was written, and only the rest was not.
  if (flight_.meta)
    written_meta_.max_lease_ms = std::min(written_meta_.max_lease_ms, flight_.meta->max_lease_ms);
  trouble_ = core::Error{core::kStorageError, failure.message};
  for_good_ = !failure.full;
  if (failure.full) {
    trouble_->details = core::Json().add("retry_after_ms", kProbe.count());
    flush_.after(kProbe);
  }
  take_back();
  std::move(waits_.begin(), waits_.end(), std::back_inserter(flight_waits_));
  waits_.clear();
  ++gathering_;
  for (auto wait = flight_waits_.rbegin(); wait != flight_waits_.rend(); ++wait) {
    if (wait->undo) wait->undo();
  }
  const core::Error error = *trouble_;
  answer(&error);
}

// What the batch would have changed is to be changed still, unless a later change took its place.
void Journal::take_back() {
  for (auto& [token, older] : flight_.changes) {
    const auto [newer, alone] = changes_.try_emplace(token, older);
    if (alone) continue;
    newer->second.fresh = older.fresh;
    if (older.fresh && newer->second.row == nullptr) changes_.erase(newer);
  }
  flight_ = {};
}

// The list may grow meanwhile, by calls made from the answers.
void Journal::answer(const core::Error* error) {
  while (!flight_waits_.empty()) {
    Wait wait = std::move(flight_waits_.front());
    flight_waits_.pop_front();
    wait.answer(error);
  }
}

std::optional<core::Error> Journal::close(std::map<Token, Change> rows, bool clean) {
  if (for_good_) return trouble_;
  changes_.merge(rows);
  do {
    load();
    depart();
    write();
    land();
  } while (!trouble_ && (!changes_.empty() || !waits_.empty()));
  // By itself and last: what it says must be true of all before it.
  meta_.clean = clean;
  if (!trouble_) {
    load();
    depart();
    write();
    land();
  }
  flush_.cancel();
  return trouble_;
}

}  // namespace zerosuite::lock::engines
