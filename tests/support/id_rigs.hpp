// Sequences, segments and random ids over clocks that the test moves and a store in memory.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "id/clock/clock.hpp"
#include "id/random/random_ids.hpp"
#include "id/sequence/range_buffer.hpp"
#include "id/sequence/segments.hpp"
#include "id/sequence/sequences.hpp"
#include "support/memory_store.hpp"

namespace zerosuite::test {

/// 2024-01-01T00:00:00Z, where the wall clock starts.
inline constexpr std::int64_t kWallMs = 1'704'067'200'000;

/// The machine's two clocks.
class FakeClocks final : public id::Clocks {
 public:
  id::ClockReading read() const override { return now; }

  /// Time goes by.
  void pass(core::milliseconds duration) {
    step(duration);
    suspend(duration);
  }
  /// Somebody sets the wall clock, forward or back.
  void step(core::milliseconds duration) { now.wall_ns += duration.count() * 1'000'000; }
  /// Time of which the wall clock knows nothing.
  void suspend(core::milliseconds duration) { now.boot_ns += duration.count() * 1'000'000; }

  id::ClockReading now{kWallMs * 1'000'000, 5'000'000'000};
};

/// What a call came to.
template <class T>
class Answered {
 public:
  core::Done<T> done() const {
    return [result = result_](core::Result<T> answer) {
      ++result->times;
      result->answer = std::move(answer);
    };
  }

  bool there() const { return result_->answer.has_value(); }
  bool ok() const { return there() && *result_->answer; }
  /// The value; throws when there is none.
  const T& operator*() const {
    if (!there()) throw core::Failure("Unanswered", "no answer came");
    if (!ok()) throw core::Failure(result_->answer->error());
    return **result_->answer;
  }
  /// The error's name; "" when there is none, yet.
  std::string error() const { return there() && !ok() ? result_->answer->error().name : ""; }
  std::string message() const { return there() && !ok() ? result_->answer->error().text() : ""; }
  int times() const { return result_->times; }

 private:
  struct State {
    std::optional<core::Result<T>> answer;
    int times = 0;
  };
  std::shared_ptr<State> result_ = std::make_shared<State>();
};

/// ask<std::int64_t>([&](auto done) { segments.next("a", std::move(done)); })
template <class T, class Call>
Answered<T> ask(Call call) {
  Answered<T> answered;
  call(answered.done());
  return answered;
}

/// "Name: message" of what the call throws; "" when it throws nothing.
inline std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const core::Failure& failure) {
    return failure.name() + ": " + failure.what();
  }
  return "";
}

/// What a caller was dealt.
using Series = std::vector<id::Series>;

/// A buffer of the tag "t".
struct RangeBufferRig : MemoryStoreRig {
  explicit RangeBufferRig(std::int64_t step = 100) {
    REQUIRE(memory.shelf->create_tag({.name = "t", .step = step}));
  }

  id::RangeBuffer& buffer() {
    if (!made) made = std::make_shared<id::RangeBuffer>(timers, memory, key, options);
    return *made;
  }
  Answered<Series> take(std::int64_t count = 1) {
    return ask<Series>([&](auto done) { buffer().take({.count = count, .done = std::move(done)}); });
  }
  std::int64_t next() { return memory.shelf->next(key); }
  /// So many values a second for so long, in turns of `turn`. Answers how many callers had to wait.
  std::size_t use(std::int64_t per_second, core::milliseconds duration,
                  core::milliseconds turn = core::milliseconds(10)) {
    std::size_t waited = 0;
    for (core::milliseconds past{0}; past < duration; past += turn) {
      for (std::int64_t left = per_second * turn.count() / 1000; left > 0; --left)
        waited += buffer().one() || take().there() ? 0 : 1;
      timers.advance_to(timers.now() + turn);
      memory.settle();
    }
    return waited;
  }

  id::Key key{id::Key::Kind::kTag, "t"};
  id::RangeBufferOptions options;
  std::shared_ptr<id::RangeBuffer> made;
};

/// One of its values is in use.
struct UsedBufferRig : RangeBufferRig {
  explicit UsedBufferRig(std::int64_t step = 100) : RangeBufferRig(step) {
    take();
    settle();
  }
};

struct SmallUsedBufferRig : UsedBufferRig {
  SmallUsedBufferRig() : UsedBufferRig(10) {}
};

inline id::Tag small_tag(const std::string& name, std::int64_t step = 10) {
  return {.name = name, .step = step};
}

/// Every call is waited for.
struct SegmentsRig : MemoryStoreRig {
  id::Segments& segments() {
    if (!made) made.emplace(timers, memory, options);
    return *made;
  }

  template <class T, class Call>
  Answered<T> settled(Call call) {
    const auto answered = ask<T>(call);
    settle();
    return answered;
  }
  Answered<std::int64_t> next(const std::string& tag) {
    return settled<std::int64_t>([&](auto done) { segments().next(tag, std::move(done)); });
  }
  Answered<std::vector<std::int64_t>> batch(const std::string& tag, std::int64_t n) {
    return settled<std::vector<std::int64_t>>([&](auto done) { segments().batch(tag, n, std::move(done)); });
  }
  Answered<id::Range> range(const std::string& tag, std::int64_t n) {
    return settled<id::Range>([&](auto done) { segments().range(tag, n, std::move(done)); });
  }
  Answered<id::Tag> create(const id::Tag& tag) {
    return settled<id::Tag>([&](auto done) { segments().create(tag, std::move(done)); });
  }
  Answered<id::Tag> update(const std::string& tag, const id::TagChange& change) {
    return settled<id::Tag>([&](auto done) { segments().update(tag, change, std::move(done)); });
  }
  Answered<id::Tag> remove(const std::string& tag) {
    return settled<id::Tag>([&](auto done) { segments().remove(tag, std::move(done)); });
  }
  Answered<id::TagInfo> info(const std::string& tag) {
    return settled<id::TagInfo>([&](auto done) { segments().info(tag, std::move(done)); });
  }
  bool stop() {
    bool stopped = false;
    segments().stop([&] { stopped = true; });
    settle();
    return stopped;
  }
  std::int64_t stored(const std::string& tag) { return memory.shelf->next({id::Key::Kind::kTag, tag}); }
  void fail(const std::string& call, Fate fate) {
    memory.fate = [call, fate](std::string_view name) { return name == call ? fate : Fate::kDone; };
  }

  id::SegmentOptions options;
  std::optional<id::Segments> made;
};

/// A tag "a" is there.
struct TagRig : SegmentsRig {
  TagRig() { create(small_tag("a")); }
};

/// One of its ids is in use.
struct UsedTagRig : TagRig {
  UsedTagRig() { next("a"); }
};

struct SequencesRig : MemoryStoreRig {
  explicit SequencesRig(bool shared = false) { memory.promises.shared = shared; }

  id::Sequences& sequences() {
    if (!made) made.emplace(timers, memory, options);
    return *made;
  }
  Answered<std::int64_t> start(const std::string& name) {
    return ask<std::int64_t>([&](auto done) { sequences().next(name, std::move(done)); });
  }
  Answered<std::int64_t> start_durable(const std::string& name) {
    return ask<std::int64_t>([&](auto done) { sequences().durable(name, std::move(done)); });
  }
  Answered<id::Range> start_batch(const std::string& name, std::int64_t n) {
    return ask<id::Range>([&](auto done) { sequences().batch(name, n, std::move(done)); });
  }
  Answered<std::int64_t> next(const std::string& name) { return settled(start(name)); }
  Answered<std::int64_t> durable(const std::string& name) { return settled(start_durable(name)); }
  Answered<id::Range> batch(const std::string& name, std::int64_t n) { return settled(start_batch(name, n)); }
  Answered<std::int64_t> count(const std::string& name, std::int64_t end) {
    return settled(ask<std::int64_t>([&](auto done) { sequences().count(name, end, std::move(done)); }));
  }
  template <class T>
  Answered<T> settled(Answered<T> answered) {
    settle();
    return answered;
  }
  bool stop() {
    bool stopped = false;
    sequences().stop([&] { stopped = true; });
    settle();
    return stopped;
  }
  std::int64_t stored(const std::string& name) {
    return memory.shelf->next({id::Key::Kind::kCounter, "seq/" + name});
  }
  void set(const std::string& name, std::int64_t next) {
    memory.shelf->set_next({id::Key::Kind::kCounter, "seq/" + name}, next);
  }

  id::SequenceOptions options;
  std::optional<id::Sequences> made;
};

using Texts = std::vector<std::string>;

inline constexpr id::RandomKind kKinds[] = {
    id::RandomKind::kUuid4, id::RandomKind::kUuid6, id::RandomKind::kUuid7,   id::RandomKind::kUlid,
    id::RandomKind::kKsuid, id::RandomKind::kXid,   id::RandomKind::kObjectId};
/// Those that rise from one to the next.
inline constexpr id::RandomKind kRising[] = {id::RandomKind::kUuid6, id::RandomKind::kUuid7,
                                             id::RandomKind::kUlid, id::RandomKind::kKsuid};

struct RandomIdsRig {
  std::string one(id::RandomKind kind) { return ids.issue(kind, 1).front(); }

  FakeClocks clocks;
  id::IdTime time{clocks};
  core::Entropy entropy;
  id::RandomIds ids{time, entropy};
};

inline bool rises(const Texts& texts) {
  return std::adjacent_find(texts.begin(), texts.end(), std::greater_equal<>()) == texts.end();
}

inline std::size_t different(const Texts& texts) { return std::set(texts.begin(), texts.end()).size(); }

/// The number in the hexadecimal digits of a part of a text, without its hyphens.
inline std::int64_t hex(std::string text, std::size_t from, std::size_t count) {
  std::erase(text, '-');
  return std::stoll(text.substr(from, count), nullptr, 16);
}

inline std::string node_of(const std::string& uuid) { return uuid.substr(24); }

}  // namespace zerosuite::test
