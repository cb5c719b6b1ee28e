#include <doctest/doctest.h>

#include "support/segments_rig.hpp"

namespace segments_test {

using namespace std::chrono_literals;
using namespace zerosuite;
using test::Fate;
using test::refusal;
using test::small_tag;
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

TEST_CASE("a range comes straight from the store and holds as many ids as were asked for") {
  Rig rig;
  auto tag = small_tag("a");
  tag.delta = 5;
  tag.remainder = 2;
  rig.create(tag);
  CHECK(*rig.range("a", 1'000) == id::Range{1, 5'001});
  CHECK(*rig.next("a") == 5'002);
  CHECK(*rig.range("a", 10) == id::Range{5'051, 5'101});
}

TEST_CASE("a range follows a delta that somebody else has just changed, and wastes nothing") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.next("a");
  REQUIRE(rig.memory.shelf->update_tag("a", {.delta = 3}));
  CHECK(*rig.range("a", 10) == id::Range{11, 41});
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

}  // namespace segments_test
