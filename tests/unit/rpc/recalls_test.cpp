#include "rpc/server/recalls.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/server_rig.hpp"

namespace zerosuite::test::recalls_test {

using rpc::Recalls;

struct Rig {
  void keep(const std::string& id, const std::string& word, core::TimePoint now = kStart) {
    recalls.keep(
        alice, bin_id(id), [this, word] { undone += word; }, now);
  }
  bool recall(const std::string& id, core::TimePoint now = kStart) {
    return recalls.recall(alice, bin_id(id), now);
  }

  const wire::Envelope alice = ServerRig::envelope("alice");
  Recalls recalls;
  std::string undone;
};

TEST_CASE_FIXTURE(Rig, "an answer is recalled once, by its peer and its id") {
  keep("1", "one");
  keep("2", "two");
  CHECK_FALSE(recall("3"));
  CHECK_FALSE(recalls.recall(ServerRig::envelope("bob"), bin_id("1"), kStart));
  wire::Envelope elsewhere;
  elsewhere.clear(1);
  REQUIRE(elsewhere.push("alice"));
  CHECK_FALSE(recalls.recall(elsewhere, bin_id("1"), kStart));
  CHECK(recall("2"));
  CHECK(undone == "two");
  CHECK_FALSE(recall("2"));
  CHECK(recall("1"));
  CHECK(undone == "twoone");
  CHECK(recalls.size() == 0);
}

TEST_CASE_FIXTURE(Rig, "an answer can be recalled for ten seconds, and no later") {
  keep("1", "one");
  keep("2", "two");
  CHECK(recall("1", kStart + 9999ms));
  CHECK_FALSE(recall("2", kStart + 10s));
  CHECK(undone == "one");
  keep("3", "three", kStart + 10s);
  CHECK(recalls.size() == 1);
}

TEST_CASE_FIXTURE(Rig, "an id that was used again stands for its latest answer") {
  keep("1", "old");
  keep("1", "new", kStart + 5s);
  keep("2", "two", kStart + 11s);  // the old one's time is over
  CHECK(recall("1", kStart + 12s));
  CHECK(undone == "new");
}

TEST_CASE_FIXTURE(Rig, "the oldest answers are forgotten when there are too many") {
  for (std::size_t i = 0; i <= Recalls::kMost; ++i) keep(std::to_string(i), ".");
  CHECK(recalls.size() == Recalls::kMost);
  CHECK_FALSE(recall("0"));
  std::size_t recalled = 0;
  for (std::size_t i = 1; i <= Recalls::kMost; ++i) recalled += recall(std::to_string(i)) ? 1 : 0;
  CHECK(recalled == Recalls::kMost);
  CHECK(recalls.size() == 0);
}

TEST_CASE_FIXTURE(
    Rig, "an id that is used very often stands for its latest answer, and the one before it for nothing") {
  for (int i = 0; i < 1000; ++i) keep("1", std::to_string(i));
  CHECK(recall("1"));
  CHECK(undone == "999");
  CHECK_FALSE(recall("1"));
}

TEST_CASE_FIXTURE(Rig, "what is undone may keep another answer") {
  recalls.keep(
      alice, bin_id("1"), [&] { keep("2", "two"); }, kStart);
  CHECK(recall("1"));
  CHECK(recall("2"));
  CHECK(undone == "two");
}

}  // namespace zerosuite::test::recalls_test
