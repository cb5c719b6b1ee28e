// The methods that issue ids of random bits.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "id/api/groups.hpp"
#include "support/fake_clocks.hpp"
#include "support/memory_store.hpp"
#include "support/server_rig.hpp"

namespace zerosuite::id::api_random_test {

using test::ServerRig;

// The methods, and how long their ids are.
const std::map<std::string, std::size_t> kLengths{{"uuid4", 36}, {"uuid6", 36}, {"uuid7", 36},   {"ulid", 26},
                                                  {"ksuid", 27}, {"xid", 20},   {"objectid", 24}};

struct Rig : ServerRig {
  Rig() { bind_random(server, ids, reach, limits); }

  template <class... A>
  std::string ask(const std::string& method, const A&... args) {
    return heard(call(method, args...));
  }

  BatchLimits limits;
  test::FakeClocks clocks;
  IdTime time{clocks};
  core::Entropy entropy;
  RandomIds ids{time, entropy};
  test::MemoryStore store{timers};
  Reach reach{timers, store, core::milliseconds(3000), [](std::int64_t) {}};
};

TEST_CASE("one id is a text, whether n is one or left out") {
  Rig rig;
  for (const auto& [method, length] : kLengths) {
    for (const std::string& answer : {rig.ask(method), rig.ask(method, 1), rig.ask(method, nullptr)}) {
      CHECK(answer.starts_with("OK [\""));
      CHECK(answer.size() == length + std::string("OK [\"\"]").size());
    }
  }
}

TEST_CASE("several ids are a list") {
  Rig rig;
  for (const auto& [method, length] : kLengths) {
    const std::string answer = rig.ask(method, 3);
    CHECK(answer.starts_with("OK [[\""));
    CHECK(std::count(answer.begin(), answer.end(), '"') == 6);
    CHECK(answer.size() == 3 * length + std::string("OK [[\"\", \"\", \"\"]]").size());
  }
}

TEST_CASE("each method issues its own kind") {
  Rig rig;
  CHECK(rig.ask("uuid1")[5 + 14] == '1');
  CHECK(rig.ask("uuid4")[5 + 14] == '4');
  CHECK(rig.ask("uuid6")[5 + 14] == '6');
  CHECK(rig.ask("uuid7")[5 + 14] == '7');
  CHECK(rig.ask("ulid").substr(5, 10) == "01HK153X00");
  CHECK(rig.ask("xid").substr(5, 6) == "cm9010");
  CHECK(rig.ask("objectid").substr(5, 8) == "65920080");
}

TEST_CASE("a hundred thousand ids come in one answer") {
  Rig rig;
  const std::string answer = rig.ask("uuid7", 100'000);
  CHECK(std::count(answer.begin(), answer.end(), '"') == 200'000);
}

TEST_CASE("fewer than one id and more than one call may take are refused by name") {
  Rig rig;
  for (const auto& [method, length] : kLengths) {
    CHECK(rig.ask(method, 0).starts_with("ERR [\"InvalidArgument\", \"n must be at least 1, not 0\""));
    CHECK(rig.ask(method, -1).starts_with("ERR [\"InvalidArgument\""));
    CHECK(rig.ask(method, 100'001)
              .starts_with("ERR [\"BatchTooLarge\", \"n must be at most 100000, not 100001"));
    CHECK(rig.ask(method, 1'000'000'000).starts_with("ERR [\"BatchTooLarge\""));
    CHECK(rig.ask(method, "3").starts_with("ERR [\"TypeError\""));
  }
}

TEST_CASE("uuid1 takes a node, a clock sequence, both or none") {
  Rig rig;
  CHECK(rig.ask("uuid1", 0x123456789abc, 0x1234).ends_with("-9234-123456789abc\"]"));
  CHECK(rig.ask("uuid1", 0x123456789abc).ends_with("-123456789abc\"]"));
  CHECK(rig.ask("uuid1", nullptr, 0x1234).substr(5 + 18, 6) == "-9234-");
  CHECK(rig.ask("uuid1").substr(5 + 18) == rig.ask("uuid1", nullptr, nullptr).substr(5 + 18));
  CHECK(
      rig.ask("uuid1", 281474976710656)
          .starts_with("ERR [\"InvalidArgument\", \"node must be from 0 to 2^48 - 1, not 281474976710656\""));
}

}  // namespace zerosuite::id::api_random_test
