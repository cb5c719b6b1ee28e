#include <doctest/doctest.h>

#include <algorithm>

#include "support/range_buffer_rig.hpp"

namespace zerosuite::test::range_buffer_test {

using namespace std::chrono_literals;
using All = test::Series;
using Rig = test::RangeBufferRig;

TEST_CASE("whoever finds nothing waits in line, and one reserve serves them all") {
  Rig rig;
  const auto ann = rig.take(), bob = rig.take(3);
  CHECK_FALSE(ann.there());
  CHECK(rig.buffer().parked() == 2);
  rig.settle();
  CHECK(*ann == All{{1, 1, 1}});
  CHECK(*bob == All{{2, 3, 1}});
  CHECK(rig.memory.reserves == 1);
}

TEST_CASE("nobody gets past those who wait") {
  Rig rig(10);
  rig.take();
  rig.settle();
  const auto many = rig.take(50);
  CHECK_FALSE(rig.buffer().one());
  const auto late = rig.take();
  CHECK_FALSE(late.there());
  rig.settle();
  CHECK((*many).front().first == 2);
  CHECK((*late).front().first == 52);
}

TEST_CASE("no caller waits longer than it may, and it learns why") {
  Rig rig;
  rig.fail(Fate::kRefused);
  const auto ann = rig.take();
  rig.pass(1s);
  const auto bob = rig.take();
  rig.pass(999ms);
  CHECK_FALSE(ann.there());
  rig.pass(2ms);
  CHECK(ann.error() == "SegmentExhausted");
  CHECK(ann.message().find("Unavailable: the store does not answer") != std::string::npos);
  CHECK(ann.message().find("{\"retry_after_ms\":") != std::string::npos);
  CHECK_FALSE(bob.there());
  rig.pass(1s);
  CHECK(bob.error() == "SegmentExhausted");
  CHECK(bob.times() == 1);
}

TEST_CASE("whoever waited in vain learns all that the store said, also of a name like an object of JSON") {
  Rig rig;
  rig.memory.refusal.message = R"(the tag 'a {"b"}' is locked {by another})";
  rig.fail(Fate::kRefused);
  const auto ann = rig.take();
  rig.pass(2s);
  CHECK(ann.message() == R"('t': nothing came within 2000 ms; Unavailable: the tag 'a {"b"}' is locked )"
                         R"({by another} {"retry_after_ms":1600})");
}

TEST_CASE("an answer that was lost leaves a gap, and no value comes twice") {
  Rig rig(10);
  std::vector<std::int64_t> got;
  int turn = 0;
  rig.memory.fate = [&](std::string_view) { return ++turn % 3 == 0 ? Fate::kLost : Fate::kDone; };
  for (int i = 0; i < 1'000; ++i) {
    const auto value = rig.take();
    while (!value.there()) rig.pass(10ms);
    got.push_back((*value).front().first);
  }
  CHECK(std::is_sorted(got.begin(), got.end()));
  CHECK(std::adjacent_find(got.begin(), got.end()) == got.end());
  CHECK(got.back() > 1'000);
}

TEST_CASE("a batch takes what is left of one range and goes on in the next") {
  Rig rig(10);
  rig.take(5);
  rig.settle();
  REQUIRE(rig.memory.shelf->reserve({rig.key, 100}));  // somebody else's
  const auto batch = rig.take(18);
  rig.settle();
  CHECK(*batch == All{{6, 15, 1}, {121, 3, 1}});
}

TEST_CASE("only values with the tag's remainder are issued, and as many as its step are reserved") {
  Rig rig(10);
  id::TagChange change;
  change.delta = 7;
  change.remainder = 3;
  REQUIRE(rig.memory.shelf->update_tag("t", change));
  const auto batch = rig.take(4);
  rig.settle();
  CHECK(*batch == All{{3, 4, 7}});
  CHECK(rig.memory.asks.front().count == 70);
  CHECK(rig.buffer().left() == 16);  // with the range after it
  CHECK(rig.buffer().one() == 31);
}

TEST_CASE("a tag that somebody else changed is followed with the next range") {
  Rig rig(10);
  rig.take();
  rig.settle();
  id::TagChange change;
  change.step = 50;
  change.delta = 2;
  REQUIRE(rig.memory.shelf->update_tag("t", change));
  const auto all = rig.take(12);
  rig.settle();
  CHECK(*all == All{{2, 9, 1}, {12, 3, 2}});
  rig.take(20);
  rig.settle();
  CHECK(rig.memory.asks.back().count == 100);
}

TEST_CASE("a tag comes to its last value, and goes on when that is raised") {
  Rig rig(10);
  id::TagChange change;
  change.max = 12;
  REQUIRE(rig.memory.shelf->update_tag("t", change));
  for (std::int64_t value = 1; value <= 12; ++value) {
    const auto got = rig.take();
    rig.settle();
    CHECK(*got == All{{value, 1, 1}});
  }
  const auto beyond = rig.take();
  rig.settle();
  CHECK(beyond.error() == "RangeExhausted");
  change.max = 20;
  REQUIRE(rig.memory.shelf->update_tag("t", change));
  const auto again = rig.take();
  rig.settle();
  CHECK(*again == All{{13, 1, 1}});
}

TEST_CASE("a range of a shared store is not used any more after a quarter of an hour") {
  Rig rig;
  rig.memory.promises.shared = true;
  rig.take();
  rig.settle();
  rig.pass(899s);
  CHECK(rig.buffer().one() == 2);
  rig.pass(1s);
  CHECK_FALSE(rig.buffer().one());
  const auto fresh = rig.take();
  rig.settle();
  CHECK(*fresh == All{{101, 1, 1}});
}

TEST_CASE("a range of a store that is not shared keeps") {
  Rig rig;
  rig.take();
  rig.settle();
  rig.pass(3600s);
  CHECK(rig.buffer().one() == 2);
}

TEST_CASE("what is voided is never used, not even what was being reserved, and nothing of it is given back") {
  Rig rig;
  rig.take();
  rig.settle();
  const auto waiting = rig.take(150);
  rig.buffer().void_all();
  CHECK(rig.buffer().left() == 0);
  rig.settle();
  CHECK((*waiting).front().first > rig.memory.asks[1].count + 100);
  CHECK(rig.next() == (*waiting).front().first + rig.memory.asks.back().count);
}

TEST_CASE("a buffer that is destroyed while the store is being asked drops the answer") {
  Rig rig;
  const auto waiting = rig.take();
  rig.made.reset();
  rig.settle();
  CHECK_FALSE(waiting.there());
}

TEST_CASE("a change voids what is being reserved by the old rules") {
  Rig rig(10);
  rig.take();
  rig.settle();
  const auto waiting = rig.take(15);
  auto tag = *rig.memory.shelf->update_tag("t", {.delta = 5});
  rig.buffer().change(tag);
  rig.settle();
  CHECK((*waiting).front().delta == 5);
}

TEST_CASE("a tag that somebody else deleted has no ids any more once that is known") {
  Rig rig;
  rig.take();
  rig.settle();
  REQUIRE(rig.memory.shelf->delete_tag("t"));
  for (int i = 0; i < 10; ++i) REQUIRE(rig.buffer().one());
  rig.settle();
  CHECK_FALSE(rig.buffer().one());
}

}  // namespace zerosuite::test::range_buffer_test
