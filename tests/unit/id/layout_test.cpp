// Ids of the world read by their layouts, and layouts made of a line of text.
#include "id/snowflake/layout.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <set>
#include <string>

#include "core/error.hpp"

namespace zerosuite::test::layout_test {

using id::Layout;
using id::layout_of;
using id::Parts;

struct Read {
  std::int64_t ms;
  std::int64_t worker;
  std::int64_t sequence;

  friend bool operator==(const Read&, const Read&) = default;
};

Read read(std::string_view name, std::int64_t id) {
  const Layout layout = layout_of(name);
  const Parts parts = layout.parse(id);
  return {layout.time_ns(parts.tick) / 1'000'000, parts.worker, parts.sequence};
}

std::int64_t last_id(const Layout& layout) {
  return layout.compose({layout.ticks() - 1, layout.workers() - 1, layout.sequences() - 1});
}

int bits(const Layout& layout) { return layout.tick_bits + layout.worker_bits + layout.sequence_bits; }

std::string refused(std::string_view name) {
  try {
    layout_of(name);
  } catch (const core::Failure& failure) {
    return failure.name() + ": " + failure.what();
  }
  return "taken";
}

TEST_CASE("ids that others published are read as they meant them") {
  // Wikipedia, "Snowflake ID": a tweet of 2022-06-28T16:07:40.105Z by worker 378.
  CHECK(read("twitter", 1'541'815'603'606'036'480) == Read{1'656'432'460'105, 378, 0});
  // discord.com/developers/docs/reference: 2016-04-30T11:18:25.796Z, worker 1, process 0, increment 7.
  CHECK(read("discord", 175'928'847'299'117'063) == Read{1'462'015'105'796, 1 << 5 | 0, 7});
  // Instagram Engineering, "Sharding & IDs at Instagram": 1387263000 ms, shard 1341, the 5001st.
  CHECK(read("insta", 11'637'205'501'278'089) == Read{1'314'220'021'721 + 1'387'263'000, 1341, 5001 % 1024});
  // Leaf's LeafMonitorController says so of an id it decodes: 1567733700834, sequence 3448, worker 39.
  CHECK(read("twitter", 1'169'786'042'799'259'000) == Read{1'567'733'700'834, 39, 3448});
  // README of baidu/uid-generator, parseUID: worker 4, sequence 9 (its time is of another epoch).
  CHECK(read("baidu", 180'363'646'902'239'241) == Read{1'468'922'873'000, 4, 9});
}

TEST_CASE("pysnowflake's ids are made of data centre, worker and a sequence that begins at 1") {
  const Layout layout = layout_of("pysnowflake");
  const std::int64_t id = (1'704'067'200'000 - 550'281'600'000) << 22 | (3 << 8 | 7) << 12 | 1;
  CHECK(read("pysnowflake", id) == Read{1'704'067'200'000, 3 << 8 | 7, 1});
  CHECK(layout.first_sequence() == 1);
  CHECK(layout.datacenter_bits == 2);
}

TEST_CASE("sony's ids have the sequence above the machine") {
  const std::int64_t id = std::int64_t{1000} << 24 | 5 << 16 | 77;
  CHECK(read("sony", id) == Read{1'409'529'600'000 + 10'000, 77, 5});
  CHECK(layout_of("sony").stride() == 65'536);
  CHECK(layout_of("twitter").stride() == 1);
}

TEST_CASE("what a layout composes it parses, and the other way round") {
  std::mt19937_64 random(7);
  for (const Layout& layout : id::named_layouts()) {
    CAPTURE(layout.name);
    const auto below = [&](std::int64_t end) {
      return std::uniform_int_distribution<std::int64_t>(0, end - 1)(random);
    };
    for (int i = 0; i < 1000; ++i) {
      const Parts parts{below(layout.ticks()), below(layout.workers()), below(layout.sequences())};
      const std::int64_t id = layout.compose(parts);
      const Parts parsed = layout.parse(id);
      REQUIRE(parsed.tick == parts.tick);
      REQUIRE(parsed.worker == parts.worker);
      REQUIRE(parsed.sequence == parts.sequence);
      const std::int64_t any = below(last_id(layout));
      REQUIRE(layout.compose(layout.parse(any)) == any);
    }
  }
}

TEST_CASE("ids of a later tick are greater, whatever else is in them") {
  for (const Layout& layout : id::named_layouts()) {
    CAPTURE(layout.name);
    CHECK(layout.compose({41, layout.workers() - 1, layout.sequences() - 1}) + 1 ==
          layout.compose({42, 0, 0}));
  }
}

TEST_CASE("no id is negative, and the last one has as many bits as the layout") {
  for (const Layout& layout : id::named_layouts()) {
    CAPTURE(layout.name);
    CHECK(bits(layout) <= 63);
    CHECK(last_id(layout) ==
          static_cast<std::int64_t>(std::numeric_limits<std::uint64_t>::max() >> (64 - bits(layout))));
    CHECK(layout.datacenter_bits <= layout.worker_bits);
  }
  for (const char* full : {"twitter", "discord", "pysnowflake", "sony", "insta", "baidu", "crdb"})
    CHECK(bits(layout_of(full)) == 63);
}

TEST_CASE("ids for JavaScript stay below 2^53") {
  for (const char* name : {"js53", "js53s"}) CHECK(last_id(layout_of(name)) == (std::int64_t{1} << 53) - 1);
}

TEST_CASE("an id that the layout cannot have made is refused") {
  const Layout js = layout_of("js53");
  CHECK_NOTHROW(js.parse(last_id(js)));
  CHECK_THROWS_WITH(js.parse(std::int64_t{1} << 53),
                    "an id of layout js53 is from 0 to 2^53-1, not 9007199254740992");
  CHECK_THROWS_WITH(js.parse(-1), "an id of layout js53 is from 0 to 2^53-1, not -1");
  CHECK_THROWS_AS(js.parse(std::numeric_limits<std::int64_t>::min()), core::Failure);
  CHECK_NOTHROW(layout_of("twitter").parse(std::numeric_limits<std::int64_t>::max()));
  CHECK(layout_of("twitter").parse(0).tick == 0);
}

TEST_CASE("layouts end when they are known to") {
  const auto end_ms = [](const char* name) {
    const Layout layout = layout_of(name);
    return layout.time_ns(layout.ticks()) / 1'000'000;
  };
  CHECK(end_ms("twitter") == 3'487'858'230'209);      // 2080-07-10T17:30:30.209Z
  CHECK(end_ms("discord") == 3'619'093'655'552);      // 2084-09-06T15:47:35.552Z
  CHECK(end_ms("pysnowflake") == 2'749'304'855'552);  // 2057-02-13T15:47:35.552Z
  CHECK(end_ms("sony") == 6'907'087'738'880);         // 2188-11-16T03:28:58.880Z
  CHECK(end_ms("insta") == 2'413'731'649'497);        // 2046-06-27T17:00:49.497Z
  CHECK(end_ms("baidu") == 1'732'109'056'000);        // 2024-11-20T21:24:16+08:00
  CHECK(end_ms("crdb") == 4'234'820'167'106);         // 2104-03-13T02:56:07.106Z
  CHECK(end_ms("js53") == 3'776'860'055'552);         // 2089-09-06T15:47:35.552Z
  CHECK(end_ms("js53s") == 5'872'804'096'000);        // 2156-02-07T06:28:16Z
}

TEST_CASE("a time belongs to the tick that it falls in, before the epoch too") {
  const Layout sony = layout_of("sony");
  const std::int64_t epoch = sony.epoch_ms * 1'000'000;
  CHECK(sony.tick_at(epoch) == 0);
  CHECK(sony.tick_at(epoch + 9'999'999) == 0);
  CHECK(sony.tick_at(epoch + 10'000'000) == 1);
  CHECK(sony.tick_at(epoch - 1) == -1);
  CHECK(sony.tick_at(epoch - 10'000'000) == -1);
  CHECK(sony.tick_at(epoch - 10'000'001) == -2);
  for (const Layout& layout : id::named_layouts()) {
    for (const std::int64_t tick : {std::int64_t{0}, std::int64_t{1}, layout.ticks() / 2, layout.ticks()}) {
      CHECK(layout.tick_at(layout.time_ns(tick)) == tick);
      CHECK(layout.tick_at(layout.time_ns(tick) - 1) == tick - 1);
    }
  }
}

TEST_CASE("every named layout has its own fingerprint") {
  std::set<std::string> all;
  for (const Layout& layout : id::named_layouts()) {
    CHECK(layout_of(layout.name).fingerprint() == layout.fingerprint());
    all.insert(layout.fingerprint());
  }
  CHECK(all.size() == 9);
  CHECK(layout_of("twitter").fingerprint() == "41/10/12@1288834974657+1000us");
  CHECK(layout_of("sony").fingerprint() == "39/8s/16w@1409529600000+10000us");
}

TEST_CASE("whatever moves the bits of ids changes the fingerprint, and the name does not") {
  const Layout twitter = layout_of("twitter");
  std::set<std::string> all = {twitter.fingerprint()};
  for (int change = 0; change < 6; ++change) {
    Layout other = twitter;
    if (change == 0) other.epoch_ms = 1;
    if (change == 1) other.unit_us = 1;
    if (change == 2) other.tick_bits = 40;
    if (change == 3) other.worker_bits = 9;
    if (change == 4) other.sequence_bits = 11;
    if (change == 5) other.worker_lowest = true;
    all.insert(other.fingerprint());
  }
  CHECK(all.size() == 7);
  CHECK(layout_of("custom:41/10/12@1288834974657").fingerprint() == twitter.fingerprint());
}

TEST_CASE("a custom layout has the bits, the epoch and the unit that are asked for") {
  const Layout plain = layout_of("custom:40/8/15@1600000000000");
  CHECK(plain.name == "custom:40/8/15@1600000000000");
  CHECK(plain.fingerprint() == "40/8/15@1600000000000+1000us");
  CHECK(layout_of("custom:39/8/16@0+10ms").fingerprint() == "39/8/16@0+10000us");
  CHECK(layout_of("custom:48/15/0@0+10us").fingerprint() == "48/15/0@0+10us");
  CHECK(layout_of("custom:20/0/31@0+3600000ms").unit_us == 3'600'000'000);
  CHECK(layout_of("custom:1/31/31@0+1us").ticks() == 2);
  CHECK(layout_of("custom:53/10/0@0+1us").fingerprint() == "53/10/0@0+1us");
}

TEST_CASE("a custom layout that cannot be is refused, with its own text and what is expected") {
  const std::string expected =
      "; expected custom:TICK/WORKER/SEQUENCE@EPOCH_MS, and +10ms or the like for the tick";
  for (const char* text :
       {"custom:", "custom:41", "custom:41/10", "custom:41/10/12", "custom:41/10/12@", "custom:41-10-12@0",
        "custom:41/10/12@0 ", "custom: 41/10/12@0", "custom:41/10/12@0+", "custom:41/10/12@0+10",
        "custom:41/10/12@0+ms", "custom:41/10/12@0+10s", "custom:41/10/12@0+10msx", "custom:-1/10/12@0",
        "custom:41/10/12@-5", "custom:41/10/12@99999999999999999999", "custom:41/10/12@0+-1ms",
        "custom:41/1x/12@0", "custom:0x10/10/12@0"}) {
    CHECK(refused(text) == "InvalidArgument: layout " + std::string(text) + ": not understood" + expected);
  }
  for (const char* text :
       {"custom:0/10/12@0", "custom:63/0/0@0", "custom:41/32/0@0", "custom:31/0/32@0", "custom:41/11/12@0",
        "custom:41/9223372036854775807/12@0", "custom:9223372036854775807/1/1@0"}) {
    CHECK(refused(text) == "InvalidArgument: layout " + std::string(text) +
                               ": at least one bit of ticks, at most 31 of workers and of sequence, and 63 "
                               "in all" +
                               expected);
  }
  for (const char* text : {"custom:41/10/12@0+0ms", "custom:30/1/1@0+3600001ms"}) {
    CHECK(refused(text) == "InvalidArgument: layout " + std::string(text) +
                               ": a tick is from 1 to 3600000 us or ms" + expected);
  }
}

TEST_CASE("a custom layout ends before the clock does") {
  const std::string why = "its last tick is later than the year 2262";
  CHECK(refused("custom:43/10/10@0") == "taken");  // 278 years from 1970
  CHECK(refused("custom:44/10/9@0").find(why) != std::string::npos);
  CHECK(refused("custom:41/10/12@9000000000000").find(why) != std::string::npos);
  CHECK(refused("custom:62/1/0@0+1ms").find(why) != std::string::npos);
  CHECK(refused("custom:41/10/12@9223372036854775807").find(why) != std::string::npos);
}

TEST_CASE("who asks for a layout that is not there hears which there are") {
  CHECK(
      refused("snow") ==
      "NoSuchLayout: no layout snow; there are twitter discord pysnowflake sony insta baidu crdb js53 js53s "
      "and custom:…");
  CHECK(refused("").starts_with("NoSuchLayout"));
  CHECK(refused("Twitter").starts_with("NoSuchLayout"));
  CHECK(refused("custom").starts_with("NoSuchLayout"));
}

}  // namespace zerosuite::test::layout_test
