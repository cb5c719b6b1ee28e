#include "lock/engines/journal.hpp"

#include <algorithm>
#include <utility>

namespace zerosuite::lock::engines {
namespace {

using core::milliseconds;

// How long changes may stay unwritten if no completion waits. A lost release only delays the next holder.
constexpr milliseconds kSyncDelay{20};
constexpr milliseconds kAsyncDelay{5};

}  // namespace

Journal::Journal(net::Timers& timers, net::Offload& offload, HoldStore& store, Setup setup)
    : store_(store),
      setup_(std::move(setup)),
      meta_(setup_.meta),
      written_meta_(setup_.meta),
      commits_(timers, offload, *this) {}

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

// The meta in flight may cover less than the written one.
bool Journal::covers(Token token, milliseconds lease) const {
  return token < written_meta_.token_limit && lease.count() <= written_meta_.max_lease_ms &&
         (!flight_.meta || lease.count() <= flight_.meta->max_lease_ms);
}

void Journal::schedule() {
  if (meta_ != written_meta_) {
    commits_.soon();
  } else if (!changes_.empty()) {
    commits_.within(setup_.durability == Durability::kSync ? kSyncDelay : kAsyncDelay);
  }
}

void Journal::load() {
  flight_.changes = std::exchange(changes_, {});
  if (meta_ != written_meta_) flight_.meta = meta_;
}

// Restores the batch's changes, except those replaced by later ones.
void Journal::unload() {
  for (auto& [token, older] : flight_.changes) {
    const auto [newer, alone] = changes_.try_emplace(token, older);
    if (alone) continue;
    newer->second.fresh = older.fresh;
    if (older.fresh && newer->second.row == nullptr) changes_.erase(newer);
  }
  flight_ = {};
}

// All that is written is in flight_: the entries have no work of their own.
void Journal::write(std::vector<db::CommitQueue::Work>& /*works*/) { store_.write(flight_); }

void Journal::landed(const core::Error* error) {
  if (error == nullptr) {
    if (flight_.meta) written_meta_ = *flight_.meta;
    flight_ = {};
    return;
  }
  // The meta may have been written, and only the changes not.
  if (flight_.meta)
    written_meta_.max_lease_ms = std::min(written_meta_.max_lease_ms, flight_.meta->max_lease_ms);
  unload();
}

void Journal::settled() {
  setup_.settled();
  schedule();
}

std::optional<core::Error> Journal::close(std::map<Token, Change> rows, bool clean) {
  changes_.merge(rows);
  if (auto error = commits_.close()) return error;
  // Separately and last: `clean` must hold for everything written before it.
  meta_.clean = clean;
  return commits_.close();
}

}  // namespace zerosuite::lock::engines
