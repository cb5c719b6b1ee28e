// When a buffer reserves, and how much; and what it gives back.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/range_buffer_rig.hpp"

namespace zerosuite::test::range_buffer_refill_test {

using namespace std::chrono_literals;
using All = test::Series;
using Rig = test::RangeBufferRig;

TEST_CASE("the first use of a tag reserves its step, and no more until most of that is used") {
  Rig rig;
  const auto first = rig.take();
  rig.settle();
  CHECK(*first == All{{1, 1, 1}});
  CHECK(rig.next() == 101);
  for (int i = 0; i < 9; ++i) rig.buffer().one();
  rig.settle();
  CHECK(rig.next() == 101);
  CHECK(rig.buffer().one() == 11);
  rig.settle();
  CHECK(rig.next() == 201);
}

TEST_CASE("the next range is there before the first is used up") {
  Rig rig;
  rig.take();
  rig.settle();
  for (std::int64_t value = 2; value <= 1'000; ++value) {
    REQUIRE(rig.buffer().one() == value);
    rig.settle();
  }
}

TEST_CASE("an idle tag does not go on reserving") {
  Rig rig;
  rig.use(50, 10s);
  const auto asked = rig.memory.reserves;
  rig.pass(3600s);
  CHECK(rig.memory.reserves == asked);
}

TEST_CASE("a store that fails is asked again after a while, which grows, for as long as somebody waits") {
  Rig rig;
  rig.options.wait.park = 60s;
  rig.take();
  rig.settle();
  rig.fail(Fate::kRefused);
  const auto before = rig.memory.reserves;
  const auto waiting = rig.take(200);
  rig.pass(49ms);
  CHECK(rig.memory.reserves == before + 1);
  rig.pass(30s);
  const auto tries = rig.memory.reserves - before;
  CHECK(tries > 15);
  CHECK(tries < 25);
  rig.fail(Fate::kDone);
  rig.pass(2s);
  CHECK(waiting.ok());
}

TEST_CASE("a refill that failed is tried again though nobody waits") {
  Rig rig;
  rig.take();
  rig.settle();
  rig.fail(Fate::kRefused);
  for (int i = 0; i < 20; ++i) rig.buffer().one();
  rig.pass(5s);
  rig.fail(Fate::kDone);
  rig.pass(2s);
  CHECK(rig.buffer().left() >= 179);
}

TEST_CASE("at 50 000 a second from a store that takes 200 ms nobody waits once it is under way") {
  Rig rig;
  rig.memory.delay = 200ms;
  CHECK(rig.use(50'000, 2s, 1ms) > 0);
  CHECK(rig.use(50'000, 8s, 1ms) == 0);
}

TEST_CASE("at 10 000 a second ten minutes without the store go unnoticed") {
  Rig rig(1'000);
  rig.use(10'000, 60s);
  rig.fail(Fate::kRefused);
  CHECK(rig.use(10'000, 600s) == 0);
  rig.use(10'000, 200s);
  CHECK(rig.buffer().left() == 0);  // the buffer was as large as it had to be, not without bounds
}

TEST_CASE("no more is kept than the rate asks for") {
  Rig rig;
  rig.use(1'000, 60s);
  rig.use(10, 120s);
  CHECK(rig.buffer().left() < 800'000);
  const auto asked = rig.memory.reserves;
  rig.use(10, 60s);
  CHECK(rig.memory.reserves == asked);
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

TEST_CASE("a stop ends when the last caller's time is up, though the store is away") {
  Rig rig;
  rig.fail(Fate::kRefused);
  const auto waiting = rig.take();
  bool stopped = false;
  rig.buffer().stop(std::make_shared<core::CompletionLatch>([&] { stopped = true; }));
  rig.pass(1900ms);
  CHECK_FALSE(stopped);
  rig.pass(200ms);
  CHECK(waiting.error() == "SegmentExhausted");
  CHECK(stopped);
}

TEST_CASE("what was reserved after ours stays: what is left of ours becomes a gap") {
  Rig rig(10);
  rig.take();
  rig.settle();
  REQUIRE(rig.memory.shelf->reserve({rig.key, 5}));
  rig.buffer().stop(nullptr);
  rig.settle();
  CHECK(rig.next() == 16);
}

TEST_CASE("a stop waits for what is being reserved, and gives it back") {
  Rig rig;
  rig.take();
  rig.settle();
  for (int i = 0; i < 12; ++i) rig.buffer().one();
  REQUIRE(rig.memory.waiting() == 1);
  bool stopped = false;
  rig.buffer().stop(std::make_shared<core::CompletionLatch>([&] { stopped = true; }));
  CHECK_FALSE(stopped);
  rig.settle();
  CHECK(stopped);
  CHECK(rig.next() == 14);
}

TEST_CASE("a refill that failed is not tried again after a stop") {
  Rig rig;
  rig.take();
  rig.settle();
  rig.fail(Fate::kRefused);
  for (int i = 0; i < 12; ++i) rig.buffer().one();
  rig.buffer().stop(nullptr);
  rig.settle();
  rig.fail(Fate::kDone);
  const auto asked = rig.memory.reserves;
  rig.pass(10s);
  CHECK(rig.memory.reserves == asked);
}

}  // namespace zerosuite::test::range_buffer_refill_test
