// Ids of one issuer: when the store is asked, who waits, and for how long.
#include "id/snowflake/snowflake.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/error.hpp"
#include "id/snowflake/snowflakes.hpp"
#include "support/id_world.hpp"

namespace zerosuite::test::snowflake_test {

IdSetup js53() { return {.layout = "js53"}; }

TEST_CASE_FIXTURE(
    IdRig, "the first use reserves some ticks, and three seconds more when it is known that none are ahead") {
  CHECK(process.store.reserves == 0);
  CHECK_FALSE(process.one());
  const auto first = process.take(3);
  CHECK(first->state() == "waits");
  REQUIRE(process.store.asks.size() == 1);
  const id::ReserveRequest ask = process.store.asks[0];
  const std::int64_t tick = process.now_tick();
  CHECK(ask.key == process.key());
  CHECK(ask.count == 20);
  CHECK(ask.floor == tick);
  CHECK(ask.end == std::int64_t{1} << 41);
  process.store.settle();
  REQUIRE(first->state() == "ids");
  const std::int64_t id = tick << 22 | 7 << 12;
  CHECK(first->ids() == std::vector<std::int64_t>{id, id + 1, id + 2});
  CHECK(process.one() == id + 3);
  REQUIRE(process.store.reserves == 2);
  CHECK(process.store.asks[1].count == 3000);
  CHECK(process.store.asks[1].floor == tick + 20);
}

TEST_CASE_FIXTURE(IdRig, "how far ticks are reserved is told") {
  CHECK(process.snowflake().reserved_ms() == 0);
  process.get();
  CHECK(process.snowflake().reserved_ms() == kWallMs + 3020);
}

TEST_CASE_FIXTURE(IdRig, "a window is renewed at half, where the last one ends") {
  process.get();
  const std::int64_t end = process.now_tick() + 3020;
  world.pass(1519ms);
  CHECK(process.one());
  CHECK(process.store.reserves == 2);
  world.pass(1ms);
  CHECK(process.one());
  REQUIRE(process.store.reserves == 3);
  CHECK(process.store.asks[2].floor == end);
  CHECK(process.one());  // the store is not asked twice
  CHECK(process.store.reserves == 3);
}

TEST_CASE_FIXTURE(IdRig, "after an idle time ids are of the present") {
  const std::int64_t before = process.get()->ids().front();
  world.pass(1h, 1min);
  const auto after = process.get();
  REQUIRE(after->state() == "ids");
  CHECK(process.tick_of(after->ids().front()) == process.tick_of(before) + 3'600'000);
}

TEST_CASE("a tick that is used up is followed by borrowed ones, at most a second of them") {
  IdRig rig(js53());
  CHECK(rig.process.snowflake().most() == 64'000);
  const auto all = rig.process.get(64'000);
  REQUIRE(all->state() == "ids");
  CHECK(rig.process.tick_of(all->ids().back()) == rig.process.now_tick() + 999);
  CHECK(rig.process.take(64)->state() == "ids");
  const auto beyond = rig.process.take(13);
  CHECK(beyond->state() == "waits");
  CHECK(rig.process.snowflake().parked() == 1);
  CHECK_FALSE(rig.process.one());
  rig.world.pass(1ms);
  REQUIRE(beyond->state() == "ids");
  CHECK(rig.process.tick_of(beyond->ids().front()) == rig.process.now_tick() + 1000);
  CHECK(rig.process.snowflake().parked() == 0);
}

TEST_CASE("a caller that asks for more than there is gets it as time passes, in its turn") {
  IdRig rig(js53());
  rig.process.get(64'064);
  const auto ann = rig.process.take(640);
  const auto bob = rig.process.take(13);
  rig.world.pass(9ms);
  CHECK(ann->state() == "waits");
  rig.world.pass(1ms);
  CHECK(ann->state() == "ids");
  CHECK(bob->state() == "waits");
  rig.world.pass(1ms);
  REQUIRE(bob->state() == "ids");
  CHECK(ann->ids().back() < bob->ids().front());
  CHECK(ann->ids().size() == 640);
}

TEST_CASE("all of the sequence numbers are given out when they are asked for") {
  IdRig rig(js53());
  rig.process.get(64'064);
  std::int64_t given = 0;
  for (int ms = 0; ms < 5000; ++ms) {
    rig.world.pass(1ms);
    const auto answer = rig.process.take(64);
    REQUIRE(answer->state() == "ids");
    given += static_cast<std::int64_t>(answer->ids().size());
  }
  CHECK(given == 5000 * 64);
}

TEST_CASE("a caller that would wait for time to pass longer than it may is told to come back") {
  IdRig rig(js53());
  rig.process.get(64'064);
  const auto first = rig.process.take(64'000);
  const auto second = rig.process.take(63'936);
  const auto third = rig.process.take(64);
  const auto fourth = rig.process.take(64);
  rig.world.pass(2s);
  CHECK(first->state() == "ids");
  CHECK(second->state() == "ids");
  CHECK(third->state() == "ids");
  REQUIRE(fourth->state() == "Overloaded");
  CHECK(fourth->message() == R"(more ids are asked for than the layout has {"retry_after_ms":1000})");
}

TEST_CASE("who waits for time to pass does not wait for the store as well") {
  IdRig rig(js53());
  rig.process.get();
  rig.world.pass(1600ms);
  rig.process.store.delay = 1h;
  rig.process.take(64'000);
  CHECK(rig.process.store.waiting() == 1);
  const auto next = rig.process.take(640);
  rig.world.pass(10ms);
  CHECK(next->state() == "ids");
}

TEST_CASE_FIXTURE(IdSetup, "too many who wait are not let in") {
  options.max_parked = 2;
  IdRig rig(*this);
  const auto ann = rig.process.take();
  const auto bob = rig.process.take();
  const auto cat = rig.process.take();
  CHECK(cat->state() == "Overloaded");
  CHECK(cat->message().ends_with(R"( {"retry_after_ms":1000})"));
  CHECK(bob->state() == "Overloaded");  // one client gets half of them
  rig.process.store.settle();
  CHECK(ann->state() == "ids");
}

TEST_CASE("who asks for all there is, again and again, takes nothing from others who ask for their share") {
  IdRig rig(js53());
  const auto ask = [&](std::int64_t n, id::Client client) {
    auto answer = std::make_shared<IdAnswer>();
    rig.process.snowflake().take(
        n, [answer](core::Result<std::vector<id::Run>> result) { answer->result = result; }, client);
    rig.process.store.settle();
    return answer;
  };
  std::vector<std::shared_ptr<IdAnswer>> greedy, modest;
  for (int ms = 0; ms < 10'000; ++ms) {
    if (ms % 250 == 0) greedy.push_back(ask(64'000, 1));  // four times what there is
    if (ms % 10 == 0) {
      REQUIRE(ask(1, 2)->state() == "ids");
      REQUIRE(ask(12, 3)->state() == "ids");
      modest.push_back(ask(100, 4));
    }
    rig.world.pass(1ms);
  }
  const auto served = [](const auto& answers) {
    return std::count_if(answers.begin(), answers.end(), [](const auto& it) { return it->state() == "ids"; });
  };
  CHECK(served(modest) == static_cast<std::ptrdiff_t>(modest.size()));
  CHECK(served(greedy) >= 3);
}

TEST_CASE("two who ask for more than there is share it") {
  IdRig rig(js53());
  rig.process.get(64'064);
  std::map<id::Client, std::int64_t> given;
  std::function<void(id::Client)> again = [&](id::Client client) {
    const std::int64_t n = client == 1 ? 20'000 : 500;
    rig.process.snowflake().take(
        n,
        [&, client, n](const core::Result<id::Snowflake::Runs>& runs) {
          if (runs) given[client] += n;
          again(client);
        },
        client);
  };
  for (int i = 0; i < 3; ++i) again(1);
  again(2);
  rig.world.pass(20s);
  CHECK(given[2] > 400'000);
  CHECK(given[1] > 400'000);
}

TEST_CASE_FIXTURE(IdRig, "a caller that is answered may ask again at once, any number of times") {
  std::vector<std::int64_t> ids;
  std::function<void()> again = [&] {
    process.snowflake().take(1, [&](const core::Result<id::Snowflake::Runs>& runs) {
      ids.push_back(runs->front().first);
      if (const auto id = process.one()) ids.push_back(*id);
      if (ids.size() < 500'000) again();
    });
  };
  again();
  process.store.settle();
  CHECK(ids.size() >= 500'000);
  CHECK(std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end());
}

TEST_CASE_FIXTURE(IdRig, "who is refused may ask again at once") {
  process.store.delay = 1h;
  std::string second;
  process.snowflake().take(1, [&](const core::Result<id::Snowflake::Runs>&) {
    process.snowflake().take(
        1, [&](const core::Result<id::Snowflake::Runs>& runs) { second = runs.error().name; });
  });
  world.pass(2s);
  CHECK(second.empty());
  world.pass(2s);
  CHECK(second == "Unavailable");
}

// Ids of one issuer whose store is slow, gone, or back again.

TEST_CASE_FIXTURE(IdRig, "under steady traffic no call waits for a store that answers a second late") {
  process.get();
  process.store.delay = 1s;
  std::int64_t last = 0;
  for (int ms = 0; ms < 20'000; ++ms) {
    world.pass(1ms);
    const auto id = process.one();
    REQUIRE(id);
    REQUIRE(*id > last);
    REQUIRE(process.tick_of(*id) == process.now_tick());
    last = *id;
  }
  CHECK(process.store.reserves == 9);
}

TEST_CASE("without the store ids go on to the end of the window; then callers wait a while, and hear so") {
  for (const Fate fate : {Fate::kRefused, Fate::kDropped, Fate::kLost}) {
    IdRig rig;
    rig.process.get();
    rig.fail(fate);
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

TEST_CASE_FIXTURE(IdRig, "a store that never answers is as good as none") {
  process.store.delay = 1h;
  const auto parked = process.take();
  world.pass(1999ms);
  CHECK(parked->state() == "waits");
  world.pass(1ms);
  REQUIRE(parked->state() == "Unavailable");
  CHECK(parked->message() ==
        R"(no ticks can be reserved: the store does not answer {"retry_after_ms":1000})");
}

TEST_CASE_FIXTURE(
    IdRig, "when the store is back those who wait are served, and the store was not stormed meanwhile") {
  fail(Fate::kRefused);
  const auto parked = process.take();
  world.pass(1500ms);
  CHECK(parked->state() == "waits");
  CHECK(process.store.reserves == 5);  // at once, and after pauses of 50, 100, 200 and 400 ms
  fail(Fate::kDone);
  world.pass(500ms);
  CHECK(parked->state() == "ids");
  CHECK(process.store.reserves == 7);
}

TEST_CASE_FIXTURE(IdRig, "a store that cannot keep anything is named") {
  fail(Fate::kBroken);
  const auto parked = process.take();
  world.pass(2s);
  REQUIRE(parked->state() == "StorageError");
  CHECK(parked->message().ends_with(R"( {"retry_after_ms":1000})"));
}

TEST_CASE_FIXTURE(IdRig, "an answer that was lost leaves a gap, and stops nobody") {
  process.get();
  int asked = 0;
  process.store.fate = [&asked](std::string_view call) {
    return call == "reserve" && asked++ % 3 == 0 ? Fate::kLost : Fate::kDone;
  };
  std::int64_t last = 0;
  for (int ms = 0; ms < 20'000; ++ms) {
    world.pass(1ms);
    const auto id = process.one();
    REQUIRE(id);
    REQUIRE(*id > last);
    last = *id;
  }
  CHECK(asked > 4);
}

// The snowflakes of all layouts of one issuer.

std::string refused(id::Snowflakes& snowflakes, const std::string& name) {
  try {
    snowflakes.of(name);
  } catch (const core::Failure& failure) {
    return failure.name();
  }
  return "there";
}

std::string custom(int epoch) { return "custom:41/10/12@" + std::to_string(epoch); }

struct LayoutsRig {
  LayoutsRig() : LayoutsRig(IdSetup{}) {}
  explicit LayoutsRig(const IdSetup& setup) : process(world, setup) {}

  id::Snowflakes& all() { return *process.snowflakes; }

  IdWorld world;
  IdProcess process;
};

TEST_CASE("without a name the usual layout is meant") {
  LayoutsRig rig({.layout = "sony"});
  CHECK(&rig.all().of("") == &rig.all().of("sony"));
  CHECK(&rig.all().of("default") == &rig.all().of("sony"));
  CHECK(rig.all().layout("").name == "sony");
  CHECK(rig.all().layout("default").name == "sony");
  CHECK(rig.all().layout("js53").name == "js53");
  CHECK(rig.all().usual().name == "sony");
  CHECK(rig.all().all().size() == 1);
}

TEST_CASE_FIXTURE(LayoutsRig, "layouts with the same bits share their ids, others do not") {
  CHECK(&all().of("custom:41/10/12@1288834974657") == &all().of("twitter"));
  CHECK(&all().of("discord") != &all().of("twitter"));
  CHECK(&all().of("discord") == &all().of("discord"));
  CHECK(all().all().size() == 2);
}

TEST_CASE_FIXTURE(LayoutsRig,
                  "who spells out the bits of a named layout gets its sequences, whoever comes first") {
  id::Snowflake& custom = all().of("custom:41/10/12@550281600000");
  CHECK(&custom == &all().of("pysnowflake"));
  CHECK(custom.layout().first_sequence() == 1);
}

TEST_CASE("the usual layout begins its sequences as it was set up, by whatever name it is asked for") {
  IdWorld world;
  IdProcess process(world);
  id::Layout usual = id::layout_of("twitter");
  usual.start = id::SequenceStart::kOne;
  id::Snowflakes all({process.timers, process.store, process.time, *process.worker, process.entropy}, usual,
                     {});
  CHECK(all.of("twitter").layout().first_sequence() == 1);
  CHECK(all.of("").layout().first_sequence() == 1);
}

TEST_CASE_FIXTURE(LayoutsRig, "every layout reserves for itself") {
  const auto ignore = [](const core::Result<id::Snowflake::Runs>&) {};
  all().of("twitter").take(1, ignore);
  all().of("js53").take(1, ignore);
  REQUIRE(process.store.asks.size() == 2);
  CHECK(process.store.asks[0].key.text() == "ticks:41/10/12@1288834974657+1000us/7");
  CHECK(process.store.asks[1].key.text() == "ticks:41/6/6@1577836800000+1000us/7");
}

TEST_CASE_FIXTURE(LayoutsRig, "a name that means nothing is refused, and leaves nothing behind") {
  CHECK(refused(all(), "snow") == "NoSuchLayout");
  CHECK(refused(all(), "custom:1") == "InvalidArgument");
  CHECK(all().all().size() == 1);  // the usual one
}

TEST_CASE_FIXTURE(
    LayoutsRig, "sixty-four layouts are issued, and those and the named ones go on when more are asked for") {
  for (int i = 0; i < 63; ++i) REQUIRE(refused(all(), custom(i)) == "there");
  CHECK(refused(all(), custom(63)) == "Overloaded");
  CHECK(refused(all(), custom(62)) == "there");
  for (const char* name : {"default", "twitter", "discord", "js53"}) CHECK(refused(all(), name) == "there");
}

TEST_CASE_FIXTURE(LayoutsRig, "a layout that is spelled in many ways is one") {
  std::string zeros;
  for (int i = 0; i < 100; ++i) REQUIRE(refused(all(), "custom:" + (zeros += '0') + "41/10/12@7") == "there");
  CHECK(all().all().size() == 2);
}

TEST_CASE_FIXTURE(IdSetup, "no id is 0, not even the first of a layout whose epoch is now") {
  claim.worker = 0;
  LayoutsRig rig(*this);
  id::Snowflake& young = rig.all().of("custom:20/10/12@" + std::to_string(kWallMs) + "+3600000ms");
  std::int64_t first = 0;
  young.take(1,
             [&](const core::Result<id::Snowflake::Runs>& runs) { first = runs ? runs->front().first : -1; });
  rig.process.store.settle();
  CHECK(first > 0);
}

TEST_CASE_FIXTURE(LayoutsRig, "all layouts give their ticks back at a stop, and only then it is over") {
  const auto ignore = [](const core::Result<id::Snowflake::Runs>&) {};
  for (const char* name : {"twitter", "js53", "sony"}) all().of(name).take(1, ignore);
  process.store.settle();
  bool over = false;
  all().stop(std::make_shared<core::CompletionLatch>([&] { over = true; }));
  CHECK_FALSE(over);
  CHECK(process.store.waiting() == 3);
  REQUIRE(process.store.settle_one());
  REQUIRE(process.store.settle_one());
  CHECK_FALSE(over);
  process.store.settle();
  CHECK(over);
}

TEST_CASE_FIXTURE(LayoutsRig, "a stop of no layouts is over at once") {
  bool over = false;
  all().stop(std::make_shared<core::CompletionLatch>([&] { over = true; }));
  CHECK(over);
}

}  // namespace zerosuite::test::snowflake_test
