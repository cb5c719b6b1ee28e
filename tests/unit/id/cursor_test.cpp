// The order of ids within and across ticks.
#include "id/snowflake/cursor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <vector>

namespace zerosuite::test::cursor_test {

using id::Cursor;
using id::Layout;
using id::Run;
using id::SequenceStart;

constexpr std::int64_t kForever = std::int64_t{1} << 60;
constexpr std::array kStarts = {SequenceStart::kCarry, SequenceStart::kZero, SequenceStart::kRandom,
                                SequenceStart::kOne};

Layout with(std::string_view name, SequenceStart start) {
  Layout layout = id::layout_of(name);
  layout.start = start;
  return layout;
}

std::vector<Layout> every_kind() {
  std::vector<Layout> all;
  for (const Layout& named : id::named_layouts()) {
    for (const SequenceStart start : kStarts) {
      if (start == SequenceStart::kOne && named.sequence_bits == 0) continue;  // there is no second number
      all.push_back(with(named.name, start));
    }
  }
  return all;
}

struct CursorRig {
  explicit CursorRig(const Layout& layout) : cursor(layout, entropy) {}

  std::vector<std::int64_t> take(std::int64_t n, std::int64_t end = kForever) {
    std::vector<Run> runs;
    const std::int64_t taken = cursor.take(n, end, runs);
    std::vector<std::int64_t> ids;
    for (const Run& run : runs) {
      for (std::int64_t i = 0; i < run.count; ++i) ids.push_back(run.first + i * cursor.layout().stride());
    }
    CHECK(static_cast<std::int64_t>(ids.size()) == taken);
    return ids;
  }
  std::int64_t sequence_of(std::int64_t id) const { return cursor.layout().parse(id).sequence; }
  std::int64_t tick_of(std::int64_t id) const { return cursor.layout().parse(id).tick; }

  core::Entropy entropy;
  Cursor cursor;
};

TEST_CASE("whatever moves the cursor, its ids ascend, and stay below the end and of its worker") {
  std::mt19937_64 random(11);
  for (const Layout& layout : every_kind()) {
    CAPTURE(layout.name);
    CAPTURE(static_cast<int>(layout.start));
    CursorRig rig(layout);
    const std::int64_t worker = layout.workers() - 1;
    rig.cursor.set_worker(worker);
    std::int64_t last = -1;
    std::int64_t end = 1;
    for (int i = 0; i < 300; ++i) {
      end += static_cast<std::int64_t>(random() % 5);
      if (random() % 3 == 0) rig.cursor.move_to(end - static_cast<std::int64_t>(random() % 7));
      const auto n = static_cast<std::int64_t>(random() % 3 == 0 ? random() % 9000 : random() % 20);
      auto ids = rig.take(n, end);
      if (const std::int64_t one = rig.cursor.one(end); one >= 0) ids.push_back(one);
      if (ids.empty()) continue;
      REQUIRE(ids.front() > last);
      REQUIRE(std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end());
      last = ids.back();
      const auto parts = layout.parse(last);
      REQUIRE(parts.worker == worker);
      REQUIRE(parts.tick < end);
      REQUIRE(rig.cursor.untouched() > parts.tick);
    }
    CHECK(last > 0);
  }
}

TEST_CASE("one by one and many at once are the same ids") {
  for (const Layout& layout : every_kind()) {
    if (layout.start == SequenceStart::kRandom) continue;
    CAPTURE(layout.name);
    CursorRig single(layout);
    CursorRig batch(layout);
    std::int64_t tick = 10;
    for (const std::int64_t n : {1, 5, 3000, 1, 9000, 70'000}) {
      single.cursor.move_to(tick);
      batch.cursor.move_to(tick);
      for (const std::int64_t id : batch.take(n)) REQUIRE(single.cursor.one(kForever) == id);
      CHECK(single.cursor.untouched() == batch.cursor.untouched());
      tick += 3;
    }
  }
}

TEST_CASE("a tick that is used up is followed by the next, from its first number") {
  for (const Layout& layout : every_kind()) {
    CAPTURE(layout.name);
    CursorRig rig(layout);
    rig.cursor.move_to(5);
    const std::int64_t per_tick = layout.sequences() - layout.first_sequence();
    rig.take(2 * per_tick);  // wherever the first began, the rest of the second tick is here
    std::vector<std::int64_t> full;
    while (full.empty() || rig.tick_of(full.back()) == rig.tick_of(full.front())) {
      full.push_back(rig.cursor.one(kForever));
      if (rig.sequence_of(full.front()) != layout.first_sequence()) full.clear();
    }
    CHECK(static_cast<std::int64_t>(full.size()) - 1 == per_tick);
    CHECK(rig.tick_of(full.back()) == rig.tick_of(full.front()) + 1);
    CHECK(rig.sequence_of(full.back()) == layout.first_sequence());
  }
}

TEST_CASE("a run stays within its tick") {
  CursorRig rig(with("twitter", SequenceStart::kZero));
  rig.cursor.move_to(7);
  std::vector<Run> runs;
  CHECK(rig.cursor.take(10'000, kForever, runs) == 10'000);
  CHECK(runs == std::vector<Run>{{7 << 22, 4096}, {8 << 22, 4096}, {9 << 22, 1808}});
}

TEST_CASE("what was taken before stays in the list of runs") {
  CursorRig rig(with("twitter", SequenceStart::kZero));
  std::vector<Run> runs = {{1, 1}};
  rig.cursor.move_to(7);
  rig.cursor.take(2, kForever, runs);
  CHECK(runs == std::vector<Run>{{1, 1}, {7 << 22, 2}});
}

TEST_CASE("below the end there is what is left, and then nothing") {
  CursorRig rig(with("js53", SequenceStart::kZero));
  rig.cursor.move_to(3);
  CHECK(rig.take(1000, 5).size() == 128);
  CHECK(rig.take(1, 5).empty());
  CHECK(rig.cursor.one(5) == -1);
  CHECK(rig.cursor.untouched() == 5);
  CHECK(rig.tick_of(rig.cursor.one(6)) == 5);
  CHECK(rig.take(0).empty());
}

TEST_CASE("a move back changes nothing, nor does one to where it is") {
  CursorRig rig(with("twitter", SequenceStart::kZero));
  rig.cursor.move_to(100);
  const std::int64_t first = rig.cursor.one(kForever);
  rig.cursor.move_to(100);
  rig.cursor.move_to(50);
  rig.cursor.move_to(-1);
  CHECK(rig.cursor.one(kForever) == first + 1);
}

TEST_CASE("a tick is touched by its first id") {
  CursorRig rig(with("twitter", SequenceStart::kCarry));
  rig.cursor.move_to(100);
  CHECK(rig.cursor.untouched() == 100);
  rig.cursor.one(kForever);
  CHECK(rig.cursor.untouched() == 101);
  rig.cursor.move_to(103);
  CHECK(rig.cursor.untouched() == 103);
  rig.take(4096);
  CHECK(rig.cursor.untouched() == 105);
}

TEST_CASE("carried on, ids of one a tick are even over any power of two up to all of a tick's numbers") {
  for (const char* name : {"twitter", "discord", "insta", "baidu", "js53", "js53s", "custom:41/8/14@7"}) {
    CAPTURE(name);
    CursorRig rig(with(name, SequenceStart::kCarry));
    const std::int64_t all = rig.cursor.layout().sequences();
    std::vector<int> counts(static_cast<std::size_t>(all), 0);
    for (std::int64_t tick = 1; tick <= 3 * all; ++tick) {
      rig.cursor.move_to(tick);
      ++counts[static_cast<std::size_t>(rig.cursor.one(kForever) % all)];
    }
    CHECK(counts == std::vector<int>(static_cast<std::size_t>(all), 3));
  }
}

TEST_CASE("carried on, ids are even however many a tick are asked for") {
  std::mt19937_64 random(3);
  CursorRig rig(with("js53", SequenceStart::kCarry));
  std::vector<int> counts(64, 0);
  for (std::int64_t tick = 1; tick <= 3'000; ++tick) {
    rig.cursor.move_to(tick);
    for (const std::int64_t id : rig.take(static_cast<std::int64_t>(random() % 90)))
      ++counts[static_cast<std::size_t>(id % 64)];
  }
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  CHECK(*most - *least <= 1);
}

TEST_CASE(
    "carried on, no number of a tick is lost: as many as time brings never run ahead by more than a tick") {
  CursorRig rig(with("js53", SequenceStart::kCarry));
  for (std::int64_t tick = 1; tick < 5'000; ++tick) {
    rig.cursor.move_to(tick);
    REQUIRE(rig.take(tick % 17 == 0 ? 1 : 64, tick + 2).size() == (tick % 17 == 0 ? 1 : 64));
  }
}

TEST_CASE("zero and one begin each tick anew") {
  for (const SequenceStart start : {SequenceStart::kZero, SequenceStart::kOne}) {
    CursorRig rig(with("pysnowflake", start));
    const std::int64_t first = start == SequenceStart::kOne ? 1 : 0;
    for (std::int64_t tick = 1; tick < 9; ++tick) {
      rig.cursor.move_to(tick);
      CHECK(rig.sequence_of(rig.cursor.one(kForever)) == first);
      CHECK(rig.sequence_of(rig.cursor.one(kForever)) == first + 1);
    }
  }
}

TEST_CASE("pysnowflake's ids begin at 1 in every tick, the borrowed ones too") {
  CursorRig rig(id::layout_of("pysnowflake"));
  rig.cursor.move_to(1);
  const auto ids = rig.take(3 * 4095);
  for (std::size_t i = 0; i < ids.size(); ++i)
    REQUIRE(rig.sequence_of(ids[i]) == static_cast<std::int64_t>(i % 4095) + 1);
}

TEST_CASE("at random a tick begins below a hundred, and not always at the same number") {
  CursorRig rig(with("twitter", SequenceStart::kRandom));
  std::vector<int> seen(100, 0);
  for (std::int64_t tick = 1; tick <= 5000; ++tick) {
    rig.cursor.move_to(tick);
    ++seen.at(static_cast<std::size_t>(rig.sequence_of(rig.cursor.one(kForever))));
  }
  for (const int count : seen) CHECK(count > 0);
}

TEST_CASE("at random a tick of few numbers begins at one that it has") {
  CursorRig rig(with("crdb", SequenceStart::kRandom));
  for (std::int64_t tick = 1; tick <= 300; ++tick) {
    rig.cursor.move_to(tick);
    REQUIRE(rig.take(100, tick + 1).size() == 1);
  }
}

TEST_CASE("without a sequence each id is a tick of its own") {
  CursorRig rig(id::layout_of("crdb"));
  rig.cursor.set_worker(9);
  rig.cursor.move_to(4);
  const auto ids = rig.take(3);
  CHECK(ids == std::vector<std::int64_t>{4 << 15 | 9, 5 << 15 | 9, 6 << 15 | 9});
}

TEST_CASE("sony's ids of one tick are a machine's width apart") {
  CursorRig rig(with("sony", SequenceStart::kZero));
  rig.cursor.set_worker(77);
  rig.cursor.move_to(1);
  CHECK(rig.take(3) ==
        std::vector<std::int64_t>{1 << 24 | 77, 1 << 24 | 1 << 16 | 77, 1 << 24 | 2 << 16 | 77});
}

}  // namespace zerosuite::test::cursor_test
