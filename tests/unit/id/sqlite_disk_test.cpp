// The SQLite store on a disk that fails: every write and every sync of a run in its turn, as SQLite tests
// itself (https://sqlite.org/testing.html, 3.2).
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "support/faulty_disk.hpp"
#include "support/store_rigs.hpp"

namespace zerosuite::test::sqlite_disk_test {

// One who uses every value it was given, but those that the store has taken back, or may have.
class Issuer {
 public:
  explicit Issuer(SqliteStoreRig& rig) : rig_(rig) {}

  void live() {
    for (const auto& key : keys()) reserve(key);
    reserve(counter("a"));
    rig_.settle();
    for (const auto& key : keys()) give_half_back(key);
    rig_.store().create_tag(tag_of("t" + std::to_string(++rounds_)), [this](auto tag) {
      if (tag) ++tags_;
    });
    rig_.store().claim(claim_by(std::to_string(rounds_), rounds_ % 2), [this](auto lease) {
      if (!lease) return;
      CHECK(lease->epoch >= epochs_[lease->worker]);
      epochs_[lease->worker] = lease->epoch;
    });
    rig_.settle();
    for (const auto& key : keys()) reserve(key);
    rig_.settle();
    rig_.pass(2s);
  }
  // Nothing that was answered is forgotten.
  void find_all() {
    live();
    CHECK(rig_.tags()->size() >= tags_);
    CHECK(top_.size() >= 3);
  }

 private:
  static std::vector<id::Key> keys() { return {counter("a"), counter("b"), ticks("x/0"), tag_key("t1")}; }

  void reserve(const id::Key& key) {
    rig_.store().reserve({.key = key, .count = 10}, [this, key](auto reserved) {
      if (!reserved) return;
      const id::Range range = reserved->range;
      CHECK(range.lo >= top_[key.text()]);
      CHECK(range.size() == 10);
      top_[key.text()] = range.hi;
      last_[key.text()] = range;
    });
  }
  void give_half_back(const id::Key& key) {
    if (!last_.contains(key.text())) return;
    const id::Range last = last_[key.text()];
    const id::Range unused{last.lo + 5, last.hi};
    rig_.store().give_back(key, unused, [this, key, unused](auto taken) {
      if (taken ? *taken : taken.error().name == "Indeterminate") top_[key.text()] = unused.lo;
    });
    last_.erase(key.text());
  }

  SqliteStoreRig& rig_;
  std::map<std::string, std::int64_t> top_;  // all below was used
  std::map<std::string, id::Range> last_;
  std::map<std::int64_t, std::int64_t> epochs_;
  std::size_t tags_ = 0;
  int rounds_ = 0;
};

// One run with the nth operation of a kind failing, up to a power cut; false when there was no nth.
bool survive(FaultyDisk::Fault fault, int nth, bool at_start, std::size_t extra = 0) {
  CAPTURE(fault);
  CAPTURE(nth);
  CAPTURE(at_start);
  FaultyDisk disk;
  SqliteStoreRig rig;
  Issuer issuer(rig);
  issuer.live();
  CHECK(rig.pin("extra", std::string(extra, 'x')));
  if (at_start) {
    rig.crash();
    disk.fail(fault, nth);
    try {
      rig.start();
    } catch (const core::Failure& failure) {
      CHECK(failure.name() == "StorageError");
      rig.crash();
      disk.heal();
      disk.cut_power(static_cast<unsigned int>(nth));
      rig.start();
    }
  } else {
    disk.fail(fault, nth);
  }
  for (int round = 0; round < 3; ++round) issuer.live();
  const bool fired = disk.fired();
  disk.heal();
  rig.pass(1s);
  issuer.live();
  rig.crash();
  disk.cut_power(static_cast<unsigned int>(nth) + 1000);
  rig.start();
  issuer.find_all();
  return fired;
}

TEST_CASE("no write and no sync that fails makes a value be given out twice") {
  for (const auto fault : {FaultyDisk::Fault::kFullOnce, FaultyDisk::Fault::kFull, FaultyDisk::Fault::kWrite,
                           FaultyDisk::Fault::kSync}) {
    for (const bool at_start : {false, true}) {
      int nth = 1;
      while (survive(fault, nth, at_start)) ++nth;
      CHECK(nth > (fault == FaultyDisk::Fault::kSync ? 8 : 20));
    }
  }
}

TEST_CASE("nor does one that fails while a long log is worked into the file") {
  constexpr std::size_t kExtra = 1100 * 4096;
  for (const auto fault : {FaultyDisk::Fault::kFullOnce, FaultyDisk::Fault::kFull, FaultyDisk::Fault::kWrite,
                           FaultyDisk::Fault::kSync}) {
    for (const int nth : {1, 2, 3, 500, 1000}) {
      if (fault != FaultyDisk::Fault::kSync || nth < 4) CHECK(survive(fault, nth, false, kExtra));
    }
  }
}

TEST_CASE("a power cut at any moment loses nothing that was answered") {
  for (unsigned int seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    FaultyDisk disk;
    SqliteStoreRig rig;
    Issuer issuer(rig);
    for (unsigned int round = 0; round <= seed % 3; ++round) issuer.live();
    rig.store().reserve({.key = counter("a"), .count = 100}, [](auto) {});
    rig.timers.advance_to(rig.timers.now());
    if (seed % 2 == 0) disk.fail(FaultyDisk::Fault::kSync, 1);
    rig.offload.waiting.front().first();  // and nobody is told
    rig.crash();
    disk.cut_power(seed);
    rig.start();
    issuer.find_all();
  }
}

TEST_CASE("a full disk refuses all who ask, does nothing of it, and works again once there is room") {
  FaultyDisk disk;
  SqliteStoreRig rig;
  rig.range(counter("a"), 10);
  const auto lease = *rig.claim(claim_by("ann"));
  disk.fail(FaultyDisk::Fault::kFull, 1);
  std::string told;
  const auto note = [&](const auto& result) { told += result ? "+" : result.error().name + " "; };
  rig.store().reserve({.key = counter("a"), .count = 10}, note);
  rig.store().create_tag(tag_of("t"), note);
  rig.store().give_back(counter("a"), {5, 11}, note);
  rig.store().reserve({.key = tag_key("none")}, note);
  rig.settle();
  CHECK(told == "StorageError StorageError StorageError StorageError ");
  REQUIRE(rig.store().trouble());
  CHECK(rig.store().trouble()->text().ends_with("database or disk is full {\"retry_after_ms\":1000}"));
  CHECK(name_of(rig.reserve({.key = counter("a")})) == "StorageError");
  CHECK(rig.renew(claim_by("ann"), lease));
  rig.pass(3s);
  CHECK(rig.store().trouble());
  disk.heal();
  CHECK(name_of(rig.reserve({.key = counter("a")})) == "StorageError");
  rig.pass(1s);
  CHECK_FALSE(rig.store().trouble());
  CHECK(std::filesystem::file_size(rig.log()) > 0);  // it has seen that writing works
  CHECK(name_of(rig.tag("t")) == "NoSuchTag");
  CHECK(*rig.give_back(counter("a"), {5, 11}));
  CHECK(rig.range(counter("a"), 10) == id::Range{5, 15});
}

TEST_CASE("a disk that fails is not trusted until the process is started anew") {
  for (const auto fault : {FaultyDisk::Fault::kWrite, FaultyDisk::Fault::kSync}) {
    FaultyDisk disk;
    SqliteStoreRig rig;
    rig.range(counter("a"), 10);
    disk.fail(fault, 1);
    CHECK(name_of(rig.reserve({.key = counter("a"), .count = 10})) == "StorageError");
    rig.pass(5s);
    const auto refused = rig.reserve({.key = counter("a"), .count = 10});
    REQUIRE(name_of(refused) == "StorageError");
    CHECK(refused.error().text().find("retry_after_ms") == std::string::npos);
    CHECK(name_of(rig.give_back(counter("a"), {5, 11})) == "StorageError");
    CHECK(rig.close());
    rig.start();
    CHECK(rig.range(counter("a"), 10).lo >= 11);
  }
}

TEST_CASE("whether a disk that failed took a range back nobody can tell") {
  FaultyDisk disk;
  SqliteStoreRig rig;
  rig.range(counter("a"), 10);
  disk.fail(FaultyDisk::Fault::kSync, 1);
  CHECK(name_of(rig.give_back(counter("a"), {5, 11})) == "Indeterminate");
}

}  // namespace zerosuite::test::sqlite_disk_test
