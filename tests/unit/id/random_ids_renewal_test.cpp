// Random ids after fork(2), and after the clocks tell that the machine may have been copied.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>

#include "support/child.hpp"
#include "support/random_ids_rig.hpp"

using namespace std::chrono_literals;

namespace zerosuite::id::random_ids_renewal_test {

using test::different, test::node_of, test::rises;
using test::RandomIdsRig, test::Texts;

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

TEST_CASE("a child of the process issues other ids, that still rise") {
  RandomIdsRig rig;
  for (const RandomKind kind : test::kKinds) {
    const std::string before = rig.one(kind);
    const auto three = [&] { return rig.ids.issue(kind, 3); };
    const Texts childs = in_child(three), parents = three();
    REQUIRE(childs.size() == 3);
    CHECK(different({childs[0], childs[1], childs[2], parents[0], parents[1], parents[2], before}) == 7);
    if (std::count(std::begin(test::kRising), std::end(test::kRising), kind) == 1)
      CHECK(rises({before, childs[0], childs[1], childs[2]}));
  }
}

TEST_CASE("a child is another process in all that is made once for a process") {
  RandomIdsRig rig;
  all(rig);
  const Texts childs = in_child([&] { return all(rig); }), parents = all(rig);
  check_other_parts(childs, parents);
}

TEST_CASE("a child renews itself once, and the parent never") {
  RandomIdsRig rig;
  const std::string node = node_of(rig.ids.uuid1({}));
  const Texts childs = in_child([&] { return Texts{rig.ids.uuid1({}), rig.ids.uuid1({})}; });
  CHECK(node_of(childs[0]) == node_of(childs[1]));
  CHECK(node_of(rig.ids.uuid1({})) == node);
}

TEST_CASE("after the clocks tell of a copy all random parts are other ones, and what rises goes on to") {
  RandomIdsRig rig;
  const Texts before = all(rig);
  rig.clocks.step(2s);
  const Texts after = all(rig);
  check_other_parts(after, before);
  CHECK(rises({before[3], after[3]}));
  CHECK(rises({before[4], after[4]}));
  CHECK(node_of(rig.ids.uuid1({})) == node_of(after[0]));
}

TEST_CASE("after the clocks tell of a copy no random bits are used that the other one may have buffered") {
  RandomIdsRig rig;
  rig.one(RandomKind::kUuid4);
  const std::string buffered = test::wiped_on_fork();
  rig.clocks.step(2s);
  rig.one(RandomKind::kUuid4);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t bits = rig.entropy.bits();
    CHECK(buffered.find(std::string(reinterpret_cast<const char*>(&bits), sizeof bits)) == buffered.npos);
  }
}

}  // namespace zerosuite::id::random_ids_renewal_test
