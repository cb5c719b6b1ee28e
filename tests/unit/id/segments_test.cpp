#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>

#include "support/id_rigs.hpp"

namespace zerosuite::test::segments_test {

using Rig = SegmentsRig;
using Values = std::vector<std::int64_t>;

TEST_CASE_FIXTURE(Rig, "a tag's ids begin at its start and are its own") {
  auto tag = small_tag("a");
  tag.next = 500;
  CHECK((*create(tag)).next == 500);
  create(small_tag("b"));
  CHECK(*next("a") == 500);
  CHECK(*next("b") == 1);
  CHECK(*next("a") == 501);
  CHECK(*batch("a", 3) == Values{502, 503, 504});
}

TEST_CASE_FIXTURE(Rig, "a tag that nobody created has no ids, and asking for it leaves nothing behind") {
  options.max_tags = 3;
  for (int i = 0; i < 5; ++i) CHECK(next("none" + std::to_string(i)).error() == "NoSuchTag");
  CHECK(batch("none", 5).error() == "NoSuchTag");
  CHECK(range("none", 5).error() == "NoSuchTag");
  CHECK(info("none").error() == "NoSuchTag");
  CHECK(update("none", {}).error() == "NoSuchTag");
  CHECK(remove("none").error() == "NoSuchTag");
  create(small_tag("a"));
  create(small_tag("b"));
  next("a");
  next("b");
  next("none");
  next("neither");
  CHECK((*info("a")).left == 9);
  CHECK((*info("b")).left == 9);
}

TEST_CASE_FIXTURE(Rig,
                  "all who ask for a tag that nobody created are told so, also those who asked meanwhile") {
  std::vector<std::string> told;
  const auto ask = [&] {
    segments().next("none", [&](const core::Result<std::int64_t>& id) {
      told.push_back(id ? "an id" : id.error().name);
    });
  };
  for (int i = 0; i < 3; ++i) ask();
  memory.settle_one();
  for (int i = 0; i < 3; ++i) ask();
  memory.settle();
  CHECK(told == std::vector<std::string>(6, "NoSuchTag"));
}

TEST_CASE_FIXTURE(Rig, "a tag is there as soon as another process has created it") {
  CHECK(next("a").error() == "NoSuchTag");
  REQUIRE(memory.shelf->create_tag(small_tag("a")));
  CHECK(*next("a") == 1);
}

TEST_CASE_FIXTURE(Rig, "a range holds as many ids as were asked for, and what comes after it is above") {
  auto tag = small_tag("a");
  tag.delta = 5;
  tag.remainder = 2;
  create(tag);
  CHECK(*range("a", 1'000) == id::Range{2, 5'002});
  CHECK(*next("a") == 5'002);
  CHECK(*range("a", 10) == id::Range{5'007, 5'057});
  CHECK(*next("a") == 5'057);
}

TEST_CASE("a range that does not fit into what is reserved leaves that out, and is in one piece") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.next("a");
  REQUIRE(rig.memory.shelf->reserve({.key = {id::Key::Kind::kTag, "a"}, .count = 100}));  // another issuer
  const auto range = *rig.range("a", 50);
  CHECK(range.lo > 100);
  CHECK(range.hi == range.lo + 50);
  CHECK(*rig.next("a") == range.hi);
}

TEST_CASE("whatever is asked of a tag, and whoever else reserves of it, each answer is above the last") {
  std::mt19937_64 random(4);
  for (const std::int64_t delta : {1, 3, 1000}) {
    Rig rig;
    auto tag = small_tag("a", 50);
    tag.delta = delta;
    rig.create(tag);
    std::int64_t last = 0;
    for (int i = 0; i < 2'000; ++i) {
      const auto n = static_cast<std::int64_t>(1 + random() % (random() % 5 == 0 ? 700 : 30));
      if (random() % 3 == 0)
        (void)rig.memory.shelf->reserve({.key = {id::Key::Kind::kTag, "a"}, .count = n * delta});
      if (random() % 3 == 0) {
        const auto range = *rig.range("a", n);
        REQUIRE(range.lo > last);
        REQUIRE(range.hi - range.lo == n * delta);
        last = range.hi - delta;
      } else if (random() % 2 == 0) {
        const auto batch = *rig.batch("a", n);
        REQUIRE(batch.front() > last);
        last = batch.back();
      } else {
        REQUIRE(*rig.next("a") > last);
        last = *rig.next("a");
      }
      REQUIRE(last % delta == 0);
    }
  }
}

TEST_CASE_FIXTURE(UsedTagRig,
                  "a small request does not wait for a large one that the store must be asked for") {
  fail("reserve", Fate::kRefused);
  const auto large = ask<Values>([&](auto done) { segments().batch("a", 5'000, std::move(done), 1); });
  CHECK(*ask<std::int64_t>([&](auto done) { segments().next("a", std::move(done), 2); }) == 2);
  CHECK_FALSE(large.there());
  fail("", Fate::kDone);
  pass(100ms);
  CHECK((*large).front() > 2);
}

TEST_CASE_FIXTURE(Rig, "one client cannot take all the places of those who wait") {
  options.buffer.wait.max_parked = 10;
  create(small_tag("a"));
  fail("tag", Fate::kRefused);
  const auto wait = [&](id::Client client) {
    return ask<std::int64_t>([&](auto done) { segments().next("a", std::move(done), client); });
  };
  for (int i = 0; i < 9; ++i) wait(1);
  const auto refused = wait(1);
  CHECK(refused.error() == "Overloaded");
  CHECK(refused.message().find("{\"retry_after_ms\":50}") != std::string::npos);
  CHECK_FALSE(wait(2).there());
}

TEST_CASE_FIXTURE(Rig, "a range that the tag has no room for is refused whole") {
  auto tag = small_tag("a");
  tag.max = 100;
  create(tag);
  const auto refused = range("a", 101);
  CHECK(refused.error() == "RangeExhausted");
  CHECK(refused.message().find("{\"max\":100}") != std::string::npos);
  CHECK(*range("a", 100) == id::Range{1, 101});
}

TEST_CASE("a tag tells what is reserved of it here") {
  Rig rig;
  rig.create(small_tag("a"));
  CHECK_FALSE((*rig.info("a")).cur);
  for (int i = 0; i < 3; ++i) rig.next("a");
  const auto info = *rig.info("a");
  CHECK(info.cur == 4);
  CHECK(info.left == 17);
  CHECK(info.ranges == 2);
  CHECK(info.next_ready());
  CHECK(info.tag.next == 21);
  CHECK(info.parked == 0);
  rig.pass(1s);
  CHECK((*rig.info("a")).rate > 0);
  rig.fail("reserve", Fate::kRefused);
  rig.batch("a", 50);
  CHECK((*rig.info("a")).parked == 1);
}

TEST_CASE_FIXTURE(Rig, "idle tags give way when there are too many in memory, and lose nothing") {
  options.max_tags = 2;
  for (const char* name : {"a", "b", "c"}) create(small_tag(name));
  next("a");
  next("b");
  next("a");
  next("c");
  CHECK((*info("b")).left == 0);
  CHECK(stored("b") == 2);
  CHECK(*next("b") == 2);
}

TEST_CASE_FIXTURE(Rig, "a tag in use does not give way") {
  options.max_tags = 1;
  create(small_tag("a"));
  create(small_tag("b"));
  fail("reserve", Fate::kRefused);
  const auto waiting = next("a");
  CHECK(refusal([&] { next("b"); }).substr(0, 10) == "Overloaded");
  fail("", Fate::kDone);
  pass(100ms);
  CHECK(*waiting == 1);
  CHECK(*next("b") == 1);
}

TEST_CASE_FIXTURE(TagRig, "a clean restart leaves no gap") {
  create(small_tag("b"));
  next("a");
  batch("b", 25);
  CHECK(stop());
  made.reset();
  CHECK(*next("a") == 2);
  CHECK(*next("b") == 26);
}

TEST_CASE_FIXTURE(Rig, "with nothing in use a stop is done at once") { CHECK(stop()); }

TEST_CASE_FIXTURE(UsedTagRig, "a crash leaves a gap and repeats nothing") {
  made.reset();
  CHECK(*next("a") == 11);
}

TEST_CASE_FIXTURE(UsedTagRig, "after a discontinuity of the clock the ids come from new ranges") {
  segments().void_all();
  CHECK(*next("a") == 11);
}

// Tags are created, changed and deleted.

TEST_CASE_FIXTURE(TagRig, "a tag is created once") { CHECK(create(small_tag("a")).error() == "TagExists"); }

TEST_CASE_FIXTURE(UsedTagRig, "a tag that was deleted has no more ids, though some were reserved") {
  CHECK((*remove("a")).next == 11);
  CHECK(next("a").error() == "NoSuchTag");
}

TEST_CASE_FIXTURE(TagRig, "a tag that was deleted goes on above what it had given out") {
  for (int i = 0; i < 5; ++i) next("a");
  const std::int64_t reserved = stored("a");
  remove("a");
  CHECK((*create(small_tag("a"))).next == reserved);
  CHECK(*next("a") == reserved);
}

TEST_CASE_FIXTURE(TagRig, "those who wait for a tag are told when it is deleted") {
  memory.delay = 100ms;
  const auto waiting = next("a");
  CHECK_FALSE(waiting.there());
  memory.delay = 0ms;
  const auto removed = remove("a");
  pass(100ms);
  CHECK(waiting.error() == "NoSuchTag");
  CHECK(waiting.times() == 1);
}

TEST_CASE_FIXTURE(UsedTagRig, "a deletion that certainly failed changes nothing") {
  fail("delete_tag", Fate::kRefused);
  CHECK(remove("a").error() == "Unavailable");
  CHECK(*next("a") == 2);
}

TEST_CASE_FIXTURE(UsedTagRig, "a deletion that may have been done leaves nothing of the tag in use") {
  fail("delete_tag", Fate::kLost);
  CHECK(remove("a").error() == "Indeterminate");
  CHECK(next("a").error() == "NoSuchTag");
}

TEST_CASE_FIXTURE(UsedTagRig, "a floor holds for the very next id") {
  CHECK((*update("a", {.floor = 5'000})).next == 5'000);
  CHECK(*next("a") == 5'000);
  update("a", {.floor = 10});
  CHECK(*next("a") == 5'001);
}

TEST_CASE_FIXTURE(TagRig, "a floor holds though a reserve from below it was under way") {
  memory.delay = 100ms;
  const auto waiting = next("a");
  pass(100ms);
  pass(50ms);  // the tag is known, and the reserve is done, but not answered
  const auto updated =
      ask<id::Tag>([&](auto done) { segments().update("a", {.floor = 5'000}, std::move(done)); });
  memory.delay = 0ms;
  pass(200ms);
  CHECK(updated.ok());
  CHECK(*waiting <= 10);  // asked before
  CHECK(*next("a") >= 5'000);
}

TEST_CASE_FIXTURE(UsedTagRig, "a change of the step leaves no gap, and one of delta is followed at once") {
  CHECK((*update("a", {.step = 50})).step == 50);
  CHECK(*next("a") == 2);
  CHECK(stored("a") == 52);
  update("a", {.delta = 10, .remainder = 7});
  CHECK(*batch("a", 3) == Values{7, 17, 27});
}

TEST_CASE_FIXTURE(UsedTagRig, "a new description voids nothing") {
  CHECK((*update("a", {.description = "orders"})).description == "orders");
  CHECK((*info("a")).left == 9);
}

TEST_CASE_FIXTURE(UsedTagRig, "a change that may have been done is looked up before the next id") {
  fail("update_tag", Fate::kLost);
  CHECK(update("a", {.floor = 300}).error() == "Indeterminate");
  CHECK(*next("a") == 300);
}

TEST_CASE_FIXTURE(Rig, "a remainder must fit the delta that the tag has") {
  auto tag = small_tag("a");
  tag.delta = 4;
  create(tag);
  const auto refused = update("a", {.remainder = 4});
  CHECK(refused.error() == "InvalidArgument");
  CHECK(refused.message() == "remainder must be from 0 to 3, not 4");
  CHECK((*update("a", {.remainder = 3})).remainder == 3);
  CHECK(update("a", {.delta = 2}).error() == "InvalidArgument");
}

TEST_CASE_FIXTURE(Rig, "what a tag cannot be is refused with its bounds") {
  const auto refused = [&](const std::function<void(id::Tag&)>& spoil) {
    auto tag = small_tag("a");
    spoil(tag);
    return refusal([&] { create(tag); });
  };
  CHECK(refused([](auto& tag) { tag.step = 0; }) == "InvalidArgument: step must be from 1 to 1000000, not 0");
  CHECK(refused([](auto& tag) { tag.step = 1'000'001; }) ==
        "InvalidArgument: step must be from 1 to 1000000, not 1000001");
  CHECK(refused([](auto& tag) { tag.delta = 0; }) ==
        "InvalidArgument: delta must be from 1 to 1000000000, not 0");
  CHECK(refused([](auto& tag) { tag.remainder = -1; }) ==
        "InvalidArgument: remainder must be from 0 to 0, not -1");
  CHECK(refused([](auto& tag) { tag.next = 0; }) ==
        "InvalidArgument: start must be from 1 to 9223372036854775806, not 0");
  CHECK(refused([](auto& tag) {
          tag.next = 10;
          tag.max = 9;
        }) == "InvalidArgument: max must be from 10 to 9223372036854775806, not 9");
  CHECK(refused([](auto& tag) { tag.description = std::string(257, 'd'); }) ==
        "InvalidArgument: desc must have at most 256 bytes, not 257");
  CHECK(refused([](auto& tag) { tag.name = std::string(200, 'n'); }) ==
        "InvalidArgument: tag must have 1 to 128 bytes, not 200");
  CHECK(refused([](auto& tag) { tag.name = ""; }) == "InvalidArgument: tag must have 1 to 128 bytes, not 0");
  CHECK(refused([](auto& tag) {
          tag.name = std::string(128, 'n');
          tag.step = 1'000'000;
          tag.max = tag.next;
        }) == "");
  CHECK(refusal([&] { next(""); }).substr(0, 15) == "InvalidArgument");
  CHECK(refusal([&] { batch(std::string(129, 'n'), 1); }).substr(0, 15) == "InvalidArgument");
  CHECK(refusal([&] { range("", 1); }).substr(0, 15) == "InvalidArgument");
  CHECK(refusal([&] { update("a", {.floor = 0}); }).substr(0, 15) == "InvalidArgument");
  CHECK(refusal([&] { update("a", {.delta = 3, .remainder = 3}); }).substr(0, 15) == "InvalidArgument");
}

// One tag, whose every id is checked.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {
    rig_.options.buffer.wait.park = 10s;
    rig_.memory.promises.shared = below(2) == 0;
    rig_.create(small_tag("a", 1 + below(20)));
  }

  void step() {
    const int what = below(20);
    if (what < 12) {
      open_.push_back(
          ask<Values>([&](auto done) { rig_.segments().batch("a", 1 + below(40), std::move(done)); }));
      if (below(3) == 0) rig_.pass(core::milliseconds(below(300)));
    } else if (what < 14) {
      rig_.fail("reserve", static_cast<Fate>(below(4)));
    } else if (what == 14) {
      rig_.memory.delay = core::milliseconds(below(200));
      rig_.memory.works_late = below(2) == 0;
    } else {
      // All is answered before the rules change, so that it is plain which ids must keep which.
      collect();
      disturb();
    }
  }

  void collect() {
    rig_.fail("", Fate::kDone);
    rig_.pass(11s);
    for (const auto& answered : open_) {
      REQUIRE(answered.there());
      if (answered.ok()) check(*answered);
    }
    open_.clear();
  }
  std::size_t used() const { return used_.size(); }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  void check(const Values& values) {
    REQUIRE(std::is_sorted(values.begin(), values.end()));
    for (const std::int64_t value : values) {
      REQUIRE(used_.insert(value).second);
      REQUIRE(value % delta_ == remainder_);
    }
  }

  void disturb() {
    switch (below(5)) {
      case 0:
        return rig_.segments().void_all();
      case 1:
        return change();
      case 2:
        rig_.segments().stop([] {});
        rig_.pass(1s);
        return rig_.made.reset();
      case 3:
        return rig_.made.reset();  // a crash
      default:
        REQUIRE(rig_.memory.shelf->reserve({{id::Key::Kind::kTag, "a"}, 1 + below(9)}));
    }
  }

  void change() {
    delta_ = 1 + below(5);
    remainder_ = below(static_cast<int>(delta_));
    const auto changed = ask<id::Tag>([&](auto done) {
      rig_.segments().update("a", {.delta = delta_, .remainder = remainder_}, std::move(done));
    });
    rig_.pass(1s);
    REQUIRE(changed.ok());
  }

  std::mt19937 random_;
  Rig rig_;
  std::set<std::int64_t> used_;
  std::vector<Answered<Values>> open_;
  std::int64_t delta_ = 1;
  std::int64_t remainder_ = 0;
};

TEST_CASE("whatever happens to store and tag, ids have the tag's remainder and none comes twice") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    World world(seed);
    for (int i = 0; i < 300; ++i) world.step();
    world.collect();
    CHECK(world.used() > 500);
  }
}

}  // namespace zerosuite::test::segments_test
