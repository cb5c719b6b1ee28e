// Which answers of the embedded engine wait for the disk.
#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "net/offload_pool.hpp"
#include "net/reactor.hpp"
#include "support/lock_engine_rig.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::embedded_durability_test {

using lock::Ending;
using lock::Token;
using lock::engines::Durability;

// An engine that has given out a lease of 30 s, so that the next of that length need not be noted.
struct Bench : EmbeddedRig {
  using EngineCalls::acquire, EngineCalls::amend;

  explicit Bench(Durability kept) : EmbeddedRig(kept) {
    release(acquire(spec({"first"})));
    pass(100ms);
  }
  auto note(const std::string& what) {
    return [this, what](const auto& result) { notes += what + (result ? " " : "! "); };
  }
  void acquire(const lock::LockSpec& wanted, const std::string& what) {
    test::acquire(engine(), wanted, [this, what](auto result) {
      if (result && *result) last = (*result)->token;
      notes += what + (!result ? "! " : *result ? " " : "- ");
    });
  }
  void amend(Token token, const lock::LockSpec& wanted, const std::string& what) {
    test::amend(engine(), token, wanted, note(what));
  }
  // What was answered since the last time it was asked.
  std::string answered() { return std::exchange(notes, {}); }
  std::size_t jobs() {
    turn();
    return offload.waiting.size();
  }

  std::string notes;
  Token last = 0;
};

TEST_CASE("in sync a grant is answered after it is on the disk, in async and none at once") {
  Bench sync(Durability::kSync);
  sync.acquire(spec({"a"}), "a");
  CHECK(sync.answered().empty());
  CHECK(sync.jobs() == 1);
  CHECK(sync.answered().empty());
  sync.settle();
  CHECK(sync.answered() == "a ");
  for (const Durability durability : {Durability::kAsync, Durability::kNone}) {
    Bench bench(durability);
    bench.acquire(spec({"a"}), "a");
    CHECK(bench.answered() == "a ");
    bench.pass(5ms);
    bench.restart_after_crash();
    CHECK(bench.engine().holds().size() == (durability == Durability::kAsync ? 1 : 0));
  }
}

TEST_CASE("in sync the lease begins with the answer, however long the disk takes") {
  Bench bench(Durability::kSync);
  auto wanted = spec({"a"}, "ann");
  wanted.lease = 1s;
  bench.acquire(wanted, "a");
  bench.turn();
  test::pass(bench.timers, 5s);
  bench.settle();
  CHECK(bench.answered() == "a ");
  CHECK(bench.holds("a")[0].remaining == 1s);
  bench.acquire(spec({"a"}, "bob"), "b");
  CHECK(bench.answered() == "b- ");
  bench.pass(999ms);
  bench.amend(bench.last, spec({"a"}, "ann"), "c");
  bench.turn();
  test::pass(bench.timers, 60s);
  bench.acquire(spec({"a"}, "bob"), "b");
  bench.settle();
  CHECK(bench.answered() == "c b- ");
}

TEST_CASE("one commit serves all who came in one turn") {
  Bench bench(Durability::kSync);
  for (const char* name : {"a", "b", "c"}) bench.acquire(spec({name}), name);
  for (const char* owner : {"d", "e"}) bench.acquire(context({"x"}, owner), owner);
  CHECK(bench.jobs() == 1);
  bench.offload.work();
  CHECK(bench.answered() == "a b c d e ");
  CHECK(bench.jobs() == 0);
}

TEST_CASE("in sync an amend waits when it makes the hold worth more, or another, or one entry less") {
  const auto waits = [](void (*change)(lock::LockSpec&)) {
    Bench bench(Durability::kSync);
    auto held = spec({"a"});
    held.count = 2;
    held.records = {{lock::Record::Kind::kAcquire, "r", 2}};
    const Token token = bench.acquire(held);
    change(held);
    bench.amend(token, held, "x");
    const bool waited = bench.answered().empty();
    bench.pass(20ms);
    bench.restart_after_crash();
    CHECK(bench.engine().holds()[0].spec == held);
    return waited;
  };
  CHECK(waits([](lock::LockSpec& spec) { spec.lease += 1ms; }));
  CHECK(waits([](lock::LockSpec& spec) { spec.count = 3; }));
  CHECK(waits([](lock::LockSpec& spec) { spec.mode = lock::Mode::kShared; }));
  CHECK(waits([](lock::LockSpec& spec) { spec.count = 1; }));
  CHECK(waits([](lock::LockSpec& spec) { spec.records = {{lock::Record::Kind::kRelease, "s", 1}}; }));
  CHECK(waits([](lock::LockSpec& spec) { spec.confirm = 1s; }));
  CHECK_FALSE(waits([](lock::LockSpec&) {}));
  CHECK_FALSE(waits([](lock::LockSpec& spec) { spec.lease -= 1ms; }));
  CHECK_FALSE(waits([](lock::LockSpec& spec) { spec.held = 1s; }));
}

TEST_CASE("an amend that changes nothing writes nothing") {
  Bench bench(Durability::kSync);
  const Token token = bench.acquire(spec({"a"}));
  CHECK(bench.amend(token, spec({"a"})));
  bench.pass(1s);
  CHECK(bench.jobs() == 0);
}

TEST_CASE("a release never waits, and is written within 20 ms in sync") {
  Bench bench(Durability::kSync);
  const Token token = bench.acquire(spec({"a"}));
  test::release(bench.engine(), token, Ending::kReleased, bench.note("r"));
  CHECK(bench.answered() == "r ");
  CHECK(bench.jobs() == 0);
  bench.pass(20ms);
  bench.restart_after_crash();
  CHECK(bench.engine().holds().empty());
}

TEST_CASE("a hold given back before it was written leaves no trace, and its grant is answered as nobody's") {
  Bench bench(Durability::kSync);
  bench.acquire(spec({"a"}), "a");
  const Token token = bench.engine().holds().at(0).token;
  test::release(bench.engine(), token, Ending::kTaken, bench.note("r"));
  CHECK(bench.engine().holds().empty());
  bench.settle();
  CHECK(bench.answered() == "a- r ");
}

TEST_CASE("who was told nobody's in turn may have it when it is free by then") {
  Bench bench(Durability::kSync);
  bench.acquire(spec({"a"}, "ann"), "ann");
  bench.acquire(spec({"a"}, "bob"), "bob");
  test::release(bench.engine(), bench.engine().holds().at(0).token, Ending::kTaken, bench.note("r"));
  bench.settle();
  CHECK(bench.answered().starts_with("ann- "));
  REQUIRE(bench.engine().holds().size() == 1);
  CHECK(bench.engine().holds()[0].spec.owner == "bob");
}

TEST_CASE("in async and none a longer lease than any before waits for the note of it") {
  for (const Durability durability : {Durability::kAsync, Durability::kNone}) {
    Bench bench(durability);
    auto longer = spec({"a"});
    longer.lease = 40s;
    bench.acquire(longer, "a");
    CHECK(bench.answered().empty());
    bench.settle();
    CHECK(bench.answered() == "a ");
    longer.names = {"b"};
    bench.acquire(longer, "b");
    CHECK(bench.answered() == "b ");
    longer.lease = 50s;
    bench.amend(bench.last, longer, "c");
    CHECK(bench.answered().empty());
    bench.settle();
    CHECK(bench.answered() == "c ");
    bench.restart_after_crash();
    CHECK(bench.engine().recovering() == 50s);
  }
}

TEST_CASE("in async what was taken from somebody is given on only once that is on the disk") {
  Bench bench(Durability::kAsync);
  auto held = spec({"a", "b"}, "ann");
  held.lease = 1s;
  bench.acquire(held);
  bench.pass(1s);
  bench.acquire(spec({"b"}, "bob"), "bob");
  CHECK(bench.answered().empty());
  bench.acquire(spec({"a"}, "cy"), "cy");
  CHECK(bench.answered().empty());
  bench.settle();
  CHECK(bench.answered() == "bob cy ");
  test::release(bench.engine(), bench.last, Ending::kTaken, bench.note("r"));
  bench.acquire(spec({"a"}, "dan"), "dan");
  CHECK(bench.answered() == "r ");
  bench.settle();
  CHECK(bench.answered() == "dan ");
}

TEST_CASE("in async what was given back, or taken before it was written, is given on at once") {
  Bench bench(Durability::kAsync);
  bench.acquire(spec({"a"}, "ann"), "ann");
  bench.pass(5ms);
  test::release(bench.engine(), bench.last, Ending::kReleased, bench.note("r"));
  bench.acquire(spec({"a"}, "bob"), "bob");
  test::release(bench.engine(), bench.last, Ending::kTaken, bench.note("r"));
  bench.acquire(spec({"a"}, "cy"), "cy");
  CHECK(bench.answered() == "ann r bob r cy ");
}

TEST_CASE("in none only the meta is written") {
  Bench bench(Durability::kNone);
  for (const char* name : {"a", "b", "c"}) bench.acquire(spec({name}), name);
  test::release(bench.engine(), bench.last, Ending::kTaken, bench.note("r"));
  bench.acquire(spec({"c"}), "d");
  CHECK(bench.answered() == "a b c r d ");
  bench.pass(10s);
  CHECK(bench.jobs() == 0);
}

TEST_CASE("on real threads every grant is answered once and is there after a crash") {
  const TemporaryFolder folder;
  const lock::engines::EmbeddedOptions options{folder.path(), Durability::kSync, 0};
  constexpr int kGrants = 500;
  int granted = 0;
  {
    net::Reactor reactor;
    std::optional<lock::engines::Embedded> engine;
    net::Pool pool(reactor);
    engine.emplace(reactor.timers(), pool, options);
    int asked = 0;
    std::function<void()> ask = [&] {
      const int number = asked++;
      if (number >= kGrants) return;
      test::acquire(*engine, spec({std::to_string(number)}), [&](auto result) {
        if (result && *result) ++granted;
        ask();
      });
    };
    for (int client = 0; client < 20; ++client) ask();
    CHECK(turn_until(reactor, [&] { return granted == kGrants && engine->idle(); }));
  }
  net::Timers timers(kStart);
  HandOffload offload;
  const lock::engines::Embedded after(timers, offload, options);
  CHECK(after.holds().size() == kGrants);
}

TEST_CASE("it is said when grants begin again after an unclean stop, and not after another") {
  EmbeddedRig rig(Durability::kNone);
  auto wanted = spec({"a"});
  wanted.lease = 10s;
  rig.acquire(wanted);
  rig.pass(1s);
  rig.restart();
  rig.pass(1s);
  CHECK(rig.notices.empty());
  rig.restart_after_crash();
  rig.pass(1s);
  CHECK(rig.notices.empty());
  rig.pass(1min);
  REQUIRE(rig.notices.size() == 1);
  CHECK(rig.notices.at(0).what == lock::engines::Notice::What::kRecovered);
}

}  // namespace zerosuite::test::embedded_durability_test
