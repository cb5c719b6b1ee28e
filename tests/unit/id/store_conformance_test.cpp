// What every store must do with ranges of values and with pins, whatever keeps them. A store joins with a rig
// of its own.
#include <doctest/doctest.h>

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "support/store_rigs.hpp"

namespace zerosuite::test::store_conformance_test {

using id::Claim, id::Lease;
using id::Range;

constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

TEST_CASE_TEMPLATE("the ranges of a key begin at 1 and follow each other", Rig, STORE_RIGS) {
  Rig rig;
  CHECK(rig.range(counter("a"), 1) == Range{1, 2});
  CHECK(rig.range(counter("a"), 10) == Range{2, 12});
  CHECK(rig.range(counter("a"), 1 << 24) == Range{12, 12 + (1 << 24)});
  CHECK(rig.range(counter("a"), 1) == Range{12 + (1 << 24), 13 + (1 << 24)});
}

TEST_CASE_TEMPLATE("no answer comes before the call returns, and each comes once", Rig, STORE_RIGS) {
  Rig rig;
  const auto lease = *rig.claim(claim_by("ann"));
  int answers = 0;
  const auto note = [&](const auto&) { ++answers; };
  auto& store = rig.store();
  store.reserve({.key = counter("a")}, note);
  store.reserve({.key = tag_key("none")}, note);
  store.give_back(counter("a"), {1, 2}, note);
  store.create_tag(tag_of("t"), note);
  store.update_tag("t", {.step = 2}, note);
  store.tag("t", note);
  store.tags({}, note);
  store.delete_tag("t", note);
  store.claim(claim_by("bob"), note);
  store.renew(claim_by("ann"), lease, note);
  store.renew(claim_by("eve"), lease, note);
  store.release(claim_by("ann"), lease, note);
  store.pin("p", "v", id::Store::Pin::kKeep, note);
  store.look({}, note);
  store.remember({}, note);
  CHECK(answers == 0);
  rig.settle();
  CHECK(answers == 15);
}

TEST_CASE_TEMPLATE("keys of other names or kinds are counted by themselves", Rig, STORE_RIGS) {
  Rig rig;
  REQUIRE(rig.create_tag(tag_of("a")));
  const std::vector<id::Key> keys = {counter("a"),   ticks("a"),     tag_key("a"),
                                     counter("b"),   counter(""),    counter("tag:a"),
                                     counter("a "),  counter("A"),   counter(std::string("a\0b", 3)),
                                     counter("a\n"), counter("\xff")};
  for (const auto& key : keys) CHECK(rig.range(key, 5) == Range{1, 6});
  for (const auto& key : keys) CHECK(rig.range(key, 5) == Range{6, 11});
}

TEST_CASE_TEMPLATE("a range begins at the floor when that is above the next value", Rig, STORE_RIGS) {
  Rig rig;
  CHECK(rig.reserve({.key = ticks("t/0"), .count = 3, .floor = 1000})->range == Range{1000, 1003});
  CHECK(rig.reserve({.key = ticks("t/0"), .count = 3, .floor = 500})->range == Range{1003, 1006});
  CHECK(rig.reserve({.key = ticks("t/0"), .count = 3, .floor = 1006})->range == Range{1006, 1009});
  CHECK(rig.reserve({.key = ticks("t/0"), .count = 3, .floor = 2000})->range == Range{2000, 2003});
}

TEST_CASE_TEMPLATE("where a key comes to its end a range is shorter, and then there is none", Rig,
                   STORE_RIGS) {
  Rig rig;
  CHECK(rig.reserve({.key = counter("a"), .count = 8, .end = 11})->range == Range{1, 9});
  CHECK(rig.reserve({.key = counter("a"), .count = 8, .end = 11})->range == Range{9, 11});
  const auto refused = rig.reserve({.key = counter("a"), .count = 8, .end = 11});
  REQUIRE(name_of(refused) == "RangeExhausted");
  CHECK(refused.error().text().find("\"max\":10") != std::string::npos);
  CHECK(name_of(rig.reserve({.key = counter("b"), .floor = 11, .end = 11})) == "RangeExhausted");
  CHECK(rig.reserve({.key = counter("b"), .floor = 10, .end = 11})->range == Range{10, 11});
  CHECK(rig.range(counter("a"), 2) == Range{11, 13});
}

TEST_CASE_TEMPLATE("values up to the greatest are exact", Rig, STORE_RIGS) {
  Rig rig;
  const auto first = rig.reserve({.key = counter("a"), .count = 7, .floor = kGreatest - 10});
  CHECK(first->range == Range{kGreatest - 10, kGreatest - 3});
  const auto second = rig.reserve({.key = counter("a"), .count = 7});
  CHECK(second->range == Range{kGreatest - 3, kGreatest});
  CHECK(second->stored == kGreatest - 3);
  CHECK(name_of(rig.reserve({.key = counter("a")})) == "RangeExhausted");
  CHECK(*rig.give_back(counter("a"), {kGreatest - 1, kGreatest}));
  CHECK(rig.range(counter("a"), 7) == Range{kGreatest - 1, kGreatest});
  CHECK(rig.reserve({.key = counter("b"), .count = kGreatest})->range == Range{1, kGreatest});
  const std::int64_t odd = (std::int64_t{1} << 53) + 1;  // no double can hold it
  CHECK(rig.reserve({.key = counter("c"), .count = 2, .floor = odd})->range == Range{odd, odd + 2});
  CHECK(rig.reserve({.key = counter("c")})->stored == odd + 2);
  CHECK_FALSE(
      *rig.give_back(counter("c"), {odd + 2, odd + 4}));  // as a double its end is the key's next value
}

TEST_CASE_TEMPLATE("what was stored before is answered; nothing known is 0", Rig, STORE_RIGS) {
  Rig rig;
  CHECK(rig.reserve({.key = counter("a"), .count = 10})->stored == 0);
  CHECK(rig.reserve({.key = counter("a"), .floor = 500})->stored == 11);
  CHECK(rig.reserve({.key = counter("a")})->stored == 501);
  REQUIRE(rig.create_tag(tag_of("t")));
  CHECK(rig.reserve({.key = tag_key("t"), .count = 10})->stored == 1);
  CHECK(rig.reserve({.key = tag_key("t")})->stored == 11);
}

TEST_CASE_TEMPLATE("the last range can be given back in part or whole, an earlier one not", Rig, STORE_RIGS) {
  Rig rig;
  REQUIRE(rig.create_tag(tag_of("a")));
  for (const auto& key : {counter("a"), ticks("a"), tag_key("a")}) {
    CHECK(rig.range(key, 100) == Range{1, 101});
    CHECK(*rig.give_back(key, {41, 101}));
    CHECK(rig.range(key, 100) == Range{41, 141});
    CHECK(rig.range(key, 100) == Range{141, 241});
    CHECK_FALSE(*rig.give_back(key, {41, 141}));
    CHECK(rig.range(key, 100) == Range{241, 341});
    CHECK(*rig.give_back(key, {241, 341}));
    CHECK_FALSE(*rig.give_back(key, {241, 341}));
    CHECK(rig.reserve({.key = key})->stored == 241);
  }
  CHECK_FALSE(*rig.give_back(counter("unknown"), {1, 101}));
  CHECK(rig.reserve({.key = counter("unknown")})->stored == 0);
}

TEST_CASE_TEMPLATE("a pin is kept until it is replaced", Rig, STORE_RIGS) {
  Rig rig;
  const std::string odd("4\0001/10/12 \xff\n", 12);
  CHECK(*rig.pin("layout", odd) == odd);
  CHECK(*rig.pin("layout", "other") == odd);
  CHECK(*rig.pin("other", "other") == "other");
  CHECK(*rig.pin("layout", "new", id::Store::Pin::kReplace) == "new");
  CHECK(*rig.pin("layout", "x") == "new");
  CHECK(*rig.pin("third", "3", id::Store::Pin::kReplace) == "3");
  CHECK(*rig.pin("third", "x") == "3");
}

TEST_CASE_TEMPLATE("a thousand who ask at once get ranges of their own, in order of the calls", Rig,
                   STORE_RIGS) {
  Rig rig;
  std::vector<Range> ranges;
  for (int nth = 0; nth < 1000; ++nth)
    rig.store().reserve({.key = counter("a"), .count = nth % 7 + 1},
                        [&](auto reserved) { ranges.push_back(reserved->range); });
  rig.settle();
  REQUIRE(ranges.size() == 1000);
  std::int64_t next = 1;
  for (std::size_t nth = 0; nth < ranges.size(); ++nth) {
    CHECK(ranges[nth] == Range{next, next + static_cast<std::int64_t>(nth) % 7 + 1});
    next = ranges[nth].hi;
  }
}

TEST_CASE_TEMPLATE("calls of all kinds are answered once each, in order, one refusal among them", Rig,
                   STORE_RIGS) {
  Rig rig;
  std::string told;
  const auto note = [&](char what) {
    return [&told, what](const auto& result) { (told += what) += result ? ' ' : '!'; };
  };
  auto& store = rig.store();
  store.create_tag(tag_of("t"), note('a'));
  store.reserve({.key = tag_key("t"), .count = 5}, note('b'));
  store.reserve({.key = tag_key("none")}, note('c'));
  store.create_tag(tag_of("t"), note('d'));
  store.update_tag("t", {.step = 5}, note('e'));
  store.give_back(tag_key("t"), {3, 6}, note('f'));
  store.tag("t", note('g'));
  store.tags({}, note('h'));
  store.claim(claim_by("ann"), note('i'));
  store.pin("p", "v", id::Store::Pin::kKeep, note('j'));
  store.delete_tag("none", note('k'));
  store.delete_tag("t", [&](auto tag) {
    REQUIRE(tag);
    CHECK(tag->next == 3);
    told += 'l';
    rig.store().create_tag(tag_of("u"), note('m'));
  });
  rig.settle();
  CHECK(told == "a b c!d!e f g h i j k!lm ");
  CHECK_FALSE(rig.store().trouble());
}

// What every store must do with worker ids.

TEST_CASE_TEMPLATE("a worker id is its owner's, who may claim it again", Rig, STORE_RIGS) {
  Rig rig;
  const Lease lease = *rig.claim(claim_by("ann", 7));
  CHECK(lease.worker == 7);
  CHECK(lease.epoch >= 1);
  CHECK_FALSE(lease.taken_over);
  const Lease again = *rig.claim(claim_by("ann", 7));
  CHECK(again.epoch == lease.epoch);
  CHECK_FALSE(again.taken_over);
  CHECK(rig.claim(claim_by("ann"))->worker == 7);
  const auto refused = rig.claim(claim_by("bob", 7));
  REQUIRE(name_of(refused) == "WorkerIdInUse");
  CHECK(refused.error().text().find("\"owner\":\"ann\"") != std::string::npos);
  CHECK(refused.error().text().find("\"retry_after_ms\":") != std::string::npos);
  CHECK(rig.claim(claim_by("bob", 8))->worker == 8);
}

TEST_CASE_TEMPLATE("who names none gets the lowest that is free, until none is", Rig, STORE_RIGS) {
  Rig rig;
  const auto any = [](const std::string& owner) {
    Claim claim = claim_by(owner);
    claim.workers = 4;
    return claim;
  };
  REQUIRE(rig.claim(claim_by("one", 1)));
  const Lease zero = *rig.claim(any("zero"));
  CHECK(zero.worker == 0);
  CHECK(rig.claim(any("two"))->worker == 2);
  CHECK(rig.claim(any("three"))->worker == 3);
  CHECK(name_of(rig.claim(any("four"))) == "WorkerIdExhausted");
  CHECK(rig.claim(any("two"))->worker == 2);
  CHECK(*rig.release(any("zero"), zero));
  CHECK(rig.claim(any("four"))->worker == 0);
  CHECK(name_of(rig.claim(any("five"))) == "WorkerIdExhausted");
}

TEST_CASE_TEMPLATE("those who ask at once get an id each, and one too many gets none", Rig, STORE_RIGS) {
  Rig rig;
  std::set<std::int64_t> workers;
  std::string refused;
  for (int nth = 0; nth <= 100; ++nth)
    rig.store().claim({.workers = 100, .owner = std::to_string(nth)}, [&](auto lease) {
      if (!lease) return void(refused += lease.error().name);
      workers.insert(lease->worker);
      CHECK(lease->epoch == 1);
      CHECK_FALSE(lease->taken_over);
    });
  rig.settle();
  CHECK(refused == "WorkerIdExhausted");
  CHECK(workers.size() == 100);
  CHECK(*workers.begin() == 0);
  CHECK(*workers.rbegin() == 99);
}

TEST_CASE_TEMPLATE("an id that was given back is another's, in a later epoch and not taken over", Rig,
                   STORE_RIGS) {
  Rig rig;
  const Lease ann = *rig.claim(claim_by("ann", 3));
  CHECK_FALSE(*rig.release(claim_by("bob", 3), ann));
  CHECK(*rig.release(claim_by("ann", 3), ann));
  CHECK_FALSE(*rig.release(claim_by("ann", 3), ann));
  CHECK(name_of(rig.renew(claim_by("ann", 3), ann)) == "LeaseLost");
  const Lease bob = *rig.claim(claim_by("bob", 3));
  CHECK(bob.epoch > ann.epoch);
  CHECK_FALSE(bob.taken_over);
  CHECK(name_of(rig.renew(claim_by("ann", 3), ann)) == "LeaseLost");
  CHECK_FALSE(*rig.release(claim_by("ann", 3), ann));
  CHECK(rig.renew(claim_by("bob", 3), bob)->epoch == bob.epoch);
  CHECK(name_of(rig.claim(claim_by("cy", 3))) == "WorkerIdInUse");
  CHECK(*rig.release(claim_by("bob", 3), bob));
  const Lease again = *rig.claim(claim_by("bob", 3));
  CHECK(again.epoch == bob.epoch + 1);
  CHECK_FALSE(*rig.release(claim_by("bob", 3), bob));
  CHECK(name_of(rig.renew(claim_by("bob", 3), bob)) == "LeaseLost");
  CHECK(*rig.release(claim_by("bob", 3), again));
}

TEST_CASE_TEMPLATE("a lease that is renewed lasts", Rig, STORE_RIGS) {
  Rig rig;
  Claim claim = claim_by("ann", 3);
  claim.ttl = 1s;
  const Lease lease = *rig.claim(claim);
  for (int round = 0; round < 4; ++round) {
    rig.pass(600ms);
    const auto renewed = rig.renew(claim, lease);
    REQUIRE(renewed);
    CHECK(renewed->worker == 3);
    CHECK(renewed->epoch == lease.epoch);
    CHECK_FALSE(renewed->taken_over);
  }
  CHECK(name_of(rig.claim(claim_by("bob", 3))) == "WorkerIdInUse");
}

TEST_CASE_TEMPLATE("a lease that was not renewed passes, and who takes the id over is told so", Rig,
                   SHARED_STORE_RIGS) {
  Rig rig;
  REQUIRE(rig.store().traits().shared);
  Claim claim = claim_by("ann", 0);
  claim.ttl = 1s;
  const Lease ann = *rig.claim(claim);
  rig.pass(1500ms);
  CHECK(name_of(rig.renew(claim, ann)) == "LeaseLost");
  const Lease bob = *rig.claim(claim_by("bob"));
  CHECK(bob.worker == 0);
  CHECK(bob.taken_over);
  CHECK(bob.epoch > ann.epoch);
  CHECK(name_of(rig.renew(claim, ann)) == "LeaseLost");
  CHECK_FALSE(*rig.release(claim, ann));
  CHECK(name_of(rig.claim(claim)) == "WorkerIdInUse");
}

}  // namespace zerosuite::test::store_conformance_test
