#include <doctest/doctest.h>

#include <bitset>
#include <set>
#include <string>

#include "core/error.hpp"
#include "id/clock/clock.hpp"
#include "id/random/ksuid.hpp"
#include "id/random/object_id.hpp"
#include "id/random/ulid.hpp"
#include "id/random/uuid.hpp"

namespace zerosuite::id::rising_test {

constexpr std::uint32_t kCounters = 1 << 24;

TEST_CASE("a tick is now, or one after the last where that is later") {
  MonotonicTicks ticks;
  CHECK(ticks.next(100) == 100);
  CHECK(ticks.next(100) == 101);
  CHECK(ticks.next(50) == 102);
  CHECK(ticks.next(102) == 103);
  CHECK(ticks.next(200) == 200);
}

TEST_CASE("ULIDs of one millisecond, and of an earlier one, count up from a random one") {
  core::Entropy entropy;
  MonotonicUlids ulids(entropy);
  const formats::Number128 first = ulids.next(1000);
  CHECK(formats::ulid_ms(first) == 1000);
  CHECK(ulids.next(1000) == first + 1);
  CHECK(ulids.next(999) == first + 2);
  CHECK(ulids.next(-5) == first + 3);
}

TEST_CASE("a ULID of a new millisecond has 80 new random bits") {
  core::Entropy entropy;
  MonotonicUlids ulids(entropy);
  std::set<std::uint64_t> lows;
  std::bitset<16> ones, zeros;
  for (std::int64_t ms = 1; ms <= 200; ++ms) {
    const formats::Number128 id = ulids.next(ms);
    CHECK(formats::ulid_ms(id) == ms);
    lows.insert(formats::low_half(id));
    ones |= std::bitset<16>(formats::high_half(id));
    zeros |= std::bitset<16>(~formats::high_half(id));
  }
  CHECK(lows.size() == 200);
  CHECK(ones.all());
  CHECK(zeros.all());
}

TEST_CASE("a renewed ULID is random again, in the next millisecond or in a later one") {
  core::Entropy entropy;
  MonotonicUlids ulids(entropy);
  const formats::Number128 first = ulids.next(1000);
  ulids.renew();
  const formats::Number128 second = ulids.next(1000);
  CHECK(formats::ulid_ms(second) == 1001);
  CHECK(formats::low_half(second) - formats::low_half(first) > 1000);
  CHECK(ulids.next(1000) == second + 1);
  ulids.renew();
  CHECK(formats::ulid_ms(ulids.next(5000)) == 5000);
}

TEST_CASE("KSUIDs of one second, and of an earlier one, rise by random steps") {
  core::Entropy entropy;
  MonotonicKsuids ksuids(entropy);
  constexpr std::int64_t kNow = formats::kKsuidEpoch + 1000;
  formats::Ksuid last = ksuids.next(kNow);
  CHECK(last.seconds == 1000);
  std::set<std::uint64_t> steps;
  for (int i = 0; i < 1000; ++i) {
    const formats::Ksuid next = ksuids.next(kNow - i % 2);
    CHECK(last < next);
    CHECK(formats::high_half(next.random) - formats::high_half(last.random) <= 1);
    steps.insert(formats::low_half(next.random - last.random));
    last = next;
  }
  CHECK(steps.size() == 1000);
  CHECK(*steps.rbegin() > ~std::uint64_t{0} / 2);
}

TEST_CASE("a KSUID of a new second, or renewed, has 128 new random bits") {
  core::Entropy entropy;
  MonotonicKsuids ksuids(entropy);
  std::set<std::uint64_t> highs, lows;
  for (std::int64_t i = 1; i <= 100; ++i) {
    if (i % 2 == 0) ksuids.renew();
    const formats::Ksuid id = ksuids.next(formats::kKsuidEpoch + i - (i % 2 == 0 ? 1 : 0));
    CHECK(id.seconds == i);
    highs.insert(formats::high_half(id.random));
    lows.insert(formats::low_half(id.random));
  }
  CHECK(highs.size() == 100);
  CHECK(lows.size() == 100);
}

TEST_CASE("32 bits express the seconds from 0 to 2^32 - 1") {
  CHECK(seconds_in_32_bits(0) == 0);
  CHECK(seconds_in_32_bits(0xffffffff) == 0xffffffff);
  for (const std::int64_t seconds : {std::int64_t{-1}, std::int64_t{1} << 32}) {
    try {
      seconds_in_32_bits(seconds);
      FAIL("it was accepted");
    } catch (const core::Failure& failure) {
      CHECK(failure.name() == "TimeExhausted");
    }
  }
}

TEST_CASE("a KSUID cannot tell a second after 2150") {
  core::Entropy entropy;
  MonotonicKsuids ksuids(entropy);
  CHECK(ksuids.next(formats::kKsuidEpoch + 0xffffffff).seconds == 0xffffffff);
  CHECK_THROWS_AS(ksuids.next(formats::kKsuidEpoch + 0x100000000), core::Failure);
}

TEST_CASE("a counter that has gone round within a second goes on in the next one") {
  core::Entropy entropy;
  ObjectIdGenerator ids(entropy);
  for (int i = 0; i < 10; ++i) ids.next(999);  // of another second: they do not count
  const formats::ObjectIdParts first = ids.next(1000);
  formats::ObjectIdParts last = first;
  for (std::uint32_t i = 1; i < kCounters; ++i) {
    const formats::ObjectIdParts id = ids.next(1000);
    if (id.seconds != 1000 || id.counter != (last.counter + 1) % kCounters || id.process != first.process)
      FAIL("after ", i);
    last = id;
  }
  const formats::ObjectIdParts borrowed = ids.next(1000);
  CHECK(borrowed.seconds == 1001);
  CHECK(borrowed.counter == first.counter);
  CHECK(ids.next(1001).seconds == 1001);
  CHECK(ids.next(1002).seconds == 1002);
  CHECK(ids.next(900).seconds == 1002);
}

TEST_CASE("a second that was borrowed from is not used up again when it comes") {
  core::Entropy entropy;
  ObjectIdGenerator ids(entropy);
  for (std::uint32_t i = 0; i < kCounters + 5; ++i) ids.next(1000);
  for (std::uint32_t i = 5; i < kCounters; ++i)
    if (ids.next(1001).seconds != 1001) FAIL("after ", i);
  CHECK(ids.next(1001).seconds == 1002);
}

TEST_CASE("a counted id has 40 random bits of its process, and a counter that begins anywhere") {
  core::Entropy entropy;
  std::set<std::uint64_t> processes;
  std::set<std::uint32_t> counters;
  std::bitset<40> ones;
  for (int i = 0; i < 100; ++i) {
    const formats::ObjectIdParts id = ObjectIdGenerator(entropy).next(1000);
    CHECK(id.process < std::uint64_t{1} << 40);
    processes.insert(id.process);
    counters.insert(id.counter);
    ones |= std::bitset<40>(id.process);
  }
  CHECK(processes.size() == 100);
  CHECK(counters.size() > 90);
  CHECK(ones.all());
}

TEST_CASE("a renewed counter is another process") {
  core::Entropy entropy;
  ObjectIdGenerator ids(entropy);
  const formats::ObjectIdParts before = ids.next(1000);
  ids.renew();
  const formats::ObjectIdParts after = ids.next(1000);
  CHECK(after.process != before.process);
  CHECK(after.counter != (before.counter + 1) % kCounters);
}

}  // namespace zerosuite::id::rising_test
