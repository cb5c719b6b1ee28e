// The embedded engine on a disk that fails: every write and every sync of a run in its turn, as SQLite tests
// itself (https://sqlite.org/testing.html, 3.2).
#include "support/faulty_disk.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "support/lock_engine_rig.hpp"

namespace zerosuite::test::faulty_disk_test {

using lock::Ending;
using lock::Token;
using lock::engines::Durability;

// A few clients that remember what they were told.
class Clients {
 public:
  explicit Clients(EmbeddedRig& rig) : rig_(rig) {}

  void acquire(const lock::LockSpec& wanted) {
    test::acquire(rig_.engine(), wanted, [this, wanted](auto result) {
      if (!result || !*result) return;
      for (const auto& [token, held] : held_) CHECK_FALSE(clash(held, wanted));
      CHECK((*result)->token > last_);
      last_ = (*result)->token;
      held_[last_] = wanted;
    });
  }
  // Makes it longer, and entered once more.
  void amend(std::size_t nth) {
    if (nth >= held_.size()) return;
    const auto& [token, held] = *std::next(held_.begin(), static_cast<std::ptrdiff_t>(nth));
    lock::LockSpec wanted = held;
    wanted.lease *= 2;
    ++wanted.count;
    test::amend(rig_.engine(), token, wanted, [this, token = token, wanted](auto result) {
      if (result && *result) held_[token] = wanted;
    });
  }
  void release(std::size_t nth) {
    if (nth >= held_.size()) return;
    const Token token = std::next(held_.begin(), static_cast<std::ptrdiff_t>(nth))->first;
    held_.erase(token);
    test::release(rig_.engine(), token, Ending::kReleased, [](auto) {});
  }
  // One round of what clients do; the leases grow, so that the meta is written too.
  void live(int round) {
    auto wanted = spec({"a" + std::to_string(round)}, "ann");
    wanted.lease = core::milliseconds(30'000LL << round);
    acquire(wanted);
    acquire(spec({"b", "c"}, "bob"));
    rig_.settle();
    acquire(context({"d"}, "cy"));
    acquire(context({"d"}, "dan"));
    acquire(spec({"b"}, "eve"));
    release(1);
    rig_.pass(30ms);
    acquire(spec({"c"}, "eve"));
    amend(0);
    rig_.settle();
    release(2);
    rig_.settle();
  }
  // Nothing that was granted is lost, and nothing given on. Says whether anything may be given at once.
  bool find_all() {
    std::map<Token, lock::LockSpec> found;
    for (const auto& held : rig_.engine().holds()) found[held.token] = held.spec;
    for (const auto& [token, wanted] : held_) {
      REQUIRE(found.contains(token));
      CHECK(found[token].names == wanted.names);
      CHECK(found[token].lease >= wanted.lease);
      CHECK(found[token].count >= wanted.count);
    }
    for (const auto& [one, first] : found) {
      for (const auto& [other, second] : found) {
        if (one != other) CHECK_FALSE(clash(first, second));
      }
    }
    if (rig_.engine().recovering() > 0ms) return false;
    for (const auto& [token, wanted] : held_) {
      for (const std::string& name : wanted.names) CHECK(rig_.acquire(spec({name}, "zoe")) == 0);
    }
    const Token next = rig_.acquire(spec({"new"}, "zoe"));
    CHECK(next > last_);
    rig_.release(next);
    return true;
  }

  bool any() const { return !held_.empty(); }

 private:
  static bool clash(const lock::LockSpec& one, const lock::LockSpec& other) {
    if (one.mode == lock::Mode::kShared && other.mode == lock::Mode::kShared) return false;
    return std::find_first_of(one.names.begin(), one.names.end(), other.names.begin(), other.names.end()) !=
           one.names.end();
  }

  EmbeddedRig& rig_;
  std::map<Token, lock::LockSpec> held_;
  Token last_ = 0;
};

// One run with the nth operation of a kind failing, up to a power cut; false when there was no nth.
bool survive(FaultyDisk::Fault fault, int nth, bool at_start) {
  CAPTURE(fault);
  CAPTURE(nth);
  CAPTURE(at_start);
  FaultyDisk disk;
  EmbeddedRig rig;
  Clients clients(rig);
  clients.live(0);
  if (at_start) {
    rig.crash();
    disk.fail(fault, nth);
    try {
      rig.start();
    } catch (const core::Failure& failure) {
      CHECK(failure.name() == "StorageError");
      disk.heal();
      disk.cut_power(static_cast<unsigned int>(nth));
      rig.start();
    }
  } else {
    disk.fail(fault, nth);
  }
  for (int round = 1; round < 4; ++round) clients.live(round);
  const bool fired = disk.fired();
  rig.crash();
  disk.heal();
  disk.cut_power(static_cast<unsigned int>(nth) + 1000);
  rig.start();
  CHECK(clients.any());
  clients.find_all();
  return fired;
}

std::string outcome(EmbeddedRig& rig, const std::string& name) {
  try {
    return rig.acquire(spec({name})) > 0 ? "granted" : "taken";
  } catch (const core::Failure& failure) {
    return failure.name() + ": " + failure.what();
  }
}

TEST_CASE("no write and no sync that fails loses a grant, or gives one twice") {
  for (const auto fault : {FaultyDisk::Fault::kFullOnce, FaultyDisk::Fault::kFull, FaultyDisk::Fault::kWrite,
                           FaultyDisk::Fault::kSync}) {
    for (const bool at_start : {false, true}) {
      int nth = 1;
      while (survive(fault, nth, at_start)) ++nth;
      CHECK(nth > (fault == FaultyDisk::Fault::kSync ? 10 : 30));
    }
  }
}

TEST_CASE("a power cut at any moment loses no grant that was answered under sync") {
  int at_once = 0;
  for (unsigned int seed = 0; seed < 50; ++seed) {
    FaultyDisk disk;
    EmbeddedRig rig;
    Clients clients(rig);
    for (int round = 0; round < static_cast<int>(seed % 3); ++round) clients.live(round);
    clients.acquire(spec({"x"}));
    clients.acquire(spec({"y"}));
    rig.settle();
    auto large = spec({"z"});
    large.data = std::string(20'000, 'z');
    clients.acquire(large);
    rig.timers.advance_to(rig.timers.now());
    if (seed % 2 == 0) disk.fail(FaultyDisk::Fault::kSync, 1);
    const auto note = rig.path() / "lock";
    const std::string before = content_of(note);
    rig.offload.waiting.front().first();  // and nobody is told
    rig.crash();
    if (seed % 4 == 0) write_file(note, before);  // the cut came before it knew that the sync failed
    disk.cut_power(seed);
    rig.start();
    if (clients.find_all()) ++at_once;
  }
  CHECK(at_once >= 35);  // but where the last commit stands in the log by halves, grants wait
  CHECK(at_once < 50);
}

TEST_CASE("on a full disk nothing more is granted until there is room, and releases go on") {
  FaultyDisk disk;
  EmbeddedRig rig;
  const Token token = rig.acquire(spec({"a"}));
  disk.fail(FaultyDisk::Fault::kFull, 1);
  CHECK(outcome(rig, "b").starts_with("StorageError: "));
  CHECK(outcome(rig, "b").ends_with("database or disk is full {\"retry_after_ms\":1000}"));
  CHECK(rig.engine().holds().size() == 1);
  CHECK_THROWS_AS(rig.amend(token, spec({"a"})), core::Failure);
  CHECK(rig.release(token));
  CHECK_FALSE(rig.release(token));
  rig.pass(3s);
  CHECK(outcome(rig, "b").starts_with("StorageError: "));
  disk.heal();
  rig.pass(1s);
  CHECK(outcome(rig, "a") == "granted");
  CHECK(outcome(rig, "b") == "granted");
  rig.restart_after_crash();
  CHECK(rig.engine().holds().size() == 2);
}

TEST_CASE("a crash on a full disk keeps every holder and holds nobody up") {
  for (const bool large : {false, true}) {
    FaultyDisk disk;
    EmbeddedRig rig;
    Clients clients(rig);
    clients.live(0);
    disk.fail(FaultyDisk::Fault::kFull, large ? 3 : 1);
    auto wanted = spec({"large"}, "ann");
    wanted.data = std::string(large ? 20'000 : 1, 'x');
    clients.acquire(wanted);
    rig.settle();
    CHECK(outcome(rig, "more").starts_with("StorageError: "));
    rig.pass(3s);
    rig.crash();
    disk.heal();
    rig.start();
    CHECK(rig.engine().warnings().empty());
    CHECK(rig.engine().recovering() == 0ms);
    CHECK(clients.find_all());
  }
}

TEST_CASE("a disk that fails ends granting until the process is started anew") {
  for (const auto fault : {FaultyDisk::Fault::kWrite, FaultyDisk::Fault::kSync}) {
    FaultyDisk disk;
    EmbeddedRig rig;
    auto lasting = spec({"a"});
    lasting.lease = 10s;
    const Token token = rig.acquire(lasting);
    disk.fail(fault, 1);
    CHECK(outcome(rig, "b").starts_with("StorageError: "));
    rig.pass(5s);
    CHECK(outcome(rig, "b").starts_with("StorageError: "));
    CHECK(outcome(rig, "b").find("retry_after_ms") == std::string::npos);
    CHECK(rig.holds("a").size() == 1);
    rig.pass(6s);
    CHECK(rig.holds("a").empty());
    CHECK(rig.release(token));
    CHECK(rig.close());
    rig.start();
    CHECK(rig.engine().recovering() == 0ms);
    rig.pass(30s);
    CHECK(outcome(rig, "a") == "granted");
    CHECK(outcome(rig, "b") == "granted");
  }
}

TEST_CASE("an amend that could not be written leaves the hold as it was") {
  FaultyDisk disk;
  EmbeddedRig rig;
  auto held = spec({"a"});
  held.lease = 10s;
  const Token token = rig.acquire(held);
  rig.pass(4s);
  disk.fail(FaultyDisk::Fault::kFullOnce, 1);
  auto more = held;
  more.lease = 20s;
  std::string told;
  const auto note = [&](const auto& result) { told += result ? "yes " : result.error().name + " "; };
  test::amend(rig.engine(), token, more, note);
  more.mode = lock::Mode::kShared;
  test::amend(rig.engine(), token, more, note);
  test::acquire(rig.engine(), context({"a"}, "bob"), note);
  test::acquire(rig.engine(), spec({"a"}, "cy"), note);
  int freed = 0;
  rig.engine().watch_free("a", [&] { ++freed; });
  rig.settle();
  CHECK(told == "StorageError StorageError StorageError StorageError ");
  CHECK(freed == 1);
  REQUIRE(rig.engine().holds().size() == 1);
  CHECK(rig.engine().holds()[0].spec == held);
  CHECK(rig.engine().holds()[0].remaining == 6s);
  rig.pass(1s);
  rig.restart_after_crash();
  REQUIRE(rig.engine().holds().size() == 1);
  CHECK(rig.engine().holds()[0].spec == held);
}

TEST_CASE("in async what was granted before the disk was full is written once it is not") {
  FaultyDisk disk;
  EmbeddedRig rig(Durability::kAsync);
  CHECK(outcome(rig, "a") == "granted");
  rig.pass(10ms);
  CHECK(outcome(rig, "b") == "granted");
  disk.fail(FaultyDisk::Fault::kFull, 1);
  rig.pass(10ms);
  CHECK(outcome(rig, "c").starts_with("StorageError: "));
  CHECK(rig.engine().holds().size() == 2);
  disk.heal();
  rig.pass(1s);
  CHECK(outcome(rig, "c") == "granted");
  rig.pass(10ms);
  rig.restart_after_crash();
  CHECK(rig.engine().holds().size() == 3);
}

TEST_CASE("of a full disk it is said when that begins and when it ends, and nothing in between") {
  using What = lock::engines::Notice::What;
  FaultyDisk disk;
  EmbeddedRig rig;
  CHECK(outcome(rig, "a") == "granted");
  disk.fail(FaultyDisk::Fault::kFull, 1);
  for (int i = 0; i < 5; ++i) {
    CHECK(outcome(rig, "b").starts_with("StorageError: "));
    rig.pass(1s);
  }
  REQUIRE(rig.notices.size() == 1);
  CHECK(rig.notices.at(0).what == What::kTrouble);
  CHECK(rig.notices.at(0).reason.ends_with("database or disk is full"));
  disk.heal();
  rig.pass(5s);
  REQUIRE(rig.notices.size() == 2);
  CHECK(rig.notices.at(1).what == What::kMended);
}

TEST_CASE("a stop on a full disk says so, and the next start knows every holder all the same") {
  for (const auto durability : {Durability::kSync, Durability::kNone}) {
    FaultyDisk disk;
    EmbeddedRig rig(durability);
    CHECK(outcome(rig, "a") == "granted");
    disk.fail(FaultyDisk::Fault::kFull, 1);
    const auto error = rig.close();
    REQUIRE(error);
    CHECK(error->name == "StorageError");
    disk.heal();
    rig.start();
    CHECK((rig.engine().holds().size() == 1 || rig.engine().recovering() > 0ms));
  }
}

}  // namespace zerosuite::test::faulty_disk_test
