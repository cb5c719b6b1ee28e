#include "lock/engines/embedded.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>

namespace zerosuite::lock::engines {
namespace {

using core::milliseconds;

constexpr std::int64_t kTokensPerMillisecond = 1024;
constexpr Token kLastWallToken = Token{1} << 52;  // beyond it the wall clock is not trusted

// Above every token issued before: those of this folder and, if the clock is right, of a deleted folder.
Token first_token(Token limit, std::int64_t wall_ms) {
  const bool believed = wall_ms > 0 && wall_ms < kLastWallToken / kTokensPerMillisecond;
  return std::max(limit, believed ? wall_ms * kTokensPerMillisecond : 0) + 1;
}

std::string_view text_of(Durability durability) {
  switch (durability) {
    case Durability::kSync:
      return "sync";
    case Durability::kAsync:
      return "async";
    case Durability::kNone:
      break;
  }
  return "none";
}

}  // namespace

Embedded::Embedded(net::Timers& timers, net::Offload& offload, const EmbeddedOptions& options)
    : timers_(timers),
      durability_(options.durability),
      notice_(options.notice ? options.notice : [](const Notice&) {}),
      store_(options.folder),
      recovered_(timers.now()),
      journal_(
          timers, offload, store_,
          {.durability = options.durability, .meta = start(options), .settled = [this] { order_.settle(); }}),
      order_(journal_.commits()),
      notifier_(timers),
      recovery_(timers,
                [this, recovers = recovered_ > timers.now()] {
                  recovered();
                  if (recovers) notice_({Notice::What::kRecovered});
                }),
      lapse_(timers, [this] { forget_leases(); }) {
  journal_.commits().on_change([this](const std::optional<core::Error>& trouble) {
    notice_(trouble ? Notice{Notice::What::kTrouble, trouble->message} : Notice{Notice::What::kMended});
  });
  for (const Token token : given_back_) journal_.drop(token);
  recovery_.at(recovered_);
}

// Takes over what the previous process left. While some of its holders may be unknown, the folder keeps
// saying so, even after another crash or a clean stop.
Meta Embedded::start(const EmbeddedOptions& options) {
  const Recovered legacy = store_.take_recovered();
  Meta meta = legacy.meta.value_or(Meta{});
  const bool whole = legacy.log == db::LogState::kWhole;
  const bool all_known = whole && (meta.clean || meta.durability == Durability::kSync);
  const bool restored = whole || legacy.log == db::LogState::kLastTorn;
  if (restored) restore(legacy.rows);
  if (!whole) warn(legacy.log, meta);
  if (all_known) {
    meta.max_lease_ms = kept_.longest_lease(timers_.now()).count();
  } else {
    recovered_ = lease_end(timers_.now(), milliseconds(meta.max_lease_ms));
  }
  next_token_ = first_token(meta.token_limit, options.wall_ms);
  meta.token_limit = next_token_ + kTokenBlock;
  meta.durability = all_known ? options.durability : Durability::kAsync;
  meta.clean = false;
  epoch_ = ++meta.epoch;
  store_.begin(meta, !restored || options.durability == Durability::kNone);
  return meta;
}

void Embedded::restore(const std::map<Token, Row>& rows) {
  for (const auto& [token, row] : rows) {
    if (row->count == 0) {
      given_back_.push_back(token);
    } else {
      kept_.add({.token = token, .spec = row, .ends = lease_end(timers_.now(), row->lease)});
    }
  }
}

void Embedded::warn(db::LogState log, const Meta& meta) {
  std::string found;
  switch (log) {
    case db::LogState::kWhole:
      return;
    case db::LogState::kMissing:
      found = "the log of the locks is gone though the last stop was a crash, so no hold is restored";
      break;
    case db::LogState::kLastTorn:
      found = "the last commit in the log of the locks cannot be read";
      break;
    case db::LogState::kDamaged:
      found = "the log of the locks is damaged or cut off, so no hold is restored";
      break;
  }
  warnings_.push_back(found + "; nothing is granted for " + std::to_string(meta.max_lease_ms) + " ms");
}

void Embedded::recovered() {
  journal_.set_durability(durability_);
  forget_leases();
}

// Lowers the recorded maximum lease, so that after a crash others wait no longer than the holds can last.
void Embedded::forget_leases() {
  if (recovering() > milliseconds(0)) return;  // some are not known
  const milliseconds longest = kept_.longest_lease(timers_.now());
  journal_.shorten(longest);
  if (const auto next = kept_.shorter_at(); next != core::TimePoint::max() && next > timers_.now())
    lapse_.at(next);
}

Outcome<std::optional<Grant>> Embedded::acquire(const LockSpec& spec,
                                                core::Done<std::optional<Grant>>& done) {
  const db::CommitQueue::Number turn = order_.of(spec.names);
  if (turn == 0) return conclude(spec, done);
  const HoldTable::Way way = kept_.way(spec, timers_.now());
  if (!refusal() && way != HoldTable::Way::kTaken) return grant(spec, way, done);
  // Tried again at its turn: the conflicting hold may be gone by then, and there was no watch for it.
  order_.wait(turn, spec.names,
              {.done = [this, spec, done = std::move(done)](const core::Error* error) mutable {
                if (error != nullptr) return done(*error);
                if (auto outcome = conclude(spec, done)) done(*std::move(outcome));
              }});
  return std::nullopt;
}

Outcome<std::optional<Grant>> Embedded::conclude(const LockSpec& spec,
                                                 core::Done<std::optional<Grant>>& done) {
  if (auto error = refusal()) return *std::move(error);
  const HoldTable::Way way = kept_.way(spec, timers_.now());
  if (way == HoldTable::Way::kTaken) return std::optional<Grant>();
  return grant(spec, way, done);
}

Outcome<std::optional<Grant>> Embedded::grant(const LockSpec& spec, HoldTable::Way way,
                                              core::Done<std::optional<Grant>>& done) {
  if (way == HoldTable::Way::kLapsed) {
    while (const StoredHold* kept = kept_.lapsed(spec.names, timers_.now())) end(*kept, Ending::kTaken);
  }
  const Token token = next_token_++;
  journal_.reserve(token, spec.lease);
  const db::CommitQueue::Number batch =
      must_wait(token, spec) ? journal_.commits().gathering() : order_.of(spec.names);
  const Row row = std::make_shared<const LockSpec>(spec);
  kept_.add({.token = token, .spec = row, .unanswered = 1});
  journal_.add(token, row);
  if (batch == 0) return granted(token);
  order_.wait(batch, spec.names,
              {.undo =
                   [this, token] {
                     if (const StoredHold* kept = kept_.find(token)) end(*kept, Ending::kReleased);
                   },
               .done =
                   [this, token, done = std::move(done)](const core::Error* error) mutable {
                     if (error != nullptr) return done(*error);
                     done(granted(token));
                   }});
  return std::nullopt;
}

std::optional<Grant> Embedded::granted(Token token) {
  const StoredHold* kept = kept_.find(token);
  if (kept == nullptr) return std::nullopt;  // taken by another before it was given
  begin_lease(*kept);
  return Grant{token, kept->spec->lease};
}

Outcome<bool> Embedded::amend(Token token, const LockSpec& spec, core::Done<bool>& done) {
  const db::CommitQueue::Number turn = order_.of(spec.names);
  const StoredHold* kept = kept_.find(token);
  if (kept == nullptr || journal_.commits().trouble()) {
    core::Result<bool> refused = kept == nullptr ? core::Result<bool>(false) : *journal_.commits().trouble();
    if (turn == 0) return refused;
    order_.wait(turn, spec.names, std::move(refused), done);
    return std::nullopt;
  }
  const Row before = kept->spec;
  journal_.reserve(token, spec.lease);
  const db::CommitQueue::Number batch = must_wait(*kept, spec) ? journal_.commits().gathering() : turn;
  StoredHold after = *kept;
  ++after.unanswered;
  if (spec != *before) {
    after.spec = std::make_shared<const LockSpec>(spec);
    journal_.change(token, after.spec);
  }
  kept_.replace(std::move(after), timers_.now());
  if (spec.mode != before->mode) {
    for (const std::string& name : spec.names) notifier_.free(name);
  }
  if (batch == 0) return amended(token);
  order_.wait(batch, spec.names,
              {.undo = [this, token, before] { restore(token, before); },
               .done =
                   [this, token, done = std::move(done)](const core::Error* error) mutable {
                     if (error != nullptr) return done(*error);
                     done(amended(token));
                   }});
  return std::nullopt;
}

bool Embedded::amended(Token token) {
  const StoredHold* kept = kept_.find(token);
  if (kept == nullptr) return false;
  begin_lease(*kept);
  return true;
}

void Embedded::begin_lease(StoredHold kept) {
  --kept.unanswered;
  kept.ends = lease_end(timers_.now(), kept.spec->lease);
  kept_.replace(std::move(kept), timers_.now());
}

void Embedded::restore(Token token, const Row& before) {
  const StoredHold* kept = kept_.find(token);
  if (kept == nullptr) return;
  kept_.replace({.token = token, .spec = before, .ends = kept->ends, .unanswered = kept->unanswered - 1},
                timers_.now());
  journal_.change(token, before);
}

Outcome<bool> Embedded::release(Token token, Ending ending, core::Done<bool>& done) {
  const StoredHold* kept = kept_.find(token);
  const bool found = kept != nullptr;
  const Row spec = found ? kept->spec : std::make_shared<const LockSpec>();
  if (found) end(*kept, ending);
  // The names of an unknown hold are not known either, so it completes after all others.
  const db::CommitQueue::Number turn = found ? order_.of(spec->names) : journal_.commits().awaited();
  if (turn == 0) return found;
  order_.wait(turn, spec->names, core::Result<bool>(found), done);
  return std::nullopt;
}

void Embedded::watch_free(const std::string& name, std::function<void()> freed) {
  notifier_.add(name, kept_.first_lapse(name, timers_.now()), std::move(freed));
}

std::vector<RecoveredHold> Embedded::holds() const {
  std::vector<RecoveredHold> found;
  for (const StoredHold* kept : kept_.all()) {
    if (!kept->passed(timers_.now())) found.push_back(held(*kept));
  }
  return found;
}

milliseconds Embedded::recovering() const {
  return std::chrono::ceil<milliseconds>(std::max(recovered_, timers_.now()) - timers_.now());
}

Capabilities Embedded::capabilities() const {
  return {.epoch = epoch_,
          .engine = "embedded",
          .durability = std::string(text_of(durability_)),
          .fair = "strict",
          .exclusion = "one process and its log",
          .clock = "the broker's steady clock",
          .fencing = true,
          .context = true,
          .semaphores = true,
          .atomic_sets = true,
          .indefinite = durability_ == Durability::kSync,
          .survives_restart = true};
}

std::optional<core::Error> Embedded::close() {
  std::map<Token, Change> rows;
  if (durability_ == Durability::kNone) {
    for (const StoredHold* kept : kept_.all()) rows.emplace(kept->token, Change{kept->spec, true});
  }
  return journal_.close(std::move(rows), recovering() == milliseconds(0));
}

std::optional<core::Error> Embedded::refusal() const {
  if (const auto& trouble = journal_.commits().trouble()) return *trouble;
  if (const milliseconds left = recovering(); left > milliseconds(0)) return lock::recovering(left);
  return std::nullopt;
}

bool Embedded::must_wait(Token token, const LockSpec& spec) const {
  // Otherwise a crash would restore the hold that was taken away instead of this one.
  return durability_ == Durability::kSync || !journal_.covers(token, spec.lease) || order_.taken(spec.names);
}

// A lease that ends earlier need not be on the disk. A lower count must be, with the record of the release,
// or the release would be done again.
bool Embedded::must_wait(const StoredHold& kept, const LockSpec& after) const {
  if (!journal_.covers(kept.token, after.lease)) return true;
  const LockSpec& before = *kept.spec;
  return durability_ == Durability::kSync &&
         (after.lease > before.lease || after.count != before.count || after.mode != before.mode ||
          after.confirm != before.confirm || after.records != before.records);
}

void Embedded::end(const StoredHold& kept, Ending ending) {
  const Row spec = kept.spec;
  const bool to_write = journal_.drop(kept.token);
  const bool marked = to_write && ending == Ending::kTaken && durability_ == Durability::kAsync;
  kept_.remove(kept.token, timers_.now());
  forget_leases();
  for (const std::string& name : spec->names) {
    if (marked) order_.note_taken(name);
    notifier_.free(name);
  }
}

RecoveredHold Embedded::held(const StoredHold& kept) const {
  return {*kept.spec, kept.token, kept.remaining(timers_.now())};
}
}  // namespace zerosuite::lock::engines
