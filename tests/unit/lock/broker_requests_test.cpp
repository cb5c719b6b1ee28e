// A request_id: asked again is answered again, not done again.
#include <doctest/doctest.h>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_requests_test {

TEST_CASE_FIXTURE(HeldRig,
                  "a request sent again while it waits keeps its place, and whoever sent it is answered") {
  const auto first = acquire(want("bob").waiting(1min).called("r"));
  const auto cat = acquire(want("cat").waiting(1min));
  const auto second = acquire(want("bob").waiting(1min).called("r"));
  CHECK(first->state() == "");
  CHECK(waiting() == 2);
  release(ann);
  CHECK(first->state() == "granted");
  REQUIRE(second->state() == "granted");
  CHECK(second->granted().token == first->granted().token);
  CHECK(second->granted().count == 1);
  CHECK(cat->state() == "");
}

TEST_CASE_FIXTURE(
    BrokerRig, "a request sent again after its grant is answered as before, with what is left of the lease") {
  const auto first = acquire(want("ann").called("r").leased(10s));
  pass(4s);
  const auto second = acquire(want("ann").called("r").leased(10s));
  REQUIRE(second->state() == "replay");
  CHECK(second->granted().token == first->granted().token);
  CHECK(second->granted().lease == 6s);
  CHECK(second->granted().count == 1);
  CHECK(value(release(first)).count == 0);
  CHECK(acquire(want("ann").called("r").leased(10s))->state() == "NotHeld");
  CHECK(broker.counters().replays == 1);
  CHECK(broker.leases().size() == 0);
}

TEST_CASE_FIXTURE(BrokerRig, "an entry sent again does not enter twice") {
  acquire(want("ann"));
  CHECK(acquire(want("ann").called("r"))->granted().count == 2);
  const auto again = acquire(want("ann").called("r"));
  CHECK(again->state() == "replay");
  CHECK(again->granted().count == 2);
  CHECK(broker.info("x").holders.at(0).count == 2);
}

TEST_CASE_FIXTURE(BrokerRig, "permits asked for again are taken once") {
  acquire(want("ann").permits(1, 3).called("r"));
  CHECK(acquire(want("ann").permits(1, 3).called("r"))->state() == "replay");
  CHECK(acquire(want("ann").permits(1, 3))->granted().available == 1);
}

TEST_CASE_FIXTURE(BrokerRig, "a request_id is of its owner and of what was asked") {
  acquire(want("ann", {"x"}).called("r"));
  CHECK(outcome([&] { acquire(want("ann", {"y"}).called("r")); }) == "RequestConflict");
  CHECK(outcome([&] { acquire(want("ann", {"x"}).called("r").permits(1, 1)); }) == "RequestConflict");
  CHECK(outcome([&] { acquire(want("ann", {"x", "y"}).called("r")); }) == "RequestConflict");
  CHECK(acquire(want("bob", {"y"}).called("r"))->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "no owner and request_id read as those of another, whatever their bytes") {
  acquire(want("a\nb").called("c"));
  CHECK(acquire(want("a").called("b\nc"))->state() == "held");
  acquire(want("ann", {"y\nz"}).called("r"));
  CHECK(outcome([&] { acquire(want("ann", {"y", "z"}).called("r")); }) == "RequestConflict");
}

TEST_CASE_FIXTURE(HeldRig, "a request that got nothing is tried again") {
  CHECK(acquire(want("bob").called("r"))->state() == "held");
  const auto late = acquire(want("bob").called("r").waiting(1s));
  pass(1s);
  CHECK(late->state() == "timeout");
  release(ann);
  engine.trouble = core::Error{core::kStorageError, "full"};
  CHECK(acquire(want("bob").called("r"))->state() == "StorageError");
  engine.trouble.reset();
  CHECK(acquire(want("bob").called("r"))->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a request whose client is gone may be sent again while the engine is asked") {
  engine.slow = true;
  const auto first = acquire(want("ann").called("r"));
  withdraw(first);
  const auto second = acquire(want("ann").called("r"));
  commit_all();
  CHECK(second->state() == "granted");
  CHECK(broker.check("x", second->granted().token).valid);
}

TEST_CASE_FIXTURE(BrokerRig, "a request numbered below an earlier one of its owner comes too late") {
  const auto five = acquire(want("ann", {"x"}).numbered(5));
  release(five);
  CHECK(outcome([&] { acquire(want("ann", {"y"}).numbered(4)); }) == "Cancelled");
  CHECK(acquire(want("ann", {"x"}).numbered(5))->state() == "NotHeld");
  CHECK(acquire(want("ann", {"y"}).numbered(6))->state() == "granted");
  CHECK(acquire(want("bob", {"z"}).numbered(1))->state() == "granted");
}

TEST_CASE("requests are remembered for a while") {
  BrokerRig rig({.memory = 10s});
  rig.acquire(want("ann").called("r").leased(1s));
  rig.pass(10'990ms);
  CHECK(rig.acquire(want("ann").called("r").leased(1s))->state() == "LeaseExpired");
  rig.pass(2510ms);
  CHECK(rig.acquire(want("ann").called("r").leased(1s))->state() == "granted");
}

TEST_CASE("a request is remembered for as long as it waits or its hold lasts") {
  BrokerRig rig({.memory = 10s});
  const auto ann = rig.acquire(want("ann").called("r").leased(10min));
  const auto bob = rig.acquire(want("bob").called("q").waiting(10min));
  rig.pass(1min);
  CHECK(rig.acquire(want("ann").called("r"))->granted().count == 1);
  const auto again = rig.acquire(want("bob").called("q").waiting(10min));
  CHECK(bob->state() == "");
  CHECK(rig.waiting() == 1);
  rig.release(ann);
  CHECK(again->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a wait that is asked for again lasts as long as the later of the two") {
  acquire(want("ann").leased(1min));
  acquire(want("bob").called("r").waiting(10s));
  pass(6s);
  const auto again = acquire(want("bob").called("r").waiting(10s));
  pass(9990ms);
  CHECK(again->state() == "");
  pass(10ms);
  CHECK(again->state() == "timeout");
}

TEST_CASE_FIXTURE(HeldRig,
                  "a release under a request_id is done once, also where the lock stays its owner's") {
  acquire(want("ann"));
  lock::HoldKey key = key_of(ann);
  key.request_id = "r";
  CHECK(value(release(key)).count == 1);
  CHECK(value(release(key)).count == 1);
  CHECK(value(release(key)).replay);
  key.request_id = "s";
  CHECK(value(release(key)).count == 0);
}

TEST_CASE("so many requests are remembered, the latest") {
  BrokerRig rig({.max_memory = 2});
  for (const char* id : {"1", "2", "3"}) rig.release(rig.acquire(want("ann").called(id)));
  CHECK(rig.acquire(want("ann").called("2"))->state() == "NotHeld");
  CHECK(rig.acquire(want("ann").called("3"))->state() == "NotHeld");
  CHECK(rig.acquire(want("ann").called("1"))->state() == "granted");
}

TEST_CASE("requests are remembered as long as they are not too many bytes") {
  BrokerRig rig({.max_memory_bytes = 64 * 1024});
  std::vector<std::string> names;
  for (int i = 0; i < 64; ++i) names.push_back(std::string(250, 'n') + std::to_string(10 + i));
  for (const char* id : {"1", "2", "3", "4", "5"}) {
    const auto set = rig.acquire(want("ann", names).called(id));
    rig.broker.leases().release(key_of(set), [](const auto&) {});
  }
  CHECK(rig.acquire(want("ann", names).called("5"))->state() == "NotHeld");
  CHECK(rig.acquire(want("ann", names).called("1"))->state() == "granted");
}

TEST_CASE("a memory counts its bytes, keys, values and repeated entries, and gives them back") {
  lock::ExpiringMap<std::string, std::int64_t> memory(1min, {.entries = 1'000'000, .bytes = 1 << 20});
  const auto now = kStart;
  for (int i = 0; i < 10'000; ++i) memory.put(std::string(1'000, 'k') + std::to_string(i), i, now);
  CHECK(memory.bytes() <= 1 << 20);
  CHECK(memory.size() > 300);
  CHECK(memory.find(std::string(1'000, 'k') + "9999") != nullptr);
  for (int i = 0; i < 1'000; ++i) memory.put("again", i, now);
  CHECK(memory.size() < 1'000);
  CHECK_FALSE(memory.forget(now + 1min));
  while (!memory.forget(now + 1min)) {
  }
  CHECK(memory.bytes() == 0);
}

TEST_CASE("a request of an earlier process is answered again, if its hold is still there") {
  lock::LockSpec spec = want("ann").called("r").spec;
  BrokerRig rig({}, {{spec, 50, 8s}});
  const auto again = rig.acquire(want("ann").called("r"));
  REQUIRE(again->state() == "replay");
  CHECK(again->granted().token == 50);
  CHECK(again->granted().lease == 8s);
  CHECK(rig.acquire(want("bob"))->busy().holder == "ann");
  CHECK(rig.acquire(want("ann").called("s").leased(1s))->granted().count == 2);
  rig.pass(8s);
  CHECK(rig.acquire(want("bob"))->granted().token > 50);
}

TEST_CASE("a memory does not grow however often an entry is put again") {
  lock::ExpiringMap<int, int> memory(1min, {.entries = 3, .bytes = 1 << 20});
  auto now = kStart;
  memory.put(1, 10, now);
  for (int i = 0; i < 100; ++i) memory.put(2, i, now);
  REQUIRE(memory.find(1) != nullptr);
  CHECK(*memory.find(2) == 99);
  memory.put(3, 30, now);
  memory.put(4, 40, now);
  CHECK(memory.size() == 3);
  CHECK(memory.find(1) == nullptr);
  memory.erase(4);
  CHECK(memory.find(4) == nullptr);
  memory.put(3, 31, now + 30s);
  memory.forget(now + 1min);
  CHECK(memory.find(2) == nullptr);
  CHECK(*memory.find(3) == 31);
  memory.forget(now + 90s);
  CHECK(memory.size() == 0);
}

TEST_CASE("a request waits as long as one of those who sent it is there, whichever that is") {
  for (const bool first_is_left : {true, false}) {
    BrokerRig rig;
    const auto ann = rig.acquire(want("ann"));
    const auto first = rig.acquire(want("bob").waiting(1min).called("r"));
    const auto second = rig.acquire(want("bob").waiting(1min).called("r"));
    rig.broker.acquires().withdraw((first_is_left ? second : first)->id);
    CHECK(rig.waiting() == 1);
    rig.release(ann);
    CHECK((first_is_left ? first : second)->state() == "granted");
    CHECK(rig.broker.leases().size() == 1);
  }
}

TEST_CASE_FIXTURE(
    BrokerRig,
    "of several answers to one request one may reach nobody, and the lock stays with who heard the other") {
  for (const std::uint32_t count : {1U, 2U}) {
    engine.slow = true;
    const std::string id = std::to_string(count);
    const auto lost = acquire(want("ann").called(id));
    const auto heard = acquire(want("ann").called(id));
    commit_all();
    REQUIRE(heard->state() == "granted");
    undelivered(*lost);
    commit_all();
    CHECK(broker.info("x").holders.at(0).count == count);
  }
}

TEST_CASE("what nobody is left to hear of is given back, however many had asked for it") {
  for (const int left : {0, 1}) {
    BrokerRig rig;
    const auto ann = rig.acquire(want("ann"));
    std::vector<Asked> all;
    for (int i = 0; i < 1000; ++i) all.push_back(rig.acquire(want("bob").waiting(1min).called("r")));
    for (std::size_t i = 0; i < all.size() - static_cast<std::size_t>(left); ++i)
      rig.vanish_when_told(all[i]);
    rig.release(ann);
    CHECK(rig.broker.leases().size() == static_cast<std::size_t>(left));
    for (const Asked& asked : all) asked->when_told = {};
  }
}

lock::HoldKey released_as(const Asked& asked, const std::string& request_id) {
  lock::HoldKey key = key_of(asked);
  key.request_id = request_id;
  return key;
}

using Kind = lock::Record::Kind;

// What ann has entered twice, as an earlier process left it.
lock::RecoveredHold left_behind(std::vector<lock::Record> records, std::uint32_t count) {
  lock::LockSpec spec = want("ann").spec;
  spec.count = count;
  spec.records = std::move(records);
  return {spec, 50, 8s};
}

TEST_CASE("an entry that was taken back because its client was gone is entered when it is asked for again") {
  for (const auto& wanted : {want("ann"), want("ann").reading(), want("ann", {"x", "y"})}) {
    BrokerRig rig;
    const auto outer = rig.acquire(wanted.called("outer"));
    rig.engine.slow = true;
    const auto lost = rig.acquire(wanted.called("inner"));
    rig.withdraw(lost);
    rig.commit_all();
    CHECK(rig.broker.info("x").holders.at(0).count == 1);
    rig.engine.slow = false;
    const auto inner = rig.acquire(wanted.called("inner"));
    REQUIRE(inner->state() == "granted");
    CHECK(inner->granted().count == 2);
    CHECK(rig.acquire(wanted.called("inner"))->granted().count == 2);
    const auto held = rig.broker.leases().find(outer->granted().token);
    CHECK(held->spec.count == 2);
    CHECK(rig.acquire(wanted.called("outer"))->granted().count == 1);
  }
}

TEST_CASE_FIXTURE(BrokerRig, "an entry asked for again while it is being taken back counts once") {
  acquire(want("ann").called("outer"));
  engine.slow = true;
  withdraw(acquire(want("ann").called("inner")));
  commit();  // and now it is taken back
  const auto again = acquire(want("ann").called("inner"));
  commit_all();
  CHECK(again->state() == "granted");
  CHECK(again->granted().count == 2);
  CHECK(broker.info("x").holders.at(0).count == 2);
}

TEST_CASE_FIXTURE(BrokerRig, "an entry that could not be written is no entry, and asked for again is one") {
  acquire(want("ann").called("outer"));
  engine.trouble = core::Error{core::kStorageError, "full"};
  CHECK(acquire(want("ann").called("inner"))->state() == "StorageError");
  engine.trouble.reset();
  CHECK(broker.info("x").holders.at(0).count == 1);
  CHECK(acquire(want("ann").called("inner"))->granted().count == 2);
}

TEST_CASE("what an earlier process did under a request_id is answered again, and not done again") {
  BrokerRig rig({}, {left_behind({{Kind::kAcquire, "1", 1},
                                  {Kind::kAcquire, "2", 2},
                                  {Kind::kAcquire, "3", 3},
                                  {Kind::kRelease, "q", 2}},
                                 2)});
  for (const auto& [id, count] : {std::pair("1", 1U), std::pair("2", 2U), std::pair("3", 3U)}) {
    const auto again = rig.acquire(want("ann").called(id));
    REQUIRE(again->state() == "replay");
    CHECK(again->granted().count == count);
  }
  const auto again = value(rig.release({"x", "ann", 50, lock::HoldKey::Kind::kAny, "q"}));
  CHECK(again.replay);
  CHECK(again.count == 2);
  CHECK(rig.acquire(want("bob"))->state() == "held");
  CHECK(value(rig.release({"x", "ann", 50, lock::HoldKey::Kind::kAny, "p"})).count == 1);
  CHECK(value(rig.release({"x", "ann", 50, lock::HoldKey::Kind::kAny, "o"})).count == 0);
  CHECK(value(rig.release({"x", "ann", 50, lock::HoldKey::Kind::kAny, "q"})).count == 2);
  CHECK(rig.acquire(want("ann").called("2"))->state() == "NotHeld");
}

TEST_CASE("a hold knows its latest requests for as long as it lasts, whatever the memory has forgotten") {
  BrokerRig rig({.memory = 10s});
  const auto ann = rig.acquire(want("ann").called("r").leased(10min));
  CHECK(rig.acquire(want("ann").called("s"))->granted().count == 2);
  CHECK(value(rig.release(released_as(ann, "q"))).count == 1);
  rig.pass(1min);
  CHECK(rig.acquire(want("ann").called("s"))->state() == "replay");
  CHECK(value(rig.release(released_as(ann, "q"))).replay);
  CHECK(rig.broker.info("x").holders.at(0).count == 1);
  for (int id = 0; id < 100; ++id) {
    rig.acquire(want("ann").called(std::to_string(id)));
    rig.release(released_as(ann, "left " + std::to_string(id)));
  }
  CHECK(rig.engine.kept.begin()->second.records.size() == 32);
}

TEST_CASE_FIXTURE(HeldRig, "of a hold that was entered again no release is answered before it is kept") {
  acquire(want("ann"));
  engine.slow = true;
  const auto inner = release(released_as(ann, "q"));
  const auto same = release(released_as(ann, "q"));
  CHECK(outcome(inner) == "");
  CHECK(outcome(same) == "");
  commit_all();
  CHECK(value(inner).count == 1);
  CHECK(value(same).count == 1);
  CHECK(value(same).replay);
  const auto bob = acquire(want("bob").waiting(1min));
  const auto outer = release(ann);
  const auto repeated = release(ann);
  CHECK(outcome(outer) == "");
  CHECK(bob->state() == "");
  CHECK(engine.kept.begin()->second.count == 0);
  commit_all();
  CHECK(value(outer).count == 0);
  CHECK(value(repeated).replay);
  CHECK(bob->state() == "granted");
}

// How often it was entered in all nobody knows.
TEST_CASE("no release of what an earlier process left is answered before it is kept") {
  BrokerRig rig({}, {left_behind({}, 1)});
  rig.engine.slow = true;
  const auto released = rig.release({"x", "ann", 50});
  CHECK(outcome(released) == "");
  CHECK(rig.engine.kept.at(50).count == 0);
  rig.commit_all();
  CHECK(value(released).count == 0);
  CHECK(rig.broker.leases().size() == 0);
}

TEST_CASE_FIXTURE(HeldRig,
                  "a hold that is being given back is not entered, and its owner may have the next one") {
  acquire(want("ann"));
  release(ann);
  engine.slow = true;
  release(ann);
  const auto next = acquire(want("ann").waiting(1s));
  commit_all();
  REQUIRE(next->state() == "granted");
  CHECK(next->granted().token > ann->granted().token);
  CHECK(next->granted().count == 1);
}

TEST_CASE_FIXTURE(HeldRig, "a release that could not be kept did not happen") {
  acquire(want("ann"));
  engine.trouble = core::Error{core::kStorageError, "full"};
  CHECK(outcome(release(released_as(ann, "q"))) == "StorageError");
  CHECK(outcome(release(released_as(ann, "q"))) == "StorageError");
  engine.trouble.reset();
  CHECK(broker.info("x").holders.at(0).count == 2);
  CHECK(value(release(released_as(ann, "q"))).count == 1);
  engine.trouble = core::Error{core::kStorageError, "full"};
  CHECK(outcome(release(ann)) == "StorageError");
  engine.trouble.reset();
  CHECK(acquire(want("bob"))->state() == "held");
  CHECK(value(release(ann)).count == 0);
}

TEST_CASE_FIXTURE(BrokerRig, "several locks released under one request_id are released once") {
  const auto set = acquire(want("ann", {"x", "y"}));
  acquire(want("ann", {"x", "y"}));
  const auto one = acquire(want("ann", {"z"}));
  const std::vector<lock::Ticketed> held = {
      {"x", set->granted().token}, {"y", set->granted().token}, {"z", one->granted().token}};
  const auto release = [&](const std::string& id) {
    return answered<lock::BatchResult>(
        [&](auto done) { broker.release_many("ann", held, id, std::move(done)); });
  };
  for (int time = 0; time < 2; ++time) {
    CHECK(value(release("q")).done.size() == 3);
    CHECK(broker.info("x").holders.at(0).count == 1);
  }
  CHECK(value(release("p")).done.size() == 3);
  CHECK(broker.info("x").holders.empty());
}

}  // namespace zerosuite::test::broker_requests_test
