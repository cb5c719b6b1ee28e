#include <doctest/doctest.h>

#include <limits>

#include "support/sequences_rig.hpp"

namespace zerosuite::test::sequences_test {

using namespace std::chrono_literals;
using Rig = test::SequencesRig;

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

TEST_CASE("a sequence begins at 1, and each name has its own") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    CHECK(*rig.next("a") == 1);
    CHECK(*rig.next("a") == 2);
    CHECK(*rig.next("b") == 1);
    CHECK(*rig.batch("a", 5) == id::Range{3, 8});
    CHECK(*rig.durable("a") == 8);
    CHECK(*rig.next("a") == 9);
  }
}

TEST_CASE("with a store of one's own most values are there before they are asked for") {
  Rig rig;
  rig.next("a");
  CHECK(rig.stored("a") == 1'001);
  for (int i = 0; i < 50; ++i) CHECK(rig.start("a").ok());
  CHECK(rig.memory.reserves == 1);
}

TEST_CASE("a buffer of numbers is gone with a crash, and nothing is repeated") {
  Rig rig;
  rig.next("a");
  rig.made.reset();
  CHECK(*rig.next("a") == 1'001);
}

TEST_CASE("a clean restart leaves no gap in a sequence") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    for (int i = 0; i < 150; ++i) rig.next("a");
    rig.next("b");
    CHECK(rig.stop());
    rig.made.reset();
    CHECK(*rig.next("a") == 151);
    CHECK(*rig.next("b") == 2);
  }
}

TEST_CASE("durable numbers leave no gap when the process crashes") {
  Rig rig;
  for (std::int64_t value = 1; value <= 10; ++value) CHECK(*rig.durable("a") == value);
  rig.made.reset();
  CHECK(*rig.durable("a") == 11);
}

TEST_CASE("a durable number comes after the buffer, whose rest is not lost") {
  Rig rig;
  for (int i = 0; i < 10; ++i) rig.next("a");
  CHECK(*rig.durable("a") == 11);
  CHECK(*rig.next("a") == 12);
  CHECK(rig.stored("a") == 13);
}

TEST_CASE("a while after the last durable number there is a buffer again") {
  Rig rig;
  rig.durable("a");
  rig.pass(59s);
  rig.next("a");
  CHECK(rig.stored("a") == 3);
  rig.pass(2s);
  CHECK(*rig.next("a") == 3);
  CHECK(rig.stored("a") == 1'003);
}

TEST_CASE("nothing is buffered of a shared store") {
  Rig rig(true);
  rig.next("a");
  CHECK(rig.stored("a") == 2);
  rig.batch("a", 1'000);
  CHECK(rig.stored("a") == 1'002);
}

TEST_CASE("no caller waits for a number longer than it may") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    rig.fail(Fate::kRefused);
    const auto ann = rig.start("a");
    const auto bob = rig.start_durable("b");
    rig.pass(2001ms);
    for (const auto& waited : {ann, bob}) {
      CHECK(waited.error() == "Unavailable");
      CHECK(waited.message().find("Unavailable: the store does not answer") != std::string::npos);
      CHECK(waited.message().find("\"retry_after_ms\":") != std::string::npos);
    }
  }
}

TEST_CASE("a store that comes back in time is not noticed but for the wait") {
  Rig rig(true);
  rig.fail(Fate::kDropped);
  const auto waiting = rig.start("a");
  rig.pass(1s);
  rig.fail(Fate::kDone);
  rig.pass(900ms);
  CHECK(*waiting == 1);
}

TEST_CASE("an answer that was lost leaves a gap in a sequence, and its order holds") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    const auto first = rig.durable("a");
    rig.fail(Fate::kLost);
    const auto second = rig.durable("a");
    rig.fail(Fate::kDone);
    rig.pass(100ms);
    CHECK(*first == 1);
    CHECK(*second == 3);
  }
}

TEST_CASE("a batch is whole also where the buffer has a gap") {
  Rig rig;
  rig.next("a");
  rig.set("a", 5'000);  // an answer was lost in between
  CHECK(*rig.batch("a", 2'000) == id::Range{5'000, 7'000});
  CHECK(*rig.next("a") == 7'000);
}

TEST_CASE("a huge batch is one range") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    rig.next("a");
    CHECK(*rig.batch("a", 16'777'216) == id::Range{2, 16'777'218});
  }
}

TEST_CASE("a sequence ends before 2^63 - 1 and never starts over") {
  for (const bool shared : {false, true}) {
    CAPTURE(shared);
    Rig rig(shared);
    rig.set("a", kEnd - 5);
    CHECK(*rig.next("a") == kEnd - 5);
    CHECK(rig.batch("a", 10).error() == "RangeExhausted");
    std::int64_t last = kEnd - 5;
    for (auto answered = rig.next("a"); answered.ok(); answered = rig.next("a")) {
      CHECK(*answered > last);
      last = *answered;
    }
    CHECK(last <= kEnd - 1);
    const auto beyond = rig.next("a");
    CHECK(beyond.error() == "RangeExhausted");
    CHECK(beyond.message().find("{\"max\":9223372036854775806}") != std::string::npos);
    CHECK(rig.durable("a").error() == "RangeExhausted");
  }
}

TEST_CASE("a counter ends where its caller says, and nothing is used up by that") {
  Rig rig;
  for (std::int64_t value = 1; value <= 9; ++value) CHECK(*rig.count("day/1", 10) == value);
  CHECK(rig.count("day/1", 10).error() == "RangeExhausted");
  CHECK(*rig.count("day/1", 100) == 10);
}

TEST_CASE("a sequence's name has 1 to 128 bytes") {
  Rig rig;
  CHECK(refusal([&] { rig.next(""); }) == "InvalidArgument: name must have 1 to 128 bytes, not 0");
  CHECK(refusal([&] { rig.durable(std::string(129, 'n')); }) ==
        "InvalidArgument: name must have 1 to 128 bytes, not 129");
  CHECK(refusal([&] { rig.batch("", 1); }).substr(0, 15) == "InvalidArgument");
  CHECK(*rig.next(std::string(128, 'n')) == 1);
}

TEST_CASE("idle sequences give way when there are too many in memory, and lose nothing") {
  Rig rig;
  rig.options.max_names = 2;
  for (int round = 1; round <= 3; ++round) {
    for (const char* name : {"a", "b", "c", "d"}) CHECK(*rig.next(name) == round);
  }
}

TEST_CASE("sequences in use do not give way") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    rig.options.max_names = 1;
    rig.fail(Fate::kRefused);
    const auto waiting = rig.start("a");
    CHECK(refusal([&] { rig.start("b"); }).substr(0, 10) == "Overloaded");
    rig.fail(Fate::kDone);
    rig.pass(100ms);
    CHECK(*waiting == 1);
    CHECK(*rig.next("b") == 1);
  }
}

TEST_CASE("after a discontinuity of the clock no number comes from the buffer") {
  Rig rig;
  rig.next("a");
  rig.sequences().void_all();
  CHECK(*rig.next("a") == 1'001);
}

TEST_CASE("a discontinuity of the clock leaves no gap between durable numbers, whenever it comes") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    for (int number = 1; number < 20; ++number) {
      const auto waiting = rig.start_durable("b");
      rig.sequences().void_all();
      rig.settle();
      REQUIRE(*waiting == number);
      rig.sequences().void_all();
    }
  }
}

TEST_CASE("a stop while the buffer is being left waits for the durable number") {
  Rig rig;
  rig.next("a");
  const auto durable = rig.start_durable("a");
  CHECK(rig.stop());
  CHECK(*durable == 2);
  CHECK(rig.stored("a") == 3);
}

TEST_CASE("a stop waits for those who wait for a number") {
  Rig rig(true);
  const auto waiting = rig.start("a");
  bool stopped = false;
  rig.sequences().stop([&] { stopped = true; });
  CHECK_FALSE(stopped);
  rig.settle();
  CHECK(*waiting == 1);
  CHECK(stopped);
}

}  // namespace zerosuite::test::sequences_test
