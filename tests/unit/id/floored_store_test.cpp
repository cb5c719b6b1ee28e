#include "id/floored_store.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "support/memory_store.hpp"
#include "support/store_calls.hpp"
#include "support/temporary_folder.hpp"

namespace floored_store_test {

using namespace zerosuite;
using id::Floors, id::FlooredStore, id::Range, id::Tag;
using test::counter, test::Fate, test::name_of, test::StoreCalls, test::tag_key, test::tag_of, test::ticks;

namespace {

constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

struct Bench : test::MemoryStoreRig {
  explicit Bench(bool shared = true) {
    memory.promises.shared = shared;
    floors.begin();
  }
  FlooredStore& store() { return floored; }
  StoreCalls<Bench> ask() { return StoreCalls<Bench>(*this); }
  // What the next start would know.
  std::int64_t kept(const id::Key& key) const { return Floors(floors.path()).of(key); }

  test::TemporaryFolder folder;
  Floors floors{folder.path() / "floors"};
  FlooredStore floored{memory, floors};
};

}  // namespace

TEST_CASE("each range that is answered becomes the floor, and no refusal does") {
  Bench bench;
  auto ask = bench.ask();
  CHECK(ask.range(counter("a"), 10) == Range{1, 11});
  CHECK(bench.kept(counter("a")) == 11);
  CHECK(ask.reserve({.key = counter("a"), .count = 10, .floor = 100})->range == Range{100, 110});
  CHECK(bench.kept(counter("a")) == 110);
  CHECK(name_of(ask.reserve({.key = counter("b"), .end = 1})) == "RangeExhausted");
  CHECK(name_of(ask.reserve({.key = tag_key("t")})) == "NoSuchTag");
  CHECK(bench.floors.all().size() == 1);
  CHECK(bench.floored.regressions() == 0);
  CHECK_FALSE(bench.floored.trouble());
}

TEST_CASE("a store that forgot is held above the floor, and an alarm says what it forgot") {
  Bench bench(false);
  bench.ask().range(counter("a"), 100);
  bench.memory.shelf->set_next(counter("a"), 41);
  const auto reserved = bench.ask().reserve({.key = counter("a"), .count = 10});
  CHECK(reserved->range == Range{101, 111});  // nobody else can have had more
  CHECK(bench.memory.reserves == 2);
  CHECK(bench.floored.regressions() == 1);
  REQUIRE(bench.floored.regressed());
  CHECK(bench.floored.regressed()->name == "StoreRegressed");
  CHECK(bench.floored.regressed()->message ==
        "the store has forgotten what it gave out {\"key\":\"counter:a\",\"stored\":41,\"floor\":101}");
  CHECK_FALSE(bench.floored.trouble());
  CHECK(bench.ask().range(counter("a"), 10) == Range{111, 121});
  CHECK(bench.floored.regressions() == 1);
}

TEST_CASE("of a shared store that forgot, what others may hold is skipped too") {
  Bench bench;
  bench.ask().range(counter("a"), 100);
  bench.memory.shelf->forget();
  CHECK(bench.ask().range(counter("a"), 10) == Range{101 + 150, 101 + 160});
  CHECK(bench.memory.reserves == 3);
  CHECK(bench.kept(counter("a")) == 261);
  CHECK(bench.floored.regressed()->message.ends_with("{\"key\":\"counter:a\",\"stored\":0,\"floor\":101}"));
  CHECK(bench.ask().range(counter("a"), 10) == Range{261, 271});
  bench.memory.shelf->set_next(counter("a"), 270);
  CHECK(bench.ask().range(counter("a"), 10) == Range{271 + 150, 271 + 160});
  CHECK(bench.floored.regressions() == 2);
}

TEST_CASE("a shared store that forgot while many asked gives none of them what others may hold") {
  for (const bool late : {false, true}) {
    Bench bench;
    bench.ask().range(counter("a"), 100);
    bench.memory.works_late = late;
    std::vector<Range> ranges;
    const auto reserve = [&](std::int64_t count) {
      bench.store().reserve({.key = counter("a"), .count = count},
                            [&](auto reserved) { ranges.push_back(reserved->range); });
    };
    for (int nth = 0; nth < 5; ++nth) {
      if (nth == 2) bench.memory.shelf->forget();
      reserve(10);
    }
    bench.settle();
    REQUIRE(ranges.size() == 5);
    const std::size_t before = late ? 0 : 2;
    for (std::size_t nth = 0; nth < 5; ++nth) CHECK(ranges[nth].lo >= (nth < before ? 101 : 101 + 150));
    for (std::size_t nth = 1; nth < 5; ++nth) CHECK(ranges[nth].lo >= ranges[nth - 1].hi);
  }
}

TEST_CASE("what is skipped is known at the next start, though the store gave nothing above it yet") {
  Bench bench;
  bench.ask().range(counter("a"), 100);
  bench.memory.shelf->forget();
  bench.store().reserve({.key = counter("a"), .count = 10}, [](auto) {});
  bench.memory.fate = [](auto) { return Fate::kRefused; };
  bench.settle();
  CHECK(bench.kept(counter("a")) == 251);
}

TEST_CASE("a floor near the greatest value is not skipped beyond it") {
  Bench bench;
  CHECK(bench.ask().reserve({.key = counter("a"), .count = 10, .floor = kGreatest - 100}));
  bench.memory.shelf->forget();
  CHECK(name_of(bench.ask().reserve({.key = counter("a"), .count = 10})) == "RangeExhausted");
  CHECK(name_of(bench.ask().reserve({.key = counter("a"), .count = kGreatest})) == "RangeExhausted");
  bench.ask().range(counter("b"), 100);
  bench.memory.shelf->forget();
  constexpr std::int64_t kFifteenth = 1'229'782'938'247'303'442;  // of 2^64, and a little more
  CHECK(name_of(bench.ask().reserve({.key = counter("b"), .count = kFifteenth})) == "RangeExhausted");
}

TEST_CASE("floors of an earlier process are floors") {
  Bench bench;
  bench.floors.raise(counter("a"), 500);
  CHECK(bench.ask().range(counter("a"), 10) == Range{500 + 150, 500 + 160});
  CHECK(bench.floored.regressions() == 1);
}

TEST_CASE("others who reserve of the same key are no regression") {
  Bench bench;
  bench.ask().range(counter("a"), 10);
  REQUIRE(bench.memory.shelf->reserve({.key = counter("a"), .count = 1000}));
  CHECK(bench.ask().range(counter("a"), 10) == Range{1011, 1021});
  CHECK(bench.floored.regressions() == 0);
}

TEST_CASE("what was given back and taken lowers the floor, and it can be had again") {
  Bench bench;
  auto ask = bench.ask();
  ask.range(counter("a"), 100);
  CHECK(*ask.give_back(counter("a"), {41, 101}));
  CHECK(bench.kept(counter("a")) == 41);
  CHECK(ask.range(counter("a"), 100) == Range{41, 141});
  CHECK(bench.floored.regressions() == 0);
}

TEST_CASE("what is gathered goes back together, and only when it is let go") {
  Bench bench;
  auto ask = bench.ask();
  for (const char* name : {"a", "b"}) REQUIRE(ask.range(counter(name), 10) == Range{1, 11});
  bench.floored.gather();
  int taken = 0;
  const auto count = [&](const core::Result<bool>& result) { taken += result && *result ? 1 : 0; };
  bench.floored.give_back(counter("a"), {5, 11}, count);
  bench.floored.give_back(counter("b"), {7, 11}, count);
  bench.settle();
  CHECK(taken == 0);
  CHECK(bench.kept(counter("a")) == 11);
  bench.floored.flush();
  CHECK(bench.kept(counter("a")) == 5);
  CHECK(bench.kept(counter("b")) == 7);
  bench.settle();
  CHECK(taken == 2);
}

TEST_CASE("what was not taken back leaves the floor where it was") {
  Bench bench;
  auto ask = bench.ask();
  ask.range(counter("a"), 100);
  REQUIRE(bench.memory.shelf->reserve({.key = counter("a"), .count = 50}));
  CHECK_FALSE(*ask.give_back(counter("a"), {41, 101}));
  CHECK(bench.kept(counter("a")) == 101);
  ask.range(counter("a"), 10);
  CHECK_FALSE(*ask.give_back(counter("a"), {41, 101}));
  CHECK(bench.kept(counter("a")) == 161);
  bench.memory.fate = [](auto) { return Fate::kRefused; };
  CHECK(name_of(ask.give_back(counter("a"), {155, 161})) == "Unavailable");
  CHECK(bench.kept(counter("a")) == 161);
}

TEST_CASE("what may have been taken back lowers the floor, since the store may have fallen") {
  for (const Fate fate : {Fate::kLost, Fate::kDropped}) {
    Bench bench;
    bench.ask().range(counter("a"), 100);
    bench.memory.fate = [fate](auto) { return fate; };
    CHECK(name_of(bench.ask().give_back(counter("a"), {41, 101})) == "Indeterminate");
    CHECK(bench.kept(counter("a")) == 41);
    bench.memory.fate = [](auto) { return Fate::kDone; };
    CHECK(bench.ask().range(counter("a"), 10).lo == (fate == Fate::kLost ? 41 : 101));
    CHECK(bench.floored.regressions() == 0);
  }
}

TEST_CASE("a range reserved while another is given back is neither lost nor taken for a regression") {
  for (const bool first : {false, true}) {
    Bench bench;
    bench.memory.works_late = true;
    bench.ask().range(counter("a"), 100);
    Range range;
    const auto reserve = [&] {
      bench.store().reserve({.key = counter("a"), .count = 10},
                            [&](auto reserved) { range = reserved->range; });
    };
    if (first) reserve();
    bench.store().give_back(counter("a"), {41, 101}, [&](auto taken) { CHECK(*taken == !first); });
    if (!first) reserve();
    bench.settle();
    CHECK(range.lo == (first ? 101 : 41));
    CHECK(bench.kept(counter("a")) == range.hi);
    CHECK(bench.floored.regressions() == 0);
  }
}

TEST_CASE("a tag that is made again goes on above its floor, though the store has forgotten it") {
  Bench own(false);
  REQUIRE(own.ask().create_tag(tag_of("t")));
  own.ask().range(tag_key("t"), 100);
  own.memory.shelf->forget();
  CHECK(own.ask().create_tag(tag_of("t"))->next == 101);
  Bench bench;
  Tag tag = tag_of("t");
  tag.step = 20;
  CHECK(bench.ask().create_tag(tag)->next == 1);
  bench.ask().range(tag_key("t"), 100);
  bench.memory.shelf->forget();
  CHECK(bench.ask().create_tag(tag)->next == 101 + 15 * 20);
  CHECK(bench.ask().range(tag_key("t"), 10).lo == 401);
  REQUIRE(bench.ask().delete_tag("t"));
  tag.next = 5000;
  CHECK(bench.ask().create_tag(tag)->next == 5000);
}

TEST_CASE("a tag that was raised by hand has that floor") {
  Bench bench(false);
  REQUIRE(bench.ask().create_tag(tag_of("t")));
  CHECK(name_of(bench.ask().update_tag("none", {.floor = 500})) == "NoSuchTag");
  REQUIRE(bench.ask().update_tag("t", {.step = 3}));
  CHECK(bench.floors.all().empty());
  REQUIRE(bench.ask().update_tag("t", {.floor = 500}));
  CHECK(bench.kept(tag_key("t")) == 500);
  CHECK(bench.ask().range(tag_key("t"), 10) == Range{500, 510});
  CHECK(bench.floored.regressions() == 0);
}

TEST_CASE("all else is the store's") {
  Bench bench;
  auto ask = bench.ask();
  CHECK(bench.floored.traits().name == "memory");
  CHECK(bench.floored.traits().shared);
  REQUIRE(ask.create_tag(tag_of("t")));
  CHECK(ask.tag("t")->name == "t");
  CHECK(ask.tags()->size() == 1);
  const auto ann = test::claim_by("ann");
  const auto lease = *ask.claim(ann);
  CHECK(ask.renew(ann, lease)->epoch == lease.epoch);
  CHECK(*ask.release(ann, lease));
  CHECK(*ask.pin("p", "v") == "v");
  CHECK(*ask.pin("p", "w", id::Store::Pin::kReplace) == "w");
  bench.memory.why = core::Error{core::kUnavailable, "gone"};
  REQUIRE(bench.floored.trouble());
  CHECK(bench.floored.trouble()->message == "gone");
}

TEST_CASE("floors that cannot be written are a trouble, and ranges are given all the same") {
  Bench bench;
  std::filesystem::remove_all(bench.folder.path());
  Floors nowhere(bench.folder.path() / "floors");
  FlooredStore floored(bench.memory, nowhere);
  bench.memory.answers_at_once = true;
  int answers = 0;
  floored.reserve({.key = counter("a"), .count = 10}, [&](auto reserved) { answers += reserved ? 1 : 0; });
  CHECK(answers == 1);
  REQUIRE(floored.trouble());
  CHECK(floored.trouble()->name == "StorageError");
  CHECK(nowhere.of(counter("a")) == 11);
}

}  // namespace floored_store_test
