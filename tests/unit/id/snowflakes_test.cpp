// The snowflakes of all layouts of one issuer.
#include "id/snowflake/snowflakes.hpp"

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "support/id_world.hpp"

namespace zerosuite::test::snowflakes_test {

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

TEST_CASE("layouts with the same bits share their ids, others do not") {
  LayoutsRig rig;
  CHECK(&rig.all().of("custom:41/10/12@1288834974657") == &rig.all().of("twitter"));
  CHECK(&rig.all().of("discord") != &rig.all().of("twitter"));
  CHECK(&rig.all().of("discord") == &rig.all().of("discord"));
  CHECK(rig.all().all().size() == 2);
}

TEST_CASE("who spells out the bits of a named layout gets its sequences, whoever comes first") {
  LayoutsRig rig;
  id::Snowflake& custom = rig.all().of("custom:41/10/12@550281600000");
  CHECK(&custom == &rig.all().of("pysnowflake"));
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

TEST_CASE("every layout reserves for itself") {
  LayoutsRig rig;
  const auto ignore = [](const core::Result<id::Snowflake::Runs>&) {};
  rig.all().of("twitter").take(1, ignore);
  rig.all().of("js53").take(1, ignore);
  REQUIRE(rig.process.store.asks.size() == 2);
  CHECK(rig.process.store.asks[0].key.text() == "ticks:41/10/12@1288834974657+1000us/7");
  CHECK(rig.process.store.asks[1].key.text() == "ticks:41/6/6@1577836800000+1000us/7");
}

TEST_CASE("a name that means nothing is refused, and leaves nothing behind") {
  LayoutsRig rig;
  CHECK(refused(rig.all(), "snow") == "NoSuchLayout");
  CHECK(refused(rig.all(), "custom:1") == "InvalidArgument");
  CHECK(rig.all().all().size() == 1);  // the usual one
}

TEST_CASE("sixty-four layouts are issued, and those and the named ones go on when more are asked for") {
  LayoutsRig rig;
  for (int i = 0; i < 63; ++i) REQUIRE(refused(rig.all(), custom(i)) == "there");
  CHECK(refused(rig.all(), custom(63)) == "Overloaded");
  CHECK(refused(rig.all(), custom(62)) == "there");
  for (const char* name : {"default", "twitter", "discord", "js53"})
    CHECK(refused(rig.all(), name) == "there");
}

TEST_CASE("a layout that is spelled in many ways is one") {
  LayoutsRig rig;
  std::string zeros;
  for (int i = 0; i < 100; ++i)
    REQUIRE(refused(rig.all(), "custom:" + (zeros += '0') + "41/10/12@7") == "there");
  CHECK(rig.all().all().size() == 2);
}

TEST_CASE("no id is 0, not even the first of a layout whose epoch is now") {
  IdSetup setup;
  setup.claim.worker = 0;
  LayoutsRig rig(setup);
  id::Snowflake& young = rig.all().of("custom:20/10/12@" + std::to_string(kWallMs) + "+3600000ms");
  std::int64_t first = 0;
  young.take(1,
             [&](const core::Result<id::Snowflake::Runs>& runs) { first = runs ? runs->front().first : -1; });
  rig.process.store.settle();
  CHECK(first > 0);
}

TEST_CASE("all layouts give their ticks back at a stop, and only then it is over") {
  LayoutsRig rig;
  const auto ignore = [](const core::Result<id::Snowflake::Runs>&) {};
  for (const char* name : {"twitter", "js53", "sony"}) rig.all().of(name).take(1, ignore);
  rig.process.store.settle();
  bool over = false;
  rig.all().stop(std::make_shared<core::CompletionLatch>([&] { over = true; }));
  CHECK_FALSE(over);
  CHECK(rig.process.store.waiting() == 3);
  REQUIRE(rig.process.store.settle_one());
  REQUIRE(rig.process.store.settle_one());
  CHECK_FALSE(over);
  rig.process.store.settle();
  CHECK(over);
}

TEST_CASE("a stop of no layouts is over at once") {
  LayoutsRig rig;
  bool over = false;
  rig.all().stop(std::make_shared<core::CompletionLatch>([&] { over = true; }));
  CHECK(over);
}

}  // namespace zerosuite::test::snowflakes_test
