#include "id/stores/guarded_store.hpp"

#include <algorithm>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::id {
namespace {

using core::Done, core::Error, core::Result;

Key key_of(const std::string& tag) { return {Key::Kind::kTag, tag}; }

// The key, among the floors, of the number of times the tag was lowered, as far as is known here.
std::string times_lowered(const std::string& tag) { return "lowered:" + tag; }

}  // namespace

GuardedStore::GuardedStore(Store& store, HighWaterMarks& floors, Callback told)
    : store_(store), marks_(floors), told_(std::move(told)) {}

void GuardedStore::open(const OpenRequest& bond, Done<std::string> done) {
  bond_ = bond;
  bond_.known = marks_.state();
  auto opened = [this, done = std::move(done)](Result<std::string> id) mutable {
    if (id) marks_.set_state(*id);
    bond_.known = marks_.state();
    bond_.accept = false;  // applies once
    done(std::move(id));
  };
  if (!bond.accept || !traits().shared) return store_.open(bond_, std::move(opened));
  write_back("", [this, opened = std::move(opened)](const Result<bool>& written) mutable {
    if (!written) return opened(written.error());
    store_.open(bond_, std::move(opened));
  });
}

template <class T>
Done<T> GuardedStore::heeding(Done<T> done) {
  return [this, done = std::move(done)](Result<T> result) mutable {
    if (!result && result.error().name == core::kStoreRegressed.name) forgotten(result.error());
    done(std::move(result));
  };
}

void GuardedStore::reserve(const ReserveRequest& ask, Done<Reserved> done) {
  const std::int64_t floor = marks_.of(ask.key);
  ReserveRequest raised = ask;
  // A shared store that lost data is refused instead; and a tag may have been lowered by another issuer.
  if (!traits().shared || ask.continued) raised.floor = std::max(ask.floor, floor);
  store_.reserve(
      raised, heeding<Reserved>([this, ask, floor, done = std::move(done)](Result<Reserved> result) mutable {
        answered(ask, floor, std::move(result), std::move(done));
      }));
}

void GuardedStore::answered(const ReserveRequest& ask, std::int64_t expected, Result<Reserved> result,
                            Done<Reserved> done) {
  if (!result) return done(std::move(result));
  if (result->tag && !up_to_date(*result->tag)) return done(std::move(result));
  // If the floor has fallen meanwhile, this issuer lowered it.
  const std::int64_t floor = std::min(expected, marks_.of(ask.key));
  marks_.raise(ask.key, result->range.hi);
  tell_of_floors();
  if (result->stored >= floor) return done(std::move(result));
  forgotten({core::kStoreRegressed,

             "the store has forgotten what it gave out",
             core::Json().add("key", ask.key.text()).add("stored", result->stored).add("floor", floor)});
  if (!traits().shared) return done(std::move(result));
  store_.distrust([](const Result<bool>&) {});
  if (ask.continued) return done(std::move(result));
  done(*regressed_);
}

// Returns false if the tag is older than the state known here. Records that it was lowered by another issuer.
bool GuardedStore::up_to_date(const Tag& tag) {
  const std::int64_t known = marks_.of(times_lowered(tag.name));
  if (tag.lowered <= known) return tag.lowered == known;
  marks_.raise(times_lowered(tag.name), tag.lowered);
  marks_.lower(key_of(tag.name), 0);
  return true;
}

// A file that cannot be written does not stop the service, but is reported.
void GuardedStore::tell_of_floors() {
  const bool trouble = marks_.trouble().has_value();
  if (std::exchange(floors_trouble_, trouble) != trouble && told_) told_(marks_.trouble());
}

void GuardedStore::forgotten(const Error& error) {
  const bool news = !regressed_;
  regressed_ = error;
  if (!news && traits().shared) return;
  ++regressions_;
  written_back_ = false;
  if (told_) told_(error);
}

void GuardedStore::look(const ChangesQuery& look, Done<Changes> done) {
  if (!regressed_ || !traits().shared) return store_.look(look, heeding(std::move(done)));
  auto reopen = [this, done = std::move(done)](const Result<bool>& written) mutable {
    if (!written) return done(written.error());
    written_back_ = true;
    store_.open(bond_, [this, done = std::move(done)](const Result<std::string>& id) mutable {
      if (!id) return done(id.error());
      regressed_.reset();
      if (told_) told_(std::nullopt);
      store_.look({}, heeding(std::move(done)));
    });
  };
  written_back_ ? reopen(true) : write_back("", std::move(reopen));
}

// All floors, a few hundred at a time.
void GuardedStore::write_back(const std::string& after, Done<bool> done) {
  std::vector<HighWaterMarks::Mark> floors = marks_.after(after);
  if (floors.empty()) return done(true);
  const std::string last = floors.back().first;
  std::erase_if(floors,
                [](const HighWaterMarks::Mark& floor) { return floor.first.starts_with(times_lowered("")); });
  store_.remember(floors, [this, last, done = std::move(done)](const Result<bool>& written) mutable {
    written ? write_back(last, std::move(done)) : done(written.error());
  });
}

// The floor falls first: if the process ends in between, the store must not appear to have lost data.
void GuardedStore::give_back(const Key& key, const Range& unused, Done<bool> done) {
  gathered_.push_back({key, unused, std::move(done)});
  if (!gathering_) flush();
}

void GuardedStore::flush() {
  std::vector<Unused> all = std::exchange(gathered_, {});
  if (all.empty()) return;
  for (Unused& unused : all) {
    unused.lowered = marks_.of(unused.key) == unused.range.hi;
    if (unused.lowered) marks_.lower(unused.key, unused.range.lo);
  }
  marks_.sync();
  for (Unused& unused : all) pass_back(std::move(unused));
}

void GuardedStore::pass_back(Unused unused) {
  const Key key = unused.key;
  const Range range = unused.range;
  store_.give_back(key, range,
                   [this, key, hi = range.hi, lowered = unused.lowered,
                    done = std::move(unused.done)](Result<bool> taken) mutable {
                     const bool kept = taken ? !*taken : taken.error().name != core::kIndeterminate.name;
                     if (lowered && kept) marks_.raise(key, hi);
                     done(std::move(taken));
                   });
}

void GuardedStore::create_tag(const Tag& tag, Done<Tag> done) {
  Tag raised = tag;
  raised.next = std::max(tag.next, marks_.of(key_of(tag.name)));
  store_.create_tag(raised, heeding(std::move(done)));
}

void GuardedStore::delete_tag(const std::string& name, Done<Tag> done) {
  store_.delete_tag(name, heeding(std::move(done)));
}

void GuardedStore::tags(const TagPage& page, Done<std::vector<Tag>> done) {
  store_.tags(page, heeding(std::move(done)));
}

void GuardedStore::tag(const std::string& name, Done<Tag> done) {
  store_.tag(name, heeding<Tag>([this, done = std::move(done)](Result<Tag> tag) mutable {
               if (tag) up_to_date(*tag);
               done(std::move(tag));
             }));
}

// As with give_back(): if the next value is to be lowered, the floor falls first.
void GuardedStore::update_tag(const std::string& name, const TagChange& change, Done<Tag> done) {
  const std::int64_t before = marks_.of(key_of(name));
  if (change.lower) {
    marks_.lower(key_of(name), 0);
    marks_.sync();
  }
  store_.update_tag(
      name, change,
      heeding<Tag>([this, name, change, before, done = std::move(done)](Result<Tag> tag) mutable {
        if (change.lower) {
          lowered(name, before, tag);
        } else if (tag && change.floor) {
          marks_.raise(key_of(name), *change.floor);
        }
        done(std::move(tag));
      }));
}

void GuardedStore::lowered(const std::string& name, std::int64_t before, const Result<Tag>& tag) {
  if (tag) {
    marks_.raise(times_lowered(name), tag->lowered);
    marks_.lower(key_of(name), tag->next);
  } else if (tag.error().name != core::kIndeterminate.name) {
    marks_.raise(key_of(name), before);
  }
}

std::optional<Error> GuardedStore::trouble() const {
  if (auto error = store_.trouble()) return error;
  return marks_.trouble();
}

}  // namespace zerosuite::id
