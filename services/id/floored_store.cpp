#include "id/floored_store.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::id {
namespace {

// So many ranges that others may hold are skipped where a store has forgotten.
constexpr std::int64_t kSkipped = 15;
constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

std::int64_t above(std::int64_t floor, std::int64_t size) {
  const std::int64_t skipped = size < kGreatest / kSkipped ? size * kSkipped : kGreatest;
  return floor < kGreatest - skipped ? floor + skipped : kGreatest;
}

}  // namespace

FlooredStore::FlooredStore(Store& store, Floors& floors) : store_(store), floors_(floors) {}

FlooredStore::Seen& FlooredStore::seen(const Key& key) {
  return seen_.try_emplace(key.text(), Seen{floors_.of(key), 0}).first->second;
}

void FlooredStore::reserve(const Ask& ask, core::Done<Reserved> done) { ask_store(ask, std::move(done)); }

void FlooredStore::ask_store(const Ask& ask, core::Done<Reserved> done) {
  Ask raised = ask;
  raised.floor = std::max(ask.floor, floors_.of(ask.key));
  store_.reserve(raised, [this, ask, expected = seen(ask.key).next,
                          done = std::move(done)](core::Result<Reserved> result) mutable {
    answered(ask, expected, std::move(result), std::move(done));
  });
}

void FlooredStore::answered(const Ask& ask, std::int64_t expected, core::Result<Reserved> result,
                            core::Done<Reserved> done) {
  if (!result) return done(std::move(result));
  Seen& seen = this->seen(ask.key);
  if (result->stored < expected) skip(ask, expected, result->stored);
  seen.next = std::max(seen.next, result->range.hi);
  // Asked before it was known that the store had forgotten.
  if (result->range.lo < seen.least) return ask_store(ask, std::move(done));
  floors_.raise(ask.key, result->range.hi);
  done(std::move(result));
}

void FlooredStore::skip(const Ask& ask, std::int64_t expected, std::int64_t stored) {
  ++regressions_;
  regressed_ = core::Error{
      core::kStoreRegressed,
      core::with_json("the store has forgotten what it gave out",
                      core::Json().add("key", ask.key.text()).add("stored", stored).add("floor", expected))};
  if (!store_.traits().shared) return;
  std::int64_t& least = seen(ask.key).least;
  least = std::max(least, above(expected, ask.count));
  floors_.raise(ask.key, least);
}

// The floor falls first: should the process end now, the store must not seem to have forgotten.
void FlooredStore::give_back(const Key& key, const Range& unused, core::Done<bool> done) {
  gathered_.push_back({key, unused, std::move(done)});
  if (!gathering_) flush();
}

void FlooredStore::flush() {
  std::vector<Unused> all = std::exchange(gathered_, {});
  if (all.empty()) return;
  for (Unused& unused : all) {
    unused.lowered = floors_.of(unused.key) == unused.range.hi;
    if (unused.lowered) floors_.lower(unused.key, unused.range.lo);
  }
  floors_.sync();
  for (Unused& unused : all) pass_back(std::move(unused));
}

void FlooredStore::pass_back(Unused unused) {
  if (unused.lowered) seen(unused.key).next = unused.range.lo;
  const Key key = unused.key;
  const Range range = unused.range;
  store_.give_back(key, range,
                   [this, key, hi = range.hi, lowered = unused.lowered,
                    done = std::move(unused.done)](core::Result<bool> taken) mutable {
                     const bool kept = taken ? !*taken : taken.error().name != core::kIndeterminate.name;
                     if (lowered && kept) {
                       floors_.raise(key, hi);
                       Seen& seen = this->seen(key);
                       seen.next = std::max(seen.next, hi);
                     }
                     done(std::move(taken));
                   });
}

void FlooredStore::create_tag(const Tag& tag, core::Done<Tag> done) {
  const Key key{Key::Kind::kTag, tag.name};
  Tag raised = tag;
  const std::int64_t floor = floors_.of(key);
  // Nobody can tell whether the store still knows of it, and of what others had of it.
  if (floor > 0) raised.next = std::max(tag.next, store_.traits().shared ? above(floor, tag.step) : floor);
  store_.create_tag(raised, std::move(done));
}

void FlooredStore::update_tag(const std::string& name, const TagChange& change, core::Done<Tag> done) {
  store_.update_tag(
      name, change,
      [this, name, floor = change.floor, done = std::move(done)](core::Result<Tag> tag) mutable {
        if (tag && floor) floors_.raise({Key::Kind::kTag, name}, *floor);
        done(std::move(tag));
      });
}

std::optional<core::Error> FlooredStore::trouble() const {
  if (auto error = store_.trouble()) return error;
  return floors_.trouble();
}

}  // namespace zerosuite::id
