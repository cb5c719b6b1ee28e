// A store in memory that does what the test says: it answers late, refuses, or does it and loses the answer.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "id/stores/store.hpp"
#include "support/fakes.hpp"
#include "support/memory_shelf.hpp"

namespace zerosuite::test {

/// What becomes of a call.
enum class Fate {
  kDone,
  kRefused,  ///< MemoryStore::refusal: nothing was done.
  kBroken,   ///< StorageError: nothing was done.
  kLost,     ///< Done, and the answer is Indeterminate.
  kDropped,  ///< Not done, and the answer is Indeterminate.
};

class MemoryStore final : public id::Store {
 public:
  /// One process's way to a shelf that others may share. When it goes, what it did not answer yet stays so.
  MemoryStore(std::shared_ptr<MemoryShelf> its_shelf, std::function<core::TimePoint()> now)
      : shelf(std::move(its_shelf)), now_(std::move(now)) {}
  explicit MemoryStore(const net::Timers& timers)
      : MemoryStore(std::make_shared<MemoryShelf>([&timers] { return timers.now(); }),
                    [&timers] { return timers.now(); }) {}

  void reserve(const id::ReserveRequest& ask, core::Done<id::Reserved> done) override {
    ++reserves;
    asks.push_back(ask);
    take("reserve", std::move(done), [this, ask]() -> core::Result<id::Reserved> {
      if (!ask.continued && !shelf->is(*id_)) return MemoryShelf::forgotten();
      return shelf->reserve(ask);
    });
  }
  void give_back(const id::Key& key, const id::Range& unused, core::Done<bool> done) override {
    take("give_back", std::move(done),
         [this, key, unused] { return core::Result<bool>(shelf->give_back(key, unused)); });
  }
  void create_tag(const id::Tag& tag, core::Done<id::Tag> done) override {
    take("create_tag", std::move(done), guarded<id::Tag>([this, tag] { return shelf->create_tag(tag); }));
  }
  void update_tag(const std::string& name, const id::TagChange& change, core::Done<id::Tag> done) override {
    take("update_tag", std::move(done),
         guarded<id::Tag>([this, name, change] { return shelf->update_tag(name, change); }));
  }
  void delete_tag(const std::string& name, core::Done<id::Tag> done) override {
    take("delete_tag", std::move(done), guarded<id::Tag>([this, name] { return shelf->delete_tag(name); }));
  }
  void tag(const std::string& name, core::Done<id::Tag> done) override {
    take("tag", std::move(done), guarded<id::Tag>([this, name] { return shelf->tag(name); }));
  }
  void tags(const id::TagPage& page, core::Done<std::vector<id::Tag>> done) override {
    take("tags", std::move(done), guarded<std::vector<id::Tag>>([this, page] {
           return core::Result<std::vector<id::Tag>>(shelf->tags(page));
         }));
  }
  void open(const id::OpenRequest& bond, core::Done<std::string> done) override {
    if (!promises.shared)
      return take("open", std::move(done), [] { return core::Result<std::string>(std::string()); });
    if (!bond.known.empty()) *id_ = bond.known;
    take("open", std::move(done), [this, bond, id = id_] {
      auto opened = shelf->open(bond);
      if (opened) *id = *opened;
      return opened;
    });
  }
  void distrust(core::Done<bool> done) override {
    take("distrust", std::move(done), [this] {
      shelf->distrust(*id_);
      return core::Result<bool>(true);
    });
  }
  void remember(const std::vector<std::pair<std::string, std::int64_t>>& floors,
                core::Done<bool> done) override {
    take("remember", std::move(done), [this, floors] {
      shelf->remember(floors);
      return core::Result<bool>(true);
    });
  }
  void look(const id::ChangesQuery& look, core::Done<id::Changes> done) override {
    take("look", std::move(done), guarded<id::Changes>([this, look] { return shelf->look(look); }));
  }
  void claim(const id::Claim& claim, core::Done<id::Lease> done) override {
    take("claim", std::move(done), [this, claim] { return shelf->claim(claim); });
  }
  void renew(const id::Claim& claim, const id::Lease& lease, core::Done<id::Lease> done) override {
    take("renew", std::move(done), [this, claim, lease] { return shelf->renew(claim, lease); });
  }
  void release(const id::Claim& claim, const id::Lease& lease, core::Done<bool> done) override {
    take("release", std::move(done),
         [this, claim, lease] { return core::Result<bool>(shelf->release(claim, lease)); });
  }
  void pin(const std::string& name, const std::string& value, Pin how,
           core::Done<std::string> done) override {
    take("pin", std::move(done),
         [this, name, value, how] { return core::Result<std::string>(shelf->pin(name, value, how)); });
  }
  id::StoreTraits traits() const override { return promises; }
  std::optional<core::Error> trouble() const override { return why; }

  /// Answers the oldest of what is due. Whether there was one.
  bool settle_one() {
    if (waiting_.empty() || waiting_.front().due > now_()) return false;
    auto answer = std::move(waiting_.front().answer);
    waiting_.pop_front();
    answer();
    return true;
  }
  /// Answers all that is due, also what comes of the answers.
  void settle() {
    while (settle_one()) continue;
  }
  std::size_t waiting() const { return waiting_.size(); }

  std::shared_ptr<MemoryShelf> shelf;
  id::StoreTraits promises{"memory", false};
  core::Error refusal{core::kUnavailable, "the store does not answer"};
  std::optional<core::Error> why;  ///< trouble()
  /// Of the next call of that name ("reserve", "give_back", …).
  std::function<Fate(std::string_view)> fate = [](std::string_view) { return Fate::kDone; };
  core::milliseconds delay{0};  ///< Answers are not due before that.
  bool works_late = false;      ///< Does what it is asked only when it answers, not when it is asked.
  std::size_t reserves = 0;
  std::vector<id::ReserveRequest> asks;

 private:
  struct Waiting {
    core::TimePoint due;
    core::MoveFunction<void()> answer;
  };

  // Refused when the shelf is not the one that was opened any more.
  template <class T, class Work>
  std::function<core::Result<T>()> guarded(Work work) {
    return [this, work]() -> core::Result<T> {
      if (!shelf->is(*id_)) return MemoryShelf::forgotten();
      return work();
    };
  }

  template <class T, class Work>
  core::Result<T> outcome(Fate its, Work& work) {
    if (its == Fate::kRefused) return refusal;
    if (its == Fate::kBroken) return core::Error{core::kStorageError, "the disk is full"};
    if (its == Fate::kDropped) return core::Error{core::kIndeterminate, "no answer came"};
    auto result = work();
    if (its == Fate::kLost) return core::Error{core::kIndeterminate, "no answer came"};
    return result;
  }

  template <class T, class Work>
  void take(std::string_view name, core::Done<T> done, Work work) {
    const Fate its = fate(name);
    const core::TimePoint due = now_() + delay;
    if (works_late) {
      waiting_.push_back(
          {due, [this, its, work, done = std::move(done)]() mutable { done(outcome<T>(its, work)); }});
    } else {
      waiting_.push_back(
          {due, [result = outcome<T>(its, work), done = std::move(done)]() mutable { done(result); }});
    }
  }

  std::function<core::TimePoint()> now_;
  const std::shared_ptr<std::string> id_ = std::make_shared<std::string>();  // as open() found it
  std::deque<Waiting> waiting_;
};

/// A store and its clock. What the suite over the seam needs of a rig is `store()`, `settle()` until all that
/// was asked is answered, and `pass(duration)`.
class MemoryStoreRig {
 public:
  MemoryStore& store() { return memory; }
  void settle() { memory.settle(); }
  void pass(core::milliseconds duration) {
    const auto end = timers.now() + duration;
    while (timers.now() < end) {
      timers.advance_to(std::min(timers.now() + core::milliseconds(1), end));
      settle();
    }
  }

  net::Timers timers{kStart};
  MemoryStore memory{timers};
};

}  // namespace zerosuite::test
