#include "id/sequence/daily.hpp"

#include <doctest/doctest.h>

#include "id/clock/zone.hpp"
#include "support/id_rigs.hpp"
#include "support/memory_store.hpp"

namespace zerosuite::test::daily_test {

using zerosuite::id::Zone;

struct Rig : MemoryStoreRig {
  Answered<std::string> next(const id::DailyRequest& ask) {
    const auto answered = test::ask<std::string>([&](auto done) { daily.next(ask, std::move(done)); });
    settle();
    return answered;
  }
  std::string refusal(const id::DailyRequest& ask) {
    return test::refusal([&] { next(ask); });
  }

  FakeClocks clocks;
  id::IdTime time{clocks};
  id::Sequences sequences{timers, memory, {}};
  id::Daily daily{time, sequences};
};

TEST_CASE_FIXTURE(Rig, "a daily number is the prefix, the day and a counter of fixed width") {
  CHECK(*next({"INV-"}) == "INV-20240101000001");
  CHECK(*next({"INV-"}) == "INV-20240101000002");
  CHECK(*next({"R", 3}) == "R20240101001");
  CHECK(*next({"", 18}) == "20240101000000000000000001");
}

TEST_CASE_FIXTURE(Rig, "the counter begins anew with the day") {
  clocks.pass(24h - 1ms);
  CHECK(*next({"a"}) == "a20240101000001");
  CHECK(*next({"a"}) == "a20240101000002");
  clocks.pass(1ms);
  CHECK(*next({"a"}) == "a20240102000001");
}

TEST_CASE_FIXTURE(Rig, "the day is the zone's") {
  clocks.pass(16h);
  CHECK(*next({"a", 2, "Asia/Tokyo"}) == "a2024010201");
  CHECK(*next({"b", 2, "UTC"}) == "b2024010101");
  CHECK(*next({"a", 2, "America/New_York"}) == "a2024010101");
  CHECK(*next({"a", 2, "UTC"}) == "a2024010102");  // the text is the same day's: never the same text twice
}

TEST_CASE_FIXTURE(Rig, "a wall clock that is put back over midnight brings no day back") {
  clocks.pass(24h);
  CHECK(*next({"a"}) == "a20240102000001");
  clocks.step(-5min);
  CHECK(*next({"a"}) == "a20240102000002");
}

TEST_CASE_FIXTURE(Rig, "a zone that puts its clocks back over midnight brings no day back") {
  clocks.now.wall_ns = 1'289'097'030'000'000'000;  // 00:00:30 of 7 November 2010 there; at 00:01 it was 23:01
  id::IdTime there(clocks);
  id::Daily of_there(there, sequences);
  const auto next = [&] {
    const auto answered = test::ask<std::string>([&](auto done) {
      of_there.next({"a", 2, "America/St_Johns"}, std::move(done));
    });
    settle();
    return *answered;
  };
  CHECK(next() == "a2010110701");
  clocks.pass(31s);
  CHECK(next() == "a2010110702");
  clocks.pass(1h);
  CHECK(next() == "a2010110703");
}

TEST_CASE_FIXTURE(Rig, "a counter never outgrows its width, and a wider one goes on from there") {
  for (int i = 0; i < 9; ++i) next({"a", 1});
  const auto full = next({"a", 1});
  CHECK(full.error() == "RangeExhausted");
  CHECK(full.message().find("{\"max\":9}") != std::string::npos);
  CHECK(*next({"a", 2}) == "a2024010110");
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

TEST_CASE_FIXTURE(Rig, "a sequence of the same name is another") {
  next({"a"});
  const auto sequence =
      test::ask<std::int64_t>([&](auto done) { sequences.next("daily/a/20240101", std::move(done)); });
  settle();
  CHECK(*sequence == 1);
  CHECK(memory.shelf->next({id::Key::Kind::kCounter, "daily/a/20240101"}) == 2);
}

TEST_CASE_FIXTURE(Rig, "what a daily number cannot be is refused with its bounds") {
  CHECK(refusal({"a", 0}) == "InvalidArgument: width must be from 1 to 18, not 0");
  CHECK(refusal({"a", 19}) == "InvalidArgument: width must be from 1 to 18, not 19");
  CHECK(refusal({std::string(65, 'a')}) == "InvalidArgument: prefix must have at most 64 bytes, not 65");
  CHECK(refusal({"a\nb"}) == "InvalidArgument: prefix must have no control characters");
  CHECK(refusal({"a\x7f"}) == "InvalidArgument: prefix must have no control characters");
  CHECK(refusal({"a", 6, "Europe/Atlantis"}).substr(0, 15) == "InvalidArgument");
  CHECK(*next({std::string(64, 'a')}) == std::string(64, 'a') + "20240101000001");
  CHECK(*next({"Größe "}) == "Größe 20240101000001");
}

constexpr std::int64_t kSecond = 1'000'000'000;

std::string refusal(const std::string& name) {
  return zerosuite::test::refusal([&] { Zone zone(name); });
}

TEST_CASE("a day of UTC goes from midnight to midnight") {
  Zone utc("UTC");
  CHECK(utc.day(0) == 19700101);
  CHECK(utc.day(86'400 * kSecond - 1) == 19700101);
  CHECK(utc.day(86'400 * kSecond) == 19700102);
  CHECK(utc.day(1'709'164'800 * kSecond) == 20240229);
  CHECK(utc.day(1'709'251'200 * kSecond) == 20240301);
  CHECK(utc.day(-1) == 19691231);
}

TEST_CASE("a zone's days follow its offset, in summer and in winter") {
  Zone berlin("Europe/Berlin");
  CHECK(berlin.day(1'704'063'599 * kSecond) == 20231231);  // 23:59:59 at UTC+1
  CHECK(berlin.day(1'704'063'600 * kSecond) == 20240101);
  CHECK(berlin.day(1'719'784'799 * kSecond) == 20240630);  // 23:59:59 at UTC+2
  CHECK(berlin.day(1'719'784'800 * kSecond) == 20240701);
  CHECK(berlin.day(1'704'063'599 * kSecond) == 20231231);  // and back
  Zone kolkata("Asia/Kolkata");
  CHECK(kolkata.day(1'704'047'399 * kSecond) == 20231231);  // UTC+5:30
  CHECK(kolkata.day(1'704'047'400 * kSecond) == 20240101);
}

TEST_CASE("a name that is no zone's is refused") {
  CHECK(refusal("Europe/Atlantis") ==
        "InvalidArgument: tz must be the name of a time zone, such as 'UTC' or 'Europe/Berlin', not "
        "'Europe/Atlantis'");
  CHECK(refusal("").substr(0, 15) == "InvalidArgument");
  CHECK(refusal("../../../etc/passwd").substr(0, 15) == "InvalidArgument");
  CHECK(refusal("utc").substr(0, 15) == "InvalidArgument");
  CHECK(refusal("Etc/UTC") == "");
}

}  // namespace zerosuite::test::daily_test
