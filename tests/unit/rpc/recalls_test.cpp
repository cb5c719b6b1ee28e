#include "rpc/server/recalls.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/server_rig.hpp"

namespace zerosuite::test::recalls_test {

using namespace std::chrono_literals;
using rpc::Recalls;

struct Rig {
  void keep(const std::string& id, const std::string& word, core::TimePoint now = kStart) {
    recalls.keep(
        alice, test::bin_id(id), [this, word] { undone += word; }, now);
  }
  bool recall(const std::string& id, core::TimePoint now = kStart) {
    return recalls.recall(alice, test::bin_id(id), now);
  }

  const wire::Envelope alice = test::ServerRig::envelope("alice");
  Recalls recalls;
  std::string undone;
};

TEST_CASE("an answer is recalled once, by its peer and its id") {
  Rig rig;
  rig.keep("1", "one");
  rig.keep("2", "two");
  CHECK_FALSE(rig.recall("3"));
  CHECK_FALSE(rig.recalls.recall(test::ServerRig::envelope("bob"), test::bin_id("1"), kStart));
  wire::Envelope elsewhere;
  elsewhere.clear(1);
  REQUIRE(elsewhere.push("alice"));
  CHECK_FALSE(rig.recalls.recall(elsewhere, test::bin_id("1"), kStart));
  CHECK(rig.recall("2"));
  CHECK(rig.undone == "two");
  CHECK_FALSE(rig.recall("2"));
  CHECK(rig.recall("1"));
  CHECK(rig.undone == "twoone");
  CHECK(rig.recalls.size() == 0);
}

TEST_CASE("an answer can be recalled for ten seconds, and no later") {
  Rig rig;
  rig.keep("1", "one");
  rig.keep("2", "two");
  CHECK(rig.recall("1", kStart + 9999ms));
  CHECK_FALSE(rig.recall("2", kStart + 10s));
  CHECK(rig.undone == "one");
  rig.keep("3", "three", kStart + 10s);
  CHECK(rig.recalls.size() == 1);
}

TEST_CASE("an id that was used again stands for its latest answer") {
  Rig rig;
  rig.keep("1", "old");
  rig.keep("1", "new", kStart + 5s);
  rig.keep("2", "two", kStart + 11s);  // the old one's time is over
  CHECK(rig.recall("1", kStart + 12s));
  CHECK(rig.undone == "new");
}

TEST_CASE("the oldest answers are forgotten when there are too many") {
  Rig rig;
  for (std::size_t i = 0; i <= Recalls::kMost; ++i) rig.keep(std::to_string(i), ".");
  CHECK(rig.recalls.size() == Recalls::kMost);
  CHECK_FALSE(rig.recall("0"));
  std::size_t recalled = 0;
  for (std::size_t i = 1; i <= Recalls::kMost; ++i) recalled += rig.recall(std::to_string(i)) ? 1 : 0;
  CHECK(recalled == Recalls::kMost);
  CHECK(rig.recalls.size() == 0);
}

TEST_CASE("an id that is used very often stands for its latest answer, and the one before it for nothing") {
  Rig rig;
  for (int i = 0; i < 1000; ++i) rig.keep("1", std::to_string(i));
  CHECK(rig.recall("1"));
  CHECK(rig.undone == "999");
  CHECK_FALSE(rig.recall("1"));
}

TEST_CASE("what is undone may keep another answer") {
  Rig rig;
  rig.recalls.keep(
      rig.alice, test::bin_id("1"), [&] { rig.keep("2", "two"); }, kStart);
  CHECK(rig.recall("1"));
  CHECK(rig.recall("2"));
  CHECK(rig.undone == "two");
}

}  // namespace zerosuite::test::recalls_test
