// The SQLite store against the floors: an old copy is found out before it serves anybody.
#include <doctest/doctest.h>

#include <string>

#include "id/stores/guarded_store.hpp"
#include "support/store_rigs.hpp"

namespace zerosuite::test::sqlite_floors_test {

using id::HighWaterMarks, id::Range;

// As a service runs: the store, checked against its floors, and the floored one over it.
class FlooredRig : public StoreCalls<FlooredRig> {
 public:
  FlooredRig() { start(); }

  void start(bool accept_regressed = false) {
    leave();
    under.start(accept_regressed);
    floors.emplace(path());
    under.store().check(*floors);
    floored.emplace(under.store(), *floors);
  }
  // What the start fails with, as "name: message"; empty when it does not.
  std::string failure(bool accept_regressed = false) {
    try {
      start(accept_regressed);
    } catch (const core::Failure& failure) {
      return failure.name() + ": " + failure.what();
    }
    return {};
  }
  void leave() {
    floored.reset();
    under.crash();
    floors.reset();
  }
  id::GuardedStore& store() { return *floored; }
  void settle() { under.settle(); }

  std::filesystem::path path() const { return under.path() / "floors"; }
  std::filesystem::path copy() const { return under.path() / "copy"; }
  void back_up() {
    floored.reset();
    under.close();
    std::filesystem::copy_file(under.file(), copy());
    start();
  }
  // After a stop in good order: after a crash the missing log would be noticed first.
  void restore() {
    floored.reset();
    under.close();
    floors.reset();
    std::filesystem::remove(under.log());
    std::filesystem::copy_file(copy(), under.file(), std::filesystem::copy_options::overwrite_existing);
  }

  SqliteStoreRig under;
  std::optional<HighWaterMarks> floors;
  std::optional<id::GuardedStore> floored;
};

TEST_CASE("a store that has what the floors say starts, however it was left") {
  FlooredRig rig;
  rig.range(counter("a"), 10);
  REQUIRE(rig.create_tag(tag_of("t")));
  rig.range(tag_key("t"), 10);
  REQUIRE(rig.delete_tag("t"));
  for (int round = 0; round < 3; ++round) {
    CHECK(rig.failure() == "");
    const Range range = rig.range(counter("a"), 10);
    CHECK(*rig.give_back(counter("a"), {range.lo + 5, range.hi}));
  }
  CHECK(rig.range(counter("a"), 1) == Range{26, 27});
  CHECK(rig.store().regressions() == 0);
}

TEST_CASE("an old copy that was put back stops the start, with the key, both numbers and the way on") {
  FlooredRig rig;
  rig.range(counter("a"), 10);
  rig.range(ticks("t/0"), 10);
  rig.back_up();
  rig.range(ticks("t/0"), 10);
  rig.restore();
  const std::string failure = rig.failure();
  CHECK(failure.starts_with("StoreRegressed: " + rig.under.file().string() +
                            " has forgotten what it gave out"));
  CHECK(failure.find("--accept-regressed") != std::string::npos);
  CHECK(failure.find(rig.path().string()) != std::string::npos);
  CHECK(failure.ends_with(" {\"key\":\"ticks:t/0\",\"stored\":11,\"floor\":21}"));
  CHECK(rig.failure() == failure);
}

TEST_CASE_FIXTURE(FlooredRig, "accepted, an old copy goes on above what the floors say") {
  REQUIRE(create_tag(tag_of("t")));
  range(counter("a"), 10);
  back_up();
  range(counter("a"), 10);
  range(counter("new"), 30);
  const Range last = range(tag_key("t"), 100);
  REQUIRE(create_tag(tag_of("u")));
  range(tag_key("u"), 7);
  restore();
  CHECK(failure().starts_with("StoreRegressed: "));
  CHECK(failure(true) == "");
  CHECK(failure() == "");
  CHECK_FALSE(*under.give_back(tag_key("t"), last));
  CHECK(range(counter("a"), 1) == Range{21, 22});
  CHECK(range(counter("new"), 1) == Range{31, 32});
  CHECK(range(tag_key("t"), 1) == Range{101, 102});
  CHECK(create_tag(tag_of("u"))->next == 8);
}

TEST_CASE_FIXTURE(FlooredRig, "a tag that was raised by hand is not lowered by an old copy") {
  REQUIRE(create_tag(tag_of("t")));
  back_up();
  REQUIRE(update_tag("t", {.floor = 5000}));
  restore();
  CHECK(failure().ends_with(" {\"key\":\"tag:t\",\"stored\":1,\"floor\":5000}"));
}

TEST_CASE("floors that are gone stop the start, unless that is accepted") {
  FlooredRig rig;
  rig.range(counter("a"), 10);
  rig.leave();
  std::filesystem::remove(rig.path());
  const std::string failure = rig.failure();
  CHECK(failure.starts_with("StoreRegressed: " + rig.under.file().string() + " had a floor file, and " +
                            rig.path().string() + " is not there; "));
  CHECK(failure.find("--accept-regressed") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(rig.path()));
  CHECK(rig.failure() == failure);
  CHECK(rig.failure(true) == "");
  CHECK(rig.failure() == "");
  CHECK(rig.range(counter("a"), 1) == Range{11, 12});
}

TEST_CASE_FIXTURE(FlooredRig, "a first start that was cut short before the floors began is no loss of them") {
  leave();
  std::filesystem::remove_all(under.path());
  under.start();
  leave();
  CHECK(failure() == "");
}

TEST_CASE_FIXTURE(FlooredRig, "floors without their store stop the start, unless that is accepted") {
  range(counter("a"), 10);
  leave();
  const std::string kept = content_of(path());
  std::filesystem::remove_all(under.path());
  std::filesystem::create_directories(under.path());
  write_file(path(), kept);
  CHECK(failure().ends_with(" {\"key\":\"counter:a\",\"stored\":0,\"floor\":11}"));
  CHECK(failure(true) == "");
  CHECK(range(counter("a"), 1) == Range{11, 12});
}

TEST_CASE("an end in the middle of giving back is not taken for an old copy") {
  for (const bool written : {false, true}) {
    FlooredRig rig;
    rig.range(counter("a"), 10);
    rig.store().give_back(counter("a"), {5, 11}, [](auto) {});
    rig.under.timers.advance_to(rig.under.timers.now());
    if (written) rig.under.offload.waiting.front().first();  // and nobody is told
    CHECK(rig.failure() == "");
    CHECK(rig.range(counter("a"), 1).lo == (written ? 5 : 11));
  }
}

}  // namespace zerosuite::test::sqlite_floors_test
