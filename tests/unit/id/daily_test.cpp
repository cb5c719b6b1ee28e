#include "id/sequence/daily.hpp"

#include <doctest/doctest.h>

#include "support/fake_clocks.hpp"
#include "support/id_calls.hpp"
#include "support/memory_store.hpp"

namespace zerosuite::test::daily_test {

using namespace std::chrono_literals;

struct Rig : test::MemoryStoreRig {
  Answered<std::string> next(const id::DailyRequest& ask) {
    const auto answered = test::ask<std::string>([&](auto done) { daily.next(ask, std::move(done)); });
    settle();
    return answered;
  }
  std::string refusal(const id::DailyRequest& ask) {
    return test::refusal([&] { next(ask); });
  }

  test::FakeClocks clocks;
  id::IdTime time{clocks};
  id::Sequences sequences{timers, memory, {}};
  id::Daily daily{time, sequences};
};

TEST_CASE("a daily number is the prefix, the day and a counter of fixed width") {
  Rig rig;
  CHECK(*rig.next({"INV-"}) == "INV-20240101000001");
  CHECK(*rig.next({"INV-"}) == "INV-20240101000002");
  CHECK(*rig.next({"R", 3}) == "R20240101001");
  CHECK(*rig.next({"", 18}) == "20240101000000000000000001");
}

TEST_CASE("the counter begins anew with the day") {
  Rig rig;
  rig.clocks.pass(24h - 1ms);
  CHECK(*rig.next({"a"}) == "a20240101000001");
  CHECK(*rig.next({"a"}) == "a20240101000002");
  rig.clocks.pass(1ms);
  CHECK(*rig.next({"a"}) == "a20240102000001");
}

TEST_CASE("the day is the zone's") {
  Rig rig;
  rig.clocks.pass(16h);
  CHECK(*rig.next({"a", 2, "Asia/Tokyo"}) == "a2024010201");
  CHECK(*rig.next({"b", 2, "UTC"}) == "b2024010101");
  CHECK(*rig.next({"a", 2, "America/New_York"}) == "a2024010101");
  CHECK(*rig.next({"a", 2, "UTC"}) ==
        "a2024010102");  // the text is the same day's: never the same text twice
}

TEST_CASE("a wall clock that is put back over midnight brings no day back") {
  Rig rig;
  rig.clocks.pass(24h);
  CHECK(*rig.next({"a"}) == "a20240102000001");
  rig.clocks.step(-5min);
  CHECK(*rig.next({"a"}) == "a20240102000002");
}

TEST_CASE("a zone that puts its clocks back over midnight brings no day back") {
  Rig rig;
  rig.clocks.now.wall_ns =
      1'289'097'030'000'000'000;  // 00:00:30 of 7 November 2010 there; at 00:01 it was 23:01
  id::IdTime time(rig.clocks);
  id::Daily daily(time, rig.sequences);
  const auto next = [&] {
    const auto answered = test::ask<std::string>([&](auto done) {
      daily.next({"a", 2, "America/St_Johns"}, std::move(done));
    });
    rig.settle();
    return *answered;
  };
  CHECK(next() == "a2010110701");
  rig.clocks.pass(31s);
  CHECK(next() == "a2010110702");
  rig.clocks.pass(1h);
  CHECK(next() == "a2010110703");
}

TEST_CASE("a counter never outgrows its width, and a wider one goes on from there") {
  Rig rig;
  for (int i = 0; i < 9; ++i) rig.next({"a", 1});
  const auto full = rig.next({"a", 1});
  CHECK(full.error() == "RangeExhausted");
  CHECK(full.message().find("{\"max\":9}") != std::string::npos);
  CHECK(*rig.next({"a", 2}) == "a2024010110");
}

TEST_CASE("a crash leaves no gap in a day's numbers") {
  Rig rig;
  rig.next({"a"});
  id::Sequences after(rig.timers, rig.memory, {});
  id::Daily daily(rig.time, after);
  const auto next = test::ask<std::string>([&](auto done) { daily.next({"a"}, std::move(done)); });
  rig.settle();
  CHECK(*next == "a20240101000002");
}

TEST_CASE("a sequence of the same name is another") {
  Rig rig;
  rig.next({"a"});
  const auto sequence =
      test::ask<std::int64_t>([&](auto done) { rig.sequences.next("daily/a/20240101", std::move(done)); });
  rig.settle();
  CHECK(*sequence == 1);
  CHECK(rig.memory.shelf->next({id::Key::Kind::kCounter, "daily/a/20240101"}) == 2);
}

TEST_CASE("what a daily number cannot be is refused with its bounds") {
  Rig rig;
  CHECK(rig.refusal({"a", 0}) == "InvalidArgument: width must be from 1 to 18, not 0");
  CHECK(rig.refusal({"a", 19}) == "InvalidArgument: width must be from 1 to 18, not 19");
  CHECK(rig.refusal({std::string(65, 'a')}) == "InvalidArgument: prefix must have at most 64 bytes, not 65");
  CHECK(rig.refusal({"a\nb"}) == "InvalidArgument: prefix must have no control characters");
  CHECK(rig.refusal({"a\x7f"}) == "InvalidArgument: prefix must have no control characters");
  CHECK(rig.refusal({"a", 6, "Europe/Atlantis"}).substr(0, 15) == "InvalidArgument");
  CHECK(*rig.next({std::string(64, 'a')}) == std::string(64, 'a') + "20240101000001");
  CHECK(*rig.next({"Größe "}) == "Größe 20240101000001");
}

}  // namespace zerosuite::test::daily_test
