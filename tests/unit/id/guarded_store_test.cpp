#include "id/stores/guarded_store.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "support/memory_store.hpp"
#include "support/store_rigs.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::test::floored_store_test {

using id::HighWaterMarks, id::GuardedStore, id::Range, id::Tag;

struct Bench : MemoryStoreRig, StoreCalls<Bench> {
  using StoreCalls::open;

  explicit Bench(bool shared = true) {
    memory.promises.shared = shared;
    floors.begin();
  }
  // Another issuer on the same store.
  explicit Bench(const Bench& first) : Bench(first.memory.promises.shared) {
    memory.shelf = first.memory.shelf;
  }
  bool open() { return static_cast<bool>(open({.fresh = "this"})); }
  GuardedStore& store() { return floored; }
  // What the next start would know.
  std::int64_t kept(const id::Key& key) const { return HighWaterMarks(floors.path()).of(key); }

  TemporaryFolder folder;
  HighWaterMarks floors{folder.path() / "floors"};
  std::vector<std::string> told;
  GuardedStore floored{memory, floors, [this](const std::optional<core::Error>& error) {
                         told.push_back(error ? error->name : "over");
                       }};
};

TEST_CASE_FIXTURE(Bench, "each range that is answered becomes the floor, and no refusal does") {
  CHECK(range(counter("a"), 10) == Range{1, 11});
  CHECK(kept(counter("a")) == 11);
  CHECK(reserve({.key = counter("a"), .count = 10, .floor = 100})->range == Range{100, 110});
  CHECK(kept(counter("a")) == 110);
  CHECK(name_of(reserve({.key = counter("b"), .end = 1})) == "RangeExhausted");
  CHECK(name_of(reserve({.key = tag_key("t")})) == "NoSuchTag");
  CHECK(floors.after("").size() == 1);
  CHECK(floored.regressions() == 0);
  CHECK_FALSE(floored.trouble());
}

TEST_CASE("a store that forgot is held above the floor, and an alarm says what it forgot") {
  Bench bench(false);
  bench.range(counter("a"), 100);
  bench.memory.shelf->set_next(counter("a"), 41);
  const auto reserved = bench.reserve({.key = counter("a"), .count = 10});
  CHECK(reserved->range == Range{101, 111});  // nobody else can have had more
  CHECK(bench.memory.reserves == 2);
  CHECK(bench.floored.regressions() == 1);
  REQUIRE(bench.floored.regressed());
  CHECK(bench.floored.regressed()->name == "StoreRegressed");
  CHECK(bench.floored.regressed()->text() ==
        "the store has forgotten what it gave out {\"key\":\"counter:a\",\"stored\":41,\"floor\":101}");
  CHECK_FALSE(bench.floored.trouble());
  CHECK(bench.range(counter("a"), 10) == Range{111, 121});
  CHECK(bench.floored.regressions() == 1);
}

TEST_CASE_FIXTURE(Bench, "of a shared store that forgot nothing is taken, and an alarm says what it forgot") {
  range(counter("a"), 100);
  memory.shelf->forget();
  CHECK(name_of(reserve({.key = counter("a"), .count = 10})) == "StoreRegressed");
  CHECK(floored.regressed()->text().ends_with("{\"key\":\"counter:a\",\"stored\":0,\"floor\":101}"));
  CHECK(floored.regressions() == 1);
  CHECK(told == std::vector<std::string>{"StoreRegressed"});
}

TEST_CASE("a shared store that was found to have forgotten one key gives nobody anything of any") {
  Bench bench;
  REQUIRE(bench.open());
  bench.range(counter("a"), 100);
  MemoryStore other(bench.memory.shelf, [&] { return bench.timers.now(); });
  other.promises.shared = true;
  std::vector<std::string> told;
  other.open({.known = bench.floors.state()}, [&](const auto& id) { told.push_back(name_of(id)); });
  other.settle();
  bench.memory.shelf->set_next(counter("a"), 50);  // as after a fail-over that lost the last of it
  CHECK(name_of(bench.reserve({.key = counter("a")})) == "StoreRegressed");
  other.reserve({.key = counter("b")}, [&](const auto& range) { told.push_back(name_of(range)); });
  other.create_tag(tag_of("t"), [&](const auto& tag) { told.push_back(name_of(tag)); });
  other.look({}, [&](const auto& news) { told.push_back(name_of(news)); });
  other.settle();
  CHECK(told == std::vector<std::string>{"", "StoreRegressed", "StoreRegressed", "StoreRegressed"});
}

TEST_CASE("a shared store that forgot while many asked gives none of them anything that was given out") {
  for (const bool late : {false, true}) {
    Bench bench;
    REQUIRE(bench.open());
    bench.range(counter("a"), 100);
    bench.memory.works_late = late;
    std::vector<std::string> told;
    for (int nth = 0; nth < 5; ++nth) {
      if (nth == 2) bench.memory.shelf->forget();
      bench.store().reserve({.key = counter("a"), .count = 10},
                            [&](const auto& reserved) { told.push_back(name_of(reserved)); });
    }
    bench.settle();
    REQUIRE(told.size() == 5);
    for (std::size_t nth = 0; nth < 5; ++nth) CHECK(told[nth] == (nth < 2 && !late ? "" : "StoreRegressed"));
  }
}

TEST_CASE_FIXTURE(
    Bench, "ticks that nobody else can have had go on above the last, though the store has forgotten all") {
  REQUIRE(open());
  range(ticks("l/1"), 100);
  memory.shelf->forget();
  const auto more = reserve({.key = ticks("l/1"), .count = 10, .continued = true});
  REQUIRE(more);
  CHECK(more->range == Range{101, 111});
  CHECK(floored.regressed());
  CHECK(name_of(reserve({.key = ticks("l/2"), .count = 10})) == "StoreRegressed");
}

TEST_CASE_FIXTURE(Bench, "once an operator accepts it, all that any issuer knew is below what is given out") {
  REQUIRE(open());
  range(counter("a"), 100);
  REQUIRE(create_tag(tag_of("t")));
  range(tag_key("t"), 70);
  memory.shelf->forget();
  CHECK(name_of(look()) == "StoreRegressed");
  CHECK(name_of(look()) == "StoreRegressed");  // and wrote back what it knows
  CHECK(memory.shelf->next(counter("a")) == 101);
  Bench other(*this);
  other.floors.raise(counter("a"), 61);
  other.floors.raise(counter("b"), 21);
  CHECK(name_of(other.open({})) == "StoreRegressed");
  REQUIRE(other.open({.accept = true}));
  CHECK(other.range(counter("a"), 10) == Range{101, 111});
  CHECK(other.range(counter("b"), 10) == Range{21, 31});
  CHECK(other.create_tag(tag_of("t"))->next == 71);
  CHECK(look());
  CHECK_FALSE(floored.regressed());
  CHECK(told == std::vector<std::string>{"StoreRegressed", "over"});
  CHECK(range(counter("a"), 10) == Range{111, 121});
}

TEST_CASE_FIXTURE(Bench, "another store than the one that is known is not used, unless that is accepted") {
  REQUIRE(open());
  const std::string first = floors.state();
  memory.shelf->forget();
  REQUIRE(memory.shelf->open({.fresh = "another"}));
  CHECK(name_of(open({})) == "StoreRegressed");
  CHECK(floors.state() == first);
  CHECK(*open({.accept = true}) == "another");
  CHECK(HighWaterMarks(floors.path()).state() == "another");
}

TEST_CASE_FIXTURE(Bench, "a store that has gone back behind a change that was followed has forgotten") {
  REQUIRE(open());
  range(counter("a"), 100);
  const auto news = look();
  REQUIRE(news);
  CHECK(look({.followed = news->revision}));
  CHECK(name_of(look({.followed = news->revision + 1})) == "StoreRegressed");
}

TEST_CASE("floors of an earlier process are floors") {
  Bench own(false);
  own.floors.raise(counter("a"), 500);
  CHECK(own.range(counter("a"), 10) == Range{500, 510});
  CHECK(own.floored.regressions() == 1);
  Bench bench;
  bench.floors.raise(counter("a"), 500);
  CHECK(name_of(bench.reserve({.key = counter("a")})) == "StoreRegressed");
}

TEST_CASE_FIXTURE(Bench, "others who reserve of the same key are no regression") {
  range(counter("a"), 10);
  REQUIRE(memory.shelf->reserve({.key = counter("a"), .count = 1000}));
  CHECK(range(counter("a"), 10) == Range{1011, 1021});
  CHECK(floored.regressions() == 0);
}

TEST_CASE_FIXTURE(Bench, "what was given back and taken lowers the floor, and it can be had again") {
  range(counter("a"), 100);
  CHECK(*give_back(counter("a"), {41, 101}));
  CHECK(kept(counter("a")) == 41);
  CHECK(range(counter("a"), 100) == Range{41, 141});
  CHECK(floored.regressions() == 0);
}

TEST_CASE_FIXTURE(Bench, "what is gathered goes back together, and only when it is let go") {
  for (const char* name : {"a", "b"}) REQUIRE(range(counter(name), 10) == Range{1, 11});
  floored.gather();
  int taken = 0;
  const auto count = [&](const core::Result<bool>& result) { taken += result && *result ? 1 : 0; };
  floored.give_back(counter("a"), {5, 11}, count);
  floored.give_back(counter("b"), {7, 11}, count);
  settle();
  CHECK(taken == 0);
  CHECK(kept(counter("a")) == 11);
  floored.flush();
  CHECK(kept(counter("a")) == 5);
  CHECK(kept(counter("b")) == 7);
  settle();
  CHECK(taken == 2);
}

TEST_CASE_FIXTURE(Bench, "what was not taken back leaves the floor where it was") {
  range(counter("a"), 100);
  REQUIRE(memory.shelf->reserve({.key = counter("a"), .count = 50}));
  CHECK_FALSE(*give_back(counter("a"), {41, 101}));
  CHECK(kept(counter("a")) == 101);
  range(counter("a"), 10);
  CHECK_FALSE(*give_back(counter("a"), {41, 101}));
  CHECK(kept(counter("a")) == 161);
  memory.fate = [](auto) { return Fate::kRefused; };
  CHECK(name_of(give_back(counter("a"), {155, 161})) == "Unavailable");
  CHECK(kept(counter("a")) == 161);
}

TEST_CASE("what may have been taken back lowers the floor, since the store may have fallen") {
  for (const Fate fate : {Fate::kLost, Fate::kDropped}) {
    Bench bench;
    bench.range(counter("a"), 100);
    bench.memory.fate = [fate](auto) { return fate; };
    CHECK(name_of(bench.give_back(counter("a"), {41, 101})) == "Indeterminate");
    CHECK(bench.kept(counter("a")) == 41);
    bench.memory.fate = [](auto) { return Fate::kDone; };
    CHECK(bench.range(counter("a"), 10).lo == (fate == Fate::kLost ? 41 : 101));
    CHECK(bench.floored.regressions() == 0);
  }
}

TEST_CASE("a range reserved while another is given back is neither lost nor taken for a regression") {
  for (const bool first : {false, true}) {
    Bench bench;
    bench.memory.works_late = true;
    bench.range(counter("a"), 100);
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
  Bench bench(false);
  REQUIRE(bench.create_tag(tag_of("t")));
  bench.range(tag_key("t"), 100);
  bench.memory.shelf->forget();
  CHECK(bench.create_tag(tag_of("t"))->next == 101);
  REQUIRE(bench.delete_tag("t"));
  Tag tag = tag_of("t");
  tag.next = 5000;
  CHECK(bench.create_tag(tag)->next == 5000);
}

TEST_CASE("a tag that is lowered has no floor above that any more, here and at other issuers") {
  for (const bool shared : {false, true}) {
    Bench bench(shared);
    REQUIRE(bench.create_tag(tag_of("t")));
    bench.range(tag_key("t"), 100);
    REQUIRE(bench.update_tag("t", {.floor = 1'000'000}));
    bench.range(tag_key("t"), 10);
    Bench other(bench);
    if (shared) other.range(tag_key("t"), 10);  // knows the floor that was a mistake
    const auto lowered = bench.update_tag("t", {.floor = 500, .lower = true});
    REQUIRE(lowered);
    CHECK(lowered->next == 500);
    CHECK(lowered->max == 999'999);
    CHECK(bench.kept(tag_key("t")) == 500);
    CHECK(bench.range(tag_key("t"), 10) == Range{500, 510});
    if (shared) CHECK(other.range(tag_key("t"), 10) == Range{510, 520});
    CHECK(bench.floored.regressions() + other.floored.regressions() == 0);
  }
}

TEST_CASE("a tag that could not be lowered keeps its floor; one that may have been has none") {
  for (const Fate fate : {Fate::kRefused, Fate::kBroken, Fate::kLost, Fate::kDropped}) {
    Bench bench;
    REQUIRE(bench.create_tag(tag_of("t")));
    REQUIRE(bench.update_tag("t", {.floor = 1'000'000}));
    bench.memory.fate = [fate](auto) { return fate; };
    CHECK_FALSE(bench.update_tag("t", {.floor = 500, .lower = true}));
    const bool known = fate == Fate::kRefused || fate == Fate::kBroken;
    CHECK(bench.kept(tag_key("t")) == (known ? 1'000'000 : 0));
  }
}

TEST_CASE("a tag that was raised by hand has that floor") {
  Bench bench(false);
  REQUIRE(bench.create_tag(tag_of("t")));
  CHECK(name_of(bench.update_tag("none", {.floor = 500})) == "NoSuchTag");
  REQUIRE(bench.update_tag("t", {.step = 3}));
  CHECK(bench.floors.after("").empty());
  REQUIRE(bench.update_tag("t", {.floor = 500}));
  CHECK(bench.kept(tag_key("t")) == 500);
  CHECK(bench.range(tag_key("t"), 10) == Range{500, 510});
  CHECK(bench.floored.regressions() == 0);
}

TEST_CASE_FIXTURE(Bench, "all else is the store's") {
  CHECK(floored.traits().name == "memory");
  CHECK(floored.traits().shared);
  REQUIRE(create_tag(tag_of("t")));
  CHECK(tag("t")->name == "t");
  CHECK(tags()->size() == 1);
  const auto ann = claim_by("ann");
  const auto lease = *claim(ann);
  CHECK(renew(ann, lease)->epoch == lease.epoch);
  CHECK(*release(ann, lease));
  CHECK(*pin("p", "v") == "v");
  CHECK(*pin("p", "w", id::Store::Pin::kReplace) == "w");
  memory.why = core::Error{core::kUnavailable, "gone"};
  REQUIRE(floored.trouble());
  CHECK(floored.trouble()->text() == "gone");
}

TEST_CASE_FIXTURE(Bench, "floors that cannot be written are a trouble, and ranges are given all the same") {
  std::filesystem::remove_all(folder.path());
  HighWaterMarks nowhere(folder.path() / "floors");
  GuardedStore unfloored(memory, nowhere);
  int answers = 0;
  unfloored.reserve({.key = counter("a"), .count = 10}, [&](auto reserved) { answers += reserved ? 1 : 0; });
  memory.settle();
  CHECK(answers == 1);
  REQUIRE(unfloored.trouble());
  CHECK(unfloored.trouble()->name == "StorageError");
  CHECK(nowhere.of(counter("a")) == 11);
}

}  // namespace zerosuite::test::floored_store_test
