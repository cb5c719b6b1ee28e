#include <doctest/doctest.h>

#include <random>

#include "support/segments_rig.hpp"

namespace zerosuite::test::segments_test {

using namespace std::chrono_literals;
using Rig = test::SegmentsRig;
using Values = std::vector<std::int64_t>;

TEST_CASE("a tag's ids begin at its start and are its own") {
  Rig rig;
  auto tag = small_tag("a");
  tag.next = 500;
  CHECK((*rig.create(tag)).next == 500);
  rig.create(small_tag("b"));
  CHECK(*rig.next("a") == 500);
  CHECK(*rig.next("b") == 1);
  CHECK(*rig.next("a") == 501);
  CHECK(*rig.batch("a", 3) == Values{502, 503, 504});
}

TEST_CASE("a tag that nobody created has no ids, and asking for it leaves nothing behind") {
  Rig rig;
  rig.options.max_tags = 3;
  for (int i = 0; i < 5; ++i) CHECK(rig.next("none" + std::to_string(i)).error() == "NoSuchTag");
  CHECK(rig.batch("none", 5).error() == "NoSuchTag");
  CHECK(rig.range("none", 5).error() == "NoSuchTag");
  CHECK(rig.info("none").error() == "NoSuchTag");
  CHECK(rig.update("none", {}).error() == "NoSuchTag");
  CHECK(rig.remove("none").error() == "NoSuchTag");
  rig.create(small_tag("a"));
  rig.create(small_tag("b"));
  rig.next("a");
  rig.next("b");
  rig.next("none");
  rig.next("neither");
  CHECK((*rig.info("a")).left == 9);
  CHECK((*rig.info("b")).left == 9);
}

TEST_CASE("all who ask for a tag that nobody created are told so, also those who asked meanwhile") {
  Rig rig;
  std::vector<std::string> told;
  const auto ask = [&] {
    rig.segments().next("none", [&](const core::Result<std::int64_t>& id) {
      told.push_back(id ? "an id" : id.error().name);
    });
  };
  for (int i = 0; i < 3; ++i) ask();
  rig.memory.settle_one();
  for (int i = 0; i < 3; ++i) ask();
  rig.memory.settle();
  CHECK(told == std::vector<std::string>(6, "NoSuchTag"));
}

TEST_CASE("a tag is there as soon as another process has created it") {
  Rig rig;
  CHECK(rig.next("a").error() == "NoSuchTag");
  REQUIRE(rig.memory.shelf->create_tag(small_tag("a")));
  CHECK(*rig.next("a") == 1);
}

TEST_CASE("a range holds as many ids as were asked for, and what comes after it is above") {
  Rig rig;
  auto tag = small_tag("a");
  tag.delta = 5;
  tag.remainder = 2;
  rig.create(tag);
  CHECK(*rig.range("a", 1'000) == id::Range{2, 5'002});
  CHECK(*rig.next("a") == 5'002);
  CHECK(*rig.range("a", 10) == id::Range{5'007, 5'057});
  CHECK(*rig.next("a") == 5'057);
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

TEST_CASE("a small request does not wait for a large one that the store must be asked for") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.next("a");
  rig.fail("reserve", Fate::kRefused);
  const auto large = ask<Values>([&](auto done) { rig.segments().batch("a", 5'000, std::move(done), 1); });
  CHECK(*ask<std::int64_t>([&](auto done) { rig.segments().next("a", std::move(done), 2); }) == 2);
  CHECK_FALSE(large.there());
  rig.fail("", Fate::kDone);
  rig.pass(100ms);
  CHECK((*large).front() > 2);
}

TEST_CASE("one client cannot take all the places of those who wait") {
  Rig rig;
  rig.options.buffer.wait.max_parked = 10;
  rig.create(small_tag("a"));
  rig.fail("tag", Fate::kRefused);
  const auto wait = [&](id::Client client) {
    return ask<std::int64_t>([&](auto done) { rig.segments().next("a", std::move(done), client); });
  };
  for (int i = 0; i < 9; ++i) wait(1);
  const auto refused = wait(1);
  CHECK(refused.error() == "Overloaded");
  CHECK(refused.message().find("{\"retry_after_ms\":50}") != std::string::npos);
  CHECK_FALSE(wait(2).there());
}

TEST_CASE("a range that the tag has no room for is refused whole") {
  Rig rig;
  auto tag = small_tag("a");
  tag.max = 100;
  rig.create(tag);
  const auto refused = rig.range("a", 101);
  CHECK(refused.error() == "RangeExhausted");
  CHECK(refused.message().find("{\"max\":100}") != std::string::npos);
  CHECK(*rig.range("a", 100) == id::Range{1, 101});
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

TEST_CASE("idle tags give way when there are too many in memory, and lose nothing") {
  Rig rig;
  rig.options.max_tags = 2;
  for (const char* name : {"a", "b", "c"}) rig.create(small_tag(name));
  rig.next("a");
  rig.next("b");
  rig.next("a");
  rig.next("c");
  CHECK((*rig.info("b")).left == 0);
  CHECK(rig.stored("b") == 2);
  CHECK(*rig.next("b") == 2);
}

TEST_CASE("a tag in use does not give way") {
  Rig rig;
  rig.options.max_tags = 1;
  rig.create(small_tag("a"));
  rig.create(small_tag("b"));
  rig.fail("reserve", Fate::kRefused);
  const auto waiting = rig.next("a");
  CHECK(refusal([&] { rig.next("b"); }).substr(0, 10) == "Overloaded");
  rig.fail("", Fate::kDone);
  rig.pass(100ms);
  CHECK(*waiting == 1);
  CHECK(*rig.next("b") == 1);
}

TEST_CASE("a clean restart leaves no gap") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.create(small_tag("b"));
  rig.next("a");
  rig.batch("b", 25);
  CHECK(rig.stop());
  rig.made.reset();
  CHECK(*rig.next("a") == 2);
  CHECK(*rig.next("b") == 26);
}

TEST_CASE("with nothing in use a stop is done at once") {
  Rig rig;
  CHECK(rig.stop());
}

TEST_CASE("a crash leaves a gap and repeats nothing") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.next("a");
  rig.made.reset();
  CHECK(*rig.next("a") == 11);
}

TEST_CASE("after a discontinuity of the clock the ids come from new ranges") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.next("a");
  rig.segments().void_all();
  CHECK(*rig.next("a") == 11);
}

}  // namespace zerosuite::test::segments_test
