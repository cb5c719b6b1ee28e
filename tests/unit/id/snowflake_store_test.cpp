// Ids of one issuer whose store is slow, gone, or back again.
#include <doctest/doctest.h>

#include <chrono>

#include "id/snowflake/snowflake.hpp"
#include "support/id_world.hpp"

namespace zerosuite::test::snowflake_store_test {

using namespace std::chrono_literals;

struct IdRig {
  // All calls of the store go to this fate from now on.
  void fate(Fate fate) {
    process.store.fate = [fate](std::string_view) { return fate; };
  }

  IdWorld world;
  IdProcess process{world};
};

TEST_CASE("under steady traffic no call waits for a store that answers a second late") {
  IdRig rig;
  rig.process.get();
  rig.process.store.delay = 1s;
  std::int64_t last = 0;
  for (int ms = 0; ms < 20'000; ++ms) {
    rig.world.pass(1ms);
    const auto id = rig.process.one();
    REQUIRE(id);
    REQUIRE(*id > last);
    REQUIRE(rig.process.tick_of(*id) == rig.process.now_tick());
    last = *id;
  }
  CHECK(rig.process.store.reserves == 9);
}

TEST_CASE("without the store ids go on to the end of the window; then callers wait a while, and hear so") {
  for (const Fate fate : {Fate::kRefused, Fate::kDropped, Fate::kLost}) {
    IdRig rig;
    rig.process.get();
    rig.fate(fate);
    for (int ms = 1; ms < 3020; ++ms) {
      rig.world.pass(1ms);
      REQUIRE(rig.process.one());
    }
    rig.world.pass(1ms);
    CHECK_FALSE(rig.process.one());
    const auto parked = rig.process.take();
    rig.world.pass(1999ms);
    CHECK(parked->state() == "waits");
    rig.world.pass(1ms);
    REQUIRE(parked->state() == "Unavailable");
    CHECK(parked->message().starts_with("no ticks can be reserved: "));
    CHECK(parked->message().ends_with(R"( {"retry_after_ms":1000})"));
  }
}

TEST_CASE("a store that never answers is as good as none") {
  IdRig rig;
  rig.process.store.delay = 1h;
  const auto parked = rig.process.take();
  rig.world.pass(1999ms);
  CHECK(parked->state() == "waits");
  rig.world.pass(1ms);
  REQUIRE(parked->state() == "Unavailable");
  CHECK(parked->message() ==
        R"(no ticks can be reserved: the store does not answer {"retry_after_ms":1000})");
}

TEST_CASE("when the store is back those who wait are served, and the store was not stormed meanwhile") {
  IdRig rig;
  rig.fate(Fate::kRefused);
  const auto parked = rig.process.take();
  rig.world.pass(1500ms);
  CHECK(parked->state() == "waits");
  CHECK(rig.process.store.reserves == 5);  // at once, and after pauses of 50, 100, 200 and 400 ms
  rig.fate(Fate::kDone);
  rig.world.pass(500ms);
  CHECK(parked->state() == "ids");
  CHECK(rig.process.store.reserves == 7);
}

TEST_CASE("a store that cannot keep anything is named") {
  IdRig rig;
  rig.fate(Fate::kBroken);
  const auto parked = rig.process.take();
  rig.world.pass(2s);
  REQUIRE(parked->state() == "StorageError");
  CHECK(parked->message().ends_with(R"( {"retry_after_ms":1000})"));
}

TEST_CASE("an answer that was lost leaves a gap, and stops nobody") {
  IdRig rig;
  rig.process.get();
  int asked = 0;
  rig.process.store.fate = [&asked](std::string_view call) {
    return call == "reserve" && asked++ % 3 == 0 ? Fate::kLost : Fate::kDone;
  };
  std::int64_t last = 0;
  for (int ms = 0; ms < 20'000; ++ms) {
    rig.world.pass(1ms);
    const auto id = rig.process.one();
    REQUIRE(id);
    REQUIRE(*id > last);
    last = *id;
  }
  CHECK(asked > 4);
}

}  // namespace zerosuite::test::snowflake_store_test
