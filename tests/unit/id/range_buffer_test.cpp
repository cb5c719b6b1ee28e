#include <doctest/doctest.h>

#include <algorithm>

#include "support/id_rigs.hpp"

namespace zerosuite::test::range_buffer_test {

using All = Series;
using Rig = RangeBufferRig;

TEST_CASE_FIXTURE(Rig, "whoever finds nothing waits in line, and one reserve serves them all") {
  const auto ann = take(), bob = take(3);
  CHECK_FALSE(ann.there());
  CHECK(buffer().parked() == 2);
  settle();
  CHECK(*ann == All{{1, 1, 1}});
  CHECK(*bob == All{{2, 3, 1}});
  CHECK(memory.reserves == 1);
}

TEST_CASE_FIXTURE(SmallUsedBufferRig, "nobody gets past those who wait") {
  const auto many = take(50);
  CHECK_FALSE(buffer().one());
  const auto late = take();
  CHECK_FALSE(late.there());
  settle();
  CHECK((*many).front().first == 2);
  CHECK((*late).front().first == 52);
}

TEST_CASE_FIXTURE(Rig, "no caller waits longer than it may, and it learns why") {
  fail(Fate::kRefused);
  const auto ann = take();
  pass(1s);
  const auto bob = take();
  pass(999ms);
  CHECK_FALSE(ann.there());
  pass(2ms);
  CHECK(ann.error() == "SegmentExhausted");
  CHECK(ann.message().find("Unavailable: the store does not answer") != std::string::npos);
  CHECK(ann.message().find("{\"retry_after_ms\":") != std::string::npos);
  CHECK_FALSE(bob.there());
  pass(1s);
  CHECK(bob.error() == "SegmentExhausted");
  CHECK(bob.times() == 1);
}

TEST_CASE_FIXTURE(
    Rig, "whoever waited in vain learns all that the store said, also of a name like an object of JSON") {
  memory.refusal.message = R"(the tag 'a {"b"}' is locked {by another})";
  fail(Fate::kRefused);
  const auto ann = take();
  pass(2s);
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

TEST_CASE_FIXTURE(SmallUsedBufferRig, "a tag that somebody else changed is followed with the next range") {
  id::TagChange change;
  change.step = 50;
  change.delta = 2;
  REQUIRE(memory.shelf->update_tag("t", change));
  const auto all = take(12);
  settle();
  CHECK(*all == All{{2, 9, 1}, {12, 3, 2}});
  take(20);
  settle();
  CHECK(memory.asks.back().count == 100);
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

TEST_CASE_FIXTURE(Rig, "a range of a shared store is not used any more after a quarter of an hour") {
  memory.promises.shared = true;
  take();
  settle();
  pass(899s);
  CHECK(buffer().one() == 2);
  pass(1s);
  CHECK_FALSE(buffer().one());
  const auto fresh = take();
  settle();
  CHECK(*fresh == All{{101, 1, 1}});
}

TEST_CASE_FIXTURE(UsedBufferRig, "a range of a store that is not shared keeps") {
  pass(3600s);
  CHECK(buffer().one() == 2);
}

TEST_CASE_FIXTURE(
    UsedBufferRig,
    "what is voided is never used, not even what was being reserved, and nothing of it is given back") {
  const auto waiting = take(150);
  buffer().void_all();
  CHECK(buffer().left() == 0);
  settle();
  CHECK((*waiting).front().first > memory.asks[1].count + 100);
  CHECK(next() == (*waiting).front().first + memory.asks.back().count);
}

TEST_CASE_FIXTURE(Rig, "a buffer that is destroyed while the store is being asked drops the answer") {
  const auto waiting = take();
  made.reset();
  settle();
  CHECK_FALSE(waiting.there());
}

TEST_CASE_FIXTURE(SmallUsedBufferRig, "a change voids what is being reserved by the old rules") {
  const auto waiting = take(15);
  auto tag = *memory.shelf->update_tag("t", {.delta = 5});
  buffer().change(tag);
  settle();
  CHECK((*waiting).front().delta == 5);
}

TEST_CASE_FIXTURE(UsedBufferRig, "a tag that somebody else deleted has no ids any more once that is known") {
  REQUIRE(memory.shelf->delete_tag("t"));
  for (int i = 0; i < 10; ++i) REQUIRE(buffer().one());
  settle();
  CHECK_FALSE(buffer().one());
}

// When a buffer reserves, and how much; and what it gives back.

TEST_CASE_FIXTURE(Rig, "the first use of a tag reserves its step, and no more until most of that is used") {
  const auto first = take();
  settle();
  CHECK(*first == All{{1, 1, 1}});
  CHECK(next() == 101);
  for (int i = 0; i < 9; ++i) buffer().one();
  settle();
  CHECK(next() == 101);
  CHECK(buffer().one() == 11);
  settle();
  CHECK(next() == 201);
}

TEST_CASE_FIXTURE(UsedBufferRig, "the next range is there before the first is used up") {
  for (std::int64_t value = 2; value <= 1'000; ++value) {
    REQUIRE(buffer().one() == value);
    settle();
  }
}

TEST_CASE_FIXTURE(Rig, "an idle tag does not go on reserving") {
  use(50, 10s);
  const auto asked = memory.reserves;
  pass(3600s);
  CHECK(memory.reserves == asked);
}

TEST_CASE_FIXTURE(
    Rig, "a store that fails is asked again after a while, which grows, for as long as somebody waits") {
  options.wait.park = 60s;
  take();
  settle();
  fail(Fate::kRefused);
  const auto before = memory.reserves;
  const auto waiting = take(200);
  pass(49ms);
  CHECK(memory.reserves == before + 1);
  pass(30s);
  const auto tries = memory.reserves - before;
  CHECK(tries > 15);
  CHECK(tries < 25);
  fail(Fate::kDone);
  pass(2s);
  CHECK(waiting.ok());
}

TEST_CASE_FIXTURE(UsedBufferRig, "a refill that failed is tried again though nobody waits") {
  fail(Fate::kRefused);
  for (int i = 0; i < 20; ++i) buffer().one();
  pass(5s);
  fail(Fate::kDone);
  pass(2s);
  CHECK(buffer().left() >= 179);
}

TEST_CASE_FIXTURE(Rig,
                  "at 50 000 a second from a store that takes 200 ms nobody waits once it is under way") {
  memory.delay = 200ms;
  CHECK(use(50'000, 2s, 1ms) > 0);
  CHECK(use(50'000, 8s, 1ms) == 0);
}

TEST_CASE("at 10 000 a second ten minutes without the store go unnoticed") {
  Rig rig(1'000);
  rig.use(10'000, 60s);
  rig.fail(Fate::kRefused);
  CHECK(rig.use(10'000, 600s) == 0);
  rig.use(10'000, 200s);
  CHECK(rig.buffer().left() == 0);  // the buffer was as large as it had to be, not without bounds
}

TEST_CASE_FIXTURE(Rig, "no more is kept than the rate asks for") {
  use(1'000, 60s);
  use(10, 120s);
  CHECK(buffer().left() < 800'000);
  const auto asked = memory.reserves;
  use(10, 60s);
  CHECK(memory.reserves == asked);
}

TEST_CASE("no reserve is larger than a million, nor smaller than the step") {
  Rig rig(500);
  rig.use(50'000, 20s, 100ms);
  CHECK(std::all_of(rig.memory.asks.begin(), rig.memory.asks.end(), [](const id::ReserveRequest& ask) {
    return ask.count >= 500 && ask.count <= 1'000'000;
  }));
  CHECK(rig.memory.asks.size() > 6);
}

TEST_CASE("an exhausted tag with a little left does not ask the store with every value") {
  Rig rig(1'000);
  id::TagChange change;
  change.max = 800;
  REQUIRE(rig.memory.shelf->update_tag("t", change));
  rig.take();
  rig.settle();
  for (int i = 0; i < 500; ++i) {
    REQUIRE(rig.buffer().one());
    rig.settle();
  }
  CHECK(rig.memory.reserves == 2);
}

TEST_CASE("a clean stop gives a chain of ranges back whole") {
  Rig rig(10);
  rig.take(5);
  rig.settle();
  rig.take(7);
  rig.settle();
  REQUIRE(rig.next() > 20);
  bool stopped = false;
  rig.buffer().stop(std::make_shared<core::CompletionLatch>([&] { stopped = true; }));
  CHECK_FALSE(stopped);
  rig.settle();
  CHECK(stopped);
  CHECK(rig.next() == 13);
}

TEST_CASE("a stop waits for those who wait, and then gives back what is left") {
  Rig rig(10);
  const auto waiting = rig.take(3);
  bool stopped = false;
  rig.buffer().stop(std::make_shared<core::CompletionLatch>([&] { stopped = true; }));
  rig.settle();
  CHECK(*waiting == All{{1, 3, 1}});
  CHECK(stopped);
  CHECK(rig.next() == 4);
}

TEST_CASE_FIXTURE(Rig, "a stop ends when the last caller's time is up, though the store is away") {
  fail(Fate::kRefused);
  const auto waiting = take();
  bool stopped = false;
  buffer().stop(std::make_shared<core::CompletionLatch>([&] { stopped = true; }));
  pass(1900ms);
  CHECK_FALSE(stopped);
  pass(200ms);
  CHECK(waiting.error() == "SegmentExhausted");
  CHECK(stopped);
}

TEST_CASE_FIXTURE(SmallUsedBufferRig,
                  "what was reserved after ours stays: what is left of ours becomes a gap") {
  REQUIRE(memory.shelf->reserve({key, 5}));
  buffer().stop(nullptr);
  settle();
  CHECK(next() == 16);
}

TEST_CASE_FIXTURE(UsedBufferRig, "a stop waits for what is being reserved, and gives it back") {
  for (int i = 0; i < 12; ++i) buffer().one();
  REQUIRE(memory.waiting() == 1);
  bool stopped = false;
  buffer().stop(std::make_shared<core::CompletionLatch>([&] { stopped = true; }));
  CHECK_FALSE(stopped);
  settle();
  CHECK(stopped);
  CHECK(next() == 14);
}

TEST_CASE_FIXTURE(UsedBufferRig, "a refill that failed is not tried again after a stop") {
  fail(Fate::kRefused);
  for (int i = 0; i < 12; ++i) buffer().one();
  buffer().stop(nullptr);
  settle();
  fail(Fate::kDone);
  const auto asked = memory.reserves;
  pass(10s);
  CHECK(memory.reserves == asked);
}

}  // namespace zerosuite::test::range_buffer_test
