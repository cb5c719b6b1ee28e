// Tags are created, changed and deleted.
#include <doctest/doctest.h>

#include <functional>

#include "support/segments_rig.hpp"

namespace zerosuite::test::segments_tags_test {

using namespace std::chrono_literals;
using Rig = test::SegmentsRig;
using Values = std::vector<std::int64_t>;

TEST_CASE("a tag is created once") {
  Rig rig;
  rig.create(small_tag("a"));
  CHECK(rig.create(small_tag("a")).error() == "TagExists");
}

TEST_CASE("a tag that was deleted has no more ids, though some were reserved") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.next("a");
  CHECK((*rig.remove("a")).next == 11);
  CHECK(rig.next("a").error() == "NoSuchTag");
}

TEST_CASE("a tag that was deleted goes on above what it had given out") {
  Rig rig;
  rig.create(small_tag("a"));
  for (int i = 0; i < 5; ++i) rig.next("a");
  const std::int64_t reserved = rig.stored("a");
  rig.remove("a");
  CHECK((*rig.create(small_tag("a"))).next == reserved);
  CHECK(*rig.next("a") == reserved);
}

TEST_CASE("those who wait for a tag are told when it is deleted") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.memory.delay = 100ms;
  const auto waiting = rig.next("a");
  CHECK_FALSE(waiting.there());
  rig.memory.delay = 0ms;
  const auto removed = rig.remove("a");
  rig.pass(100ms);
  CHECK(waiting.error() == "NoSuchTag");
  CHECK(waiting.times() == 1);
}

TEST_CASE("a deletion that certainly failed changes nothing") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.next("a");
  rig.fail("delete_tag", Fate::kRefused);
  CHECK(rig.remove("a").error() == "Unavailable");
  CHECK(*rig.next("a") == 2);
}

TEST_CASE("a deletion that may have been done leaves nothing of the tag in use") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.next("a");
  rig.fail("delete_tag", Fate::kLost);
  CHECK(rig.remove("a").error() == "Indeterminate");
  CHECK(rig.next("a").error() == "NoSuchTag");
}

TEST_CASE("a floor holds for the very next id") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.next("a");
  CHECK((*rig.update("a", {.floor = 5'000})).next == 5'000);
  CHECK(*rig.next("a") == 5'000);
  rig.update("a", {.floor = 10});
  CHECK(*rig.next("a") == 5'001);
}

TEST_CASE("a floor holds though a reserve from below it was under way") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.memory.delay = 100ms;
  const auto waiting = rig.next("a");
  rig.pass(100ms);
  rig.pass(50ms);  // the tag is known, and the reserve is done, but not answered
  const auto updated =
      test::ask<id::Tag>([&](auto done) { rig.segments().update("a", {.floor = 5'000}, std::move(done)); });
  rig.memory.delay = 0ms;
  rig.pass(200ms);
  CHECK(updated.ok());
  CHECK(*waiting <= 10);  // asked before
  CHECK(*rig.next("a") >= 5'000);
}

TEST_CASE("a change of the step leaves no gap, and one of delta is followed at once") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.next("a");
  CHECK((*rig.update("a", {.step = 50})).step == 50);
  CHECK(*rig.next("a") == 2);
  CHECK(rig.stored("a") == 52);
  rig.update("a", {.delta = 10, .remainder = 7});
  CHECK(*rig.batch("a", 3) == Values{7, 17, 27});
}

TEST_CASE("a new description voids nothing") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.next("a");
  CHECK((*rig.update("a", {.description = "orders"})).description == "orders");
  CHECK((*rig.info("a")).left == 9);
}

TEST_CASE("a change that may have been done is looked up before the next id") {
  Rig rig;
  rig.create(small_tag("a"));
  rig.next("a");
  rig.fail("update_tag", Fate::kLost);
  CHECK(rig.update("a", {.floor = 300}).error() == "Indeterminate");
  CHECK(*rig.next("a") == 300);
}

TEST_CASE("a remainder must fit the delta that the tag has") {
  Rig rig;
  auto tag = small_tag("a");
  tag.delta = 4;
  rig.create(tag);
  const auto refused = rig.update("a", {.remainder = 4});
  CHECK(refused.error() == "InvalidArgument");
  CHECK(refused.message() == "remainder must be from 0 to 3, not 4");
  CHECK((*rig.update("a", {.remainder = 3})).remainder == 3);
  CHECK(rig.update("a", {.delta = 2}).error() == "InvalidArgument");
}

TEST_CASE("what a tag cannot be is refused with its bounds") {
  Rig rig;
  const auto refused = [&](const std::function<void(id::Tag&)>& spoil) {
    auto tag = small_tag("a");
    spoil(tag);
    return refusal([&] { rig.create(tag); });
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
  CHECK(refusal([&] { rig.next(""); }).substr(0, 15) == "InvalidArgument");
  CHECK(refusal([&] { rig.batch(std::string(129, 'n'), 1); }).substr(0, 15) == "InvalidArgument");
  CHECK(refusal([&] { rig.range("", 1); }).substr(0, 15) == "InvalidArgument");
  CHECK(refusal([&] { rig.update("a", {.floor = 0}); }).substr(0, 15) == "InvalidArgument");
  CHECK(refusal([&] { rig.update("a", {.delta = 3, .remainder = 3}); }).substr(0, 15) == "InvalidArgument");
}

}  // namespace zerosuite::test::segments_tags_test
