#include "id/random/random_ids.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <sstream>
#include <string>

#include "core/error.hpp"
#include "support/id_rigs.hpp"
#include "support/process.hpp"

using namespace std::chrono_literals;

namespace zerosuite::id::random_ids_test {

using test::different, test::hex, test::kWallMs, test::node_of, test::rises;
using test::RandomIdsRig, test::Texts;

/// 100 ns each since 1970.
std::int64_t uuid1_ticks(const std::string& text) {
  const std::int64_t ticks = hex(text, 13, 3) << 48 | hex(text, 8, 4) << 32 | hex(text, 0, 8);
  return ticks - 0x01B21DD213814000;
}
std::int64_t uuid6_ticks(const std::string& text) {
  return (hex(text, 0, 12) << 12 | hex(text, 13, 3)) - 0x01B21DD213814000;
}
std::int64_t clock_seq_of(const std::string& uuid) { return hex(uuid, 16, 4) & 0x3fff; }

TEST_CASE_FIXTURE(RandomIdsRig, "ids of every kind are as many as asked for, and all different") {
  for (const RandomKind kind : test::kKinds) {
    Texts texts = ids.issue(kind, 20'000);
    CHECK(texts.size() == 20'000);
    texts.push_back(one(kind));
    CHECK(different(texts) == 20'001);
  }
}

TEST_CASE_FIXTURE(RandomIdsRig,
                  "ids that rise do so while the clock stands still, goes on, and is set back") {
  for (const RandomKind kind : test::kRising) {
    Texts texts = ids.issue(kind, 10'000);
    const auto more = [&](std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) texts.push_back(one(kind));
    };
    more(100);
    for (int i = 0; i < 100; ++i) {
      clocks.pass(1ms);
      more(5);
    }
    clocks.step(-1h);
    more(100);
    clocks.pass(1s);
    more(100);
    CHECK(rises(texts));
  }
}

TEST_CASE_FIXTURE(RandomIdsRig,
                  "a version 4 UUID has no bit but its version and variant that is always the same") {
  std::array<std::set<char>, 36> seen;
  for (const std::string& text : ids.issue(RandomKind::kUuid4, 1000))
    for (std::size_t at = 0; at < 36; ++at) seen[at].insert(text[at]);
  for (std::size_t at = 0; at < 36; ++at) {
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      CHECK(seen[at] == std::set{'-'});
    } else if (at == 14) {
      CHECK(seen[at] == std::set{'4'});
    } else if (at == 19) {
      CHECK(seen[at] == std::set{'8', '9', 'a', 'b'});
    } else {
      CHECK(seen[at].size() == 16);
    }
  }
}

TEST_CASE_FIXTURE(RandomIdsRig, "a version 7 UUID tells its time in ms and 1/4096 of them") {
  clocks.now.wall_ns += 750'000;
  const std::string text = one(RandomKind::kUuid7);
  CHECK(hex(text, 0, 12) == kWallMs);
  CHECK(hex(text, 13, 3) == 4096 * 3 / 4);
}

TEST_CASE_FIXTURE(
    RandomIdsRig,
    "version 7 UUIDs of one moment count up, past the millisecond, with fresh random bits each") {
  const Texts texts = ids.issue(RandomKind::kUuid7, 4100);
  std::set<std::string> random;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto ticks = static_cast<std::int64_t>(i);
    CHECK((hex(texts[i], 0, 12) - kWallMs) * 4096 + hex(texts[i], 13, 3) == ticks);
    random.insert(texts[i].substr(20));
  }
  CHECK(random.size() == texts.size());
}

TEST_CASE_FIXTURE(RandomIdsRig,
                  "version 1 UUIDs tell their time, the same node and the same clock sequence") {
  const std::string first = ids.uuid1({}), second = ids.uuid1({});
  CHECK(first[14] == '1');
  CHECK(uuid1_ticks(first) == kWallMs * 10'000);
  CHECK(uuid1_ticks(second) == kWallMs * 10'000 + 1);
  CHECK(node_of(first) == node_of(second));
  CHECK(clock_seq_of(first) == clock_seq_of(second));
  CHECK((hex(first, 20, 2) & 1) == 1);
}

TEST_CASE("two issuers have other nodes and clock sequences") {
  std::set<std::string> nodes;
  std::set<std::int64_t> clock_seqs;
  for (int i = 0; i < 50; ++i) {
    RandomIdsRig rig;
    const std::string text = rig.ids.uuid1({});
    nodes.insert(node_of(text));
    clock_seqs.insert(clock_seq_of(text));
  }
  CHECK(nodes.size() == 50);
  CHECK(clock_seqs.size() > 40);
}

TEST_CASE_FIXTURE(RandomIdsRig,
                  "a caller may choose node and clock sequence, and still no UUID comes twice") {
  const Uuid1Choice choice{.node = 0x123456789abc, .clock_seq = 0x3abc};
  Texts texts;
  for (int i = 0; i < 1000; ++i) {
    if (i == 500) clocks.step(-30s);
    texts.push_back(ids.uuid1(choice));
    CHECK(node_of(texts.back()) == "123456789abc");
    CHECK(clock_seq_of(texts.back()) == 0x3abc);
  }
  CHECK(different(texts) == 1000);
  CHECK(node_of(ids.uuid1({.clock_seq = 0})) == node_of(ids.uuid1({})));
  CHECK(clock_seq_of(ids.uuid1({.node = 0})) == clock_seq_of(ids.uuid1({})));
  CHECK(node_of(ids.uuid1({.node = (1LL << 48) - 1})) == "ffffffffffff");
}

TEST_CASE_FIXTURE(RandomIdsRig, "a node of 49 bits and a negative one are refused, and take no time") {
  const std::int64_t before = uuid1_ticks(ids.uuid1({}));
  for (const Uuid1Choice& choice : {Uuid1Choice{.node = 1LL << 48}, Uuid1Choice{.node = -1}}) {
    try {
      ids.uuid1(choice);
      FAIL("it was accepted");
    } catch (const core::Failure& failure) {
      CHECK(failure.name() == "InvalidArgument");
    }
  }
  CHECK(uuid1_ticks(ids.uuid1({})) == before + 1);
}

TEST_CASE_FIXTURE(RandomIdsRig, "of a longer clock sequence the low 14 bits count, as in Python") {
  CHECK(clock_seq_of(ids.uuid1({.clock_seq = 1 << 14 | 7})) == 7);
  CHECK(clock_seq_of(ids.uuid1({.clock_seq = -1})) == 0x3fff);
}

TEST_CASE_FIXTURE(RandomIdsRig, "versions 1 and 6 never share a moment") {
  std::set<std::int64_t> moments;
  for (int i = 0; i < 100; ++i) {
    moments.insert(uuid1_ticks(ids.uuid1({})));
    moments.insert(uuid6_ticks(one(RandomKind::kUuid6)));
  }
  CHECK(moments.size() == 200);
}

TEST_CASE_FIXTURE(RandomIdsRig, "each version 6 UUID has a random node of its own") {
  std::set<std::string> nodes;
  for (const std::string& text : ids.issue(RandomKind::kUuid6, 100)) {
    CHECK(text[14] == '6');
    CHECK((hex(text, 20, 2) & 1) == 1);
    nodes.insert(node_of(text));
  }
  CHECK(nodes.size() == 100);
  CHECK(uuid6_ticks(one(RandomKind::kUuid6)) == kWallMs * 10'000 + 100);
}

TEST_CASE_FIXTURE(RandomIdsRig, "the other kinds tell their times too") {
  CHECK(one(RandomKind::kUlid).substr(0, 10) == "01HK153X00");
  CHECK(one(RandomKind::kKsuid).size() == 27);
  CHECK(hex(one(RandomKind::kObjectId), 0, 8) == kWallMs / 1000);
  CHECK(one(RandomKind::kXid).substr(0, 6) == "cm9010");
}

TEST_CASE("ObjectIds count up from anywhere, in a process of their own") {
  RandomIdsRig rig, other;
  const Texts texts = rig.ids.issue(RandomKind::kObjectId, 1000);
  for (std::size_t i = 1; i < texts.size(); ++i) {
    CHECK(texts[i].substr(8, 10) == texts[0].substr(8, 10));
    CHECK(hex(texts[i], 18, 6) == (hex(texts[i - 1], 18, 6) + 1) % (1 << 24));
  }
  CHECK(other.one(RandomKind::kObjectId).substr(8, 10) != texts[0].substr(8, 10));
  CHECK(other.one(RandomKind::kObjectId).substr(18) != texts[2].substr(18));
  CHECK(rig.one(RandomKind::kXid).substr(7, 8) != other.one(RandomKind::kXid).substr(7, 8));
}

TEST_CASE_FIXTURE(RandomIdsRig, "a time that 32 bits cannot express is told, and the other kinds go on") {
  clocks.now.wall_ns = (std::int64_t{1} << 32) * 1'000'000'000;
  time.look();
  time.confirm();
  for (const RandomKind kind : {RandomKind::kXid, RandomKind::kObjectId}) {
    CHECK_THROWS_WITH_AS(one(kind), "4294967296 s after its epoch is no time that 32 bits can express",
                         core::Failure);
  }
  for (const RandomKind kind : {RandomKind::kUuid7, RandomKind::kUlid, RandomKind::kKsuid})
    CHECK_NOTHROW(one(kind));
}

// Random ids after fork(2), and after the clocks tell that the machine may have been copied.

/// What `texts` answers in a child process.
template <class F>
Texts in_child(F texts) {
  std::istringstream lines(test::in_child([&] {
    std::string written;
    for (const std::string& text : texts()) written += text + "\n";
    return written;
  }));
  Texts answer;
  for (std::string line; std::getline(lines, line);) answer.push_back(line);
  return answer;
}

/// One of each that has a part which is made once for a process.
Texts all(RandomIdsRig& rig) {
  return {rig.ids.uuid1({}), rig.one(RandomKind::kXid), rig.one(RandomKind::kObjectId),
          rig.one(RandomKind::kUlid), rig.one(RandomKind::kKsuid)};
}

/// Those parts are all other ones, and of what rises all the random bits.
void check_other_parts(const Texts& texts, const Texts& others) {
  CHECK(node_of(texts[0]) != node_of(others[0]));
  CHECK(texts[1].substr(7, 8) != others[1].substr(7, 8));
  CHECK(texts[2].substr(8, 10) != others[2].substr(8, 10));
  CHECK(texts[3].substr(10, 12) != others[3].substr(10, 12));
  CHECK(texts[4].substr(6, 8) != others[4].substr(6, 8));
}

TEST_CASE_FIXTURE(RandomIdsRig, "a child of the process issues other ids, that still rise") {
  for (const RandomKind kind : test::kKinds) {
    const std::string before = one(kind);
    const auto three = [&] { return ids.issue(kind, 3); };
    const Texts childs = in_child(three), parents = three();
    REQUIRE(childs.size() == 3);
    CHECK(different({childs[0], childs[1], childs[2], parents[0], parents[1], parents[2], before}) == 7);
    if (std::count(std::begin(test::kRising), std::end(test::kRising), kind) == 1)
      CHECK(rises({before, childs[0], childs[1], childs[2]}));
  }
}

TEST_CASE_FIXTURE(RandomIdsRig, "a child is another process in all that is made once for a process") {
  all(*this);
  const Texts childs = in_child([&] { return all(*this); }), parents = all(*this);
  check_other_parts(childs, parents);
}

TEST_CASE_FIXTURE(RandomIdsRig, "a child renews itself once, and the parent never") {
  const std::string node = node_of(ids.uuid1({}));
  const Texts childs = in_child([&] { return Texts{ids.uuid1({}), ids.uuid1({})}; });
  CHECK(node_of(childs[0]) == node_of(childs[1]));
  CHECK(node_of(ids.uuid1({})) == node);
}

TEST_CASE_FIXTURE(
    RandomIdsRig,
    "after the clocks tell of a copy all random parts are other ones, and what rises goes on to") {
  const Texts before = all(*this);
  clocks.step(2s);
  const Texts after = all(*this);
  check_other_parts(after, before);
  CHECK(rises({before[3], after[3]}));
  CHECK(rises({before[4], after[4]}));
  CHECK(node_of(ids.uuid1({})) == node_of(after[0]));
}

TEST_CASE_FIXTURE(
    RandomIdsRig,
    "after the clocks tell of a copy no random bits are used that the other one may have buffered") {
  one(RandomKind::kUuid4);
  const std::string buffered = test::wiped_on_fork();
  clocks.step(2s);
  one(RandomKind::kUuid4);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t bits = entropy.bits();
    CHECK(buffered.find(std::string(reinterpret_cast<const char*>(&bits), sizeof bits)) == buffered.npos);
  }
}

}  // namespace zerosuite::id::random_ids_test
