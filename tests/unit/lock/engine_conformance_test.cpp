// What every lock engine must do, whatever keeps its locks. An engine joins with a rig of its own.
#include <doctest/doctest.h>

#include <functional>

#include "support/lock_engine_rig.hpp"

namespace zerosuite::test::engine_conformance_test {

using lock::Ending;
using lock::Token;

using lock::engines::Durability;

template <Durability kept>
struct Embedded : EmbeddedRig {
  Embedded() : EmbeddedRig(kept) {}
};
using EmbeddedSync = Embedded<Durability::kSync>;
using EmbeddedAsync = Embedded<Durability::kAsync>;
using EmbeddedNone = Embedded<Durability::kNone>;

#define ENGINES EmbeddedSync, EmbeddedAsync, EmbeddedNone

TEST_CASE_TEMPLATE("what one owner holds no other gets until it is given back", Rig, ENGINES) {
  Rig rig;
  const Token token = rig.acquire(spec({"a"}, "ann"));
  CHECK(token > 0);
  CHECK(rig.acquire(spec({"a"}, "bob")) == 0);
  CHECK(rig.acquire(spec({"b"}, "bob")) > 0);
  CHECK(rig.release(token));
  CHECK(rig.acquire(spec({"a"}, "bob")) > 0);
}

TEST_CASE_TEMPLATE("tokens rise over all names", Rig, ENGINES) {
  Rig rig;
  Token last = 0;
  for (int round = 0; round < 5; ++round) {
    for (const char* name : {"a", "b", "c"}) {
      const Token token = rig.acquire(spec({name}));
      CHECK(token > last);
      CHECK(rig.release(token));
      last = token;
    }
  }
  CHECK(last < Token{1} << 53);
}

TEST_CASE_TEMPLATE("a grant says how long its lease is, from the answer on", Rig, ENGINES) {
  Rig rig;
  auto wanted = spec({"a"});
  wanted.lease = 7s;
  std::optional<lock::Grant> grant;
  test::acquire(rig.engine(), wanted, [&](auto result) { grant = *result; });
  rig.settle();
  REQUIRE(grant);
  CHECK(grant->lease <= 7s);
  CHECK(grant->lease > 6s);
}

TEST_CASE_TEMPLATE("shared holds go together, but not with an exclusive one", Rig, ENGINES) {
  Rig rig;
  const Token ann = rig.acquire(context({"a"}, "ann"));
  const Token bob = rig.acquire(context({"a"}, "bob"));
  CHECK(bob > ann);
  CHECK(rig.acquire(spec({"a"}, "cy")) == 0);
  rig.release(ann);
  CHECK(rig.acquire(spec({"a"}, "cy")) == 0);
  rig.release(bob);
  CHECK(rig.acquire(spec({"a"}, "cy")) > 0);
  CHECK(rig.acquire(context({"a"}, "ann")) == 0);
}

TEST_CASE_TEMPLATE("permits are given as long as there are any", Rig, ENGINES) {
  Rig rig;
  const Token two = rig.acquire(permits({"a"}, 2, 5));
  CHECK(two > 0);
  CHECK(rig.acquire(permits({"a"}, 4, 5)) == 0);
  CHECK(rig.acquire(permits({"a"}, 3, 5)) > 0);
  CHECK(rig.acquire(permits({"a"}, 1, 5)) == 0);
  rig.release(two);
  CHECK(rig.acquire(permits({"a"}, 2, 5)) > 0);
  CHECK(rig.acquire(permits({"a"}, 1, 5)) == 0);
}

TEST_CASE_TEMPLATE("permits of another limit, and other kinds of holds, wait until all permits are back", Rig,
                   ENGINES) {
  Rig rig;
  const Token one = rig.acquire(permits({"a"}, 1, 5));
  CHECK(rig.acquire(permits({"a"}, 1, 6)) == 0);
  CHECK(rig.acquire(context({"a"})) == 0);
  CHECK(rig.acquire(spec({"a"})) == 0);
  rig.release(one);
  CHECK(rig.acquire(context({"a"})) > 0);
  CHECK(rig.acquire(permits({"a"}, 1, 5)) == 0);
}

TEST_CASE_TEMPLATE("a set of names is taken as a whole or not at all, and given back so", Rig, ENGINES) {
  Rig rig;
  const Token middle = rig.acquire(spec({"b"}, "ann"));
  CHECK(rig.acquire(spec({"a", "b", "c"}, "bob")) == 0);
  const Token first = rig.acquire(spec({"a"}, "cy"));
  CHECK(first > 0);
  rig.release(middle);
  rig.release(first);
  const Token all = rig.acquire(spec({"a", "b", "c"}, "bob"));
  for (const char* name : {"a", "b", "c"}) CHECK(rig.acquire(spec({name}, "ann")) == 0);
  rig.release(all);
  for (const char* name : {"a", "b", "c"}) CHECK(rig.acquire(spec({name}, "ann")) > 0);
}

TEST_CASE_TEMPLATE("a hold whose lease has passed goes to the next owner, and is nobody's any more", Rig,
                   ENGINES) {
  Rig rig;
  auto short_lease = spec({"a", "b"}, "ann");
  short_lease.lease = 1s;
  const Token lapsed = rig.acquire(short_lease);
  CHECK(rig.acquire(spec({"a"}, "bob")) == 0);
  rig.pass(1001ms);
  const Token next = rig.acquire(spec({"a"}, "bob"));
  CHECK(next > lapsed);
  CHECK_FALSE(rig.release(lapsed));
  CHECK_FALSE(rig.amend(lapsed, short_lease));
  CHECK(rig.acquire(spec({"b"}, "cy")) > 0);
}

TEST_CASE_TEMPLATE("an amended lease begins anew", Rig, ENGINES) {
  Rig rig;
  auto wanted = spec({"a"}, "ann");
  wanted.lease = 1s;
  const Token token = rig.acquire(wanted);
  rig.pass(900ms);
  CHECK(rig.amend(token, wanted));
  rig.pass(900ms);
  CHECK(rig.acquire(spec({"a"}, "bob")) == 0);
  wanted.lease = 5s;
  CHECK(rig.amend(token, wanted));
  rig.pass(4900ms);
  CHECK(rig.acquire(spec({"a"}, "bob")) == 0);
  rig.pass(200ms);
  CHECK(rig.acquire(spec({"a"}, "bob")) > 0);
}

TEST_CASE_TEMPLATE("a hold that became shared lets others share it", Rig, ENGINES) {
  Rig rig;
  const Token token = rig.acquire(spec({"a"}, "ann"));
  CHECK(rig.acquire(context({"a"}, "bob")) == 0);
  CHECK(rig.amend(token, context({"a"}, "ann")));
  CHECK(rig.acquire(context({"a"}, "bob")) > 0);
  CHECK(rig.acquire(spec({"a"}, "cy")) == 0);
}

TEST_CASE_TEMPLATE("a second release, and one of a token never given out, answer false", Rig, ENGINES) {
  Rig rig;
  const Token token = rig.acquire(spec({"a"}));
  CHECK(rig.release(token));
  CHECK_FALSE(rig.release(token));
  CHECK_FALSE(rig.amend(token, spec({"a"})));
  CHECK_FALSE(rig.release(token + 1000));
}

TEST_CASE_TEMPLATE("inspect shows who holds a name, in order of tokens, with all that is kept", Rig,
                   ENGINES) {
  Rig rig;
  auto first = context({"a", "b"}, "ann");
  first.lease = 10s;
  first.lock_delay = 2s;
  first.request_id = "r-1";
  first.data = std::string("x\0y", 3);
  const Token ann = rig.acquire(first);
  const Token bob = rig.acquire(context({"a"}, "bob"));
  first.count = 3;
  CHECK(rig.amend(ann, first));
  rig.pass(4s);
  const auto held = rig.holds("a");
  REQUIRE(held.size() == 2);
  CHECK(held[0].spec == first);
  CHECK(held[0].token == ann);
  CHECK(held[0].remaining <= 6s);
  CHECK(held[0].remaining > 5s);
  CHECK(held[1].token == bob);
  CHECK(rig.holds("b").size() == 1);
  CHECK(rig.holds("c").empty());
  CHECK(rig.engine().holds().size() == 2);
  rig.pass(6001ms);
  CHECK(rig.holds("b").empty());
}

TEST_CASE_TEMPLATE("who watches a name is called once when a hold on it ends", Rig, ENGINES) {
  Rig rig;
  const Token token = rig.acquire(spec({"a", "b"}));
  const Token other = rig.acquire(spec({"c"}));
  int calls = 0;
  rig.engine().watch_free("b", [&] { ++calls; });
  rig.release(other);
  CHECK(calls == 0);
  rig.release(token, Ending::kTaken);
  rig.settle();
  CHECK(calls == 1);
  rig.release(rig.acquire(spec({"b"})));
  CHECK(calls == 1);
}

TEST_CASE_TEMPLATE("who watches a name is called when its lease passes, or it becomes shared", Rig, ENGINES) {
  Rig rig;
  auto wanted = spec({"a"});
  wanted.lease = 1s;
  const Token token = rig.acquire(wanted);
  int calls = 0;
  rig.engine().watch_free("a", [&] { ++calls; });
  rig.pass(900ms);
  CHECK(calls == 0);
  wanted.mode = lock::Mode::kShared;
  rig.amend(token, wanted);
  CHECK(calls == 1);
  rig.engine().watch_free("a", [&] { ++calls; });
  rig.pass(999ms);
  CHECK(calls == 1);
  rig.pass(2ms);
  CHECK(calls == 2);
  CHECK(rig.acquire(spec({"a"})) > 0);
}

TEST_CASE_TEMPLATE("a watch of a name that is free already is not lost", Rig, ENGINES) {
  Rig rig;
  int calls = 0;
  rig.engine().watch_free("a", [&] { ++calls; });
  rig.pass(1ms);
  CHECK(calls == 1);
}

TEST_CASE_TEMPLATE("the answers of one name come in the order of the calls", Rig, ENGINES) {
  Rig rig;
  const Token held = rig.acquire(spec({"b"}, "cy"));
  std::string order;
  const auto note = [&](const char* what) { return [&, what](const auto&) { order += what; }; };
  auto& engine = rig.engine();
  test::acquire(engine, spec({"a", "b"}, "dan"), note("1"));
  test::acquire(engine, spec({"a"}, "ann"), note("2"));
  test::acquire(engine, spec({"a"}, "bob"), note("3"));
  test::amend(engine, held, spec({"a"}, "bob"), note("4"));
  test::acquire(engine, context({"a", "c"}, "bob"), note("5"));
  test::acquire(engine, spec({"c"}, "eve"), note("6"));
  rig.settle();
  CHECK(order == "123456");
}

TEST_CASE_TEMPLATE("nothing is called back inside a call", Rig, ENGINES) {
  Rig rig;
  const Token held = rig.acquire(spec({"a"}, "ann"));
  std::string told;
  const auto call = [&](const char* name, auto calls) {
    core::Done<bool> done = [&told, name](const auto&) { told += name; };
    const auto outcome = calls(done);
    CHECK(told.empty());
    rig.settle();
    CHECK(told == (outcome ? "" : name));
    told.clear();
  };
  rig.engine().watch_free("a", [&] { told += "freed"; });
  rig.settle();
  call("amend", [&](auto& done) { return rig.engine().amend(held, spec({"a"}, "ann"), done); });
  core::Done<bool> done = [](const auto&) {};
  rig.engine().release(held, Ending::kReleased, done);
  CHECK(told.empty());
  rig.settle();
  CHECK(told == "freed");
}

TEST_CASE_TEMPLATE("an engine may be called again from inside its answers", Rig, ENGINES) {
  Rig rig;
  std::string told;
  auto& engine = rig.engine();
  test::acquire(engine, spec({"a"}, "ann"), [&](auto first) {
    told += "got ";
    engine.watch_free("a", [&] {
      told += "freed ";
      test::acquire(engine, spec({"a"}, "bob"), [&](auto second) { told += *second ? "got" : "none"; });
    });
    test::release(engine, (*first)->token, Ending::kReleased, [&](auto) { told += "gave "; });
  });
  rig.settle();
  CHECK(told == "got gave freed got");
}

}  // namespace zerosuite::test::engine_conformance_test
