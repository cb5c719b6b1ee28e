// Issuers in bad weather, by the seed: no id twice, and the checkers see those that are wrong.
#include <doctest/doctest.h>

#include "support/id_simulation.hpp"

namespace zerosuite::test::simulation_test {

Weather weather_of(std::uint64_t seed) {
  return {.shared = seed % 4 != 0, .gentle = seed % 3 != 0, .faithful = seed % 5 < 2, .roomy = seed % 7 == 0};
}

// How many of a hundred seeds a checker finds something in.
template <class Check>
int found(const Weather& weather, const MakeIssuer& make, Check check) {
  int count = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    count += check(IdSimulation(seed, weather, make).run(200)) ? 1 : 0;
  return count;
}

const auto twice = [](const IdHistory& history) { return history.twice().has_value(); };
const auto falling = [](const IdHistory& history) { return history.falling("ids").has_value(); };
const auto out_of_order = [](const IdHistory& history) {
  return history.out_of_order("sequence").has_value();
};

TEST_CASE(
    "a thousand worlds: no id twice, in order where it is promised, and nobody is refused for a clock") {
  std::int64_t issued = 0;
  std::map<std::string, int> refused;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    CAPTURE(seed);
    const IdHistory history = IdSimulation(seed, weather_of(seed), test::make<RealIssuer>).run(200);
    REQUIRE(history.twice().value_or("") == "");
    REQUIRE(history.falling("ids").value_or("") == "");
    REQUIRE(history.out_of_order("sequence").value_or("") == "");
    REQUIRE(history.unfair.value_or("") == "");
    issued += history.count();
    for (const auto& [name, count] : history.refused) refused[name] += count;
  }
  // The weather is bad, and yet not so bad that nothing could happen twice.
  CHECK(issued > 1'000'000);
  for (const std::string name : {"ClockRollback", "LeaseLost", "SegmentExhausted", "Unavailable"}) {
    CAPTURE(name);
    CHECK(refused[name] > 50);
  }
}

TEST_CASE("an issuer that does not know where its window ended is found") {
  const Weather bad{.shared = false, .gentle = false};
  CHECK(found(bad, test::make<ForgetfulIssuer>, twice) >= 5);
  CHECK(found(bad, test::make<RealIssuer>, twice) == 0);
}

TEST_CASE("an issuer that begins a sequence again after a step back is found") {
  const Weather bad{.roomy = true};
  CHECK(found(bad, test::make<StepIssuer>, twice) >= 5);
  CHECK(found(bad, test::make<StepIssuer>, falling) >= 5);
  CHECK(found(bad, test::make<RealIssuer>, twice) == 0);
}

TEST_CASE("an issuer that asks neither its lease nor a window is found") {
  CHECK(found({}, test::make<NaiveIssuer>, twice) >= 5);
  CHECK(found({}, test::make<RealIssuer>, twice) == 0);
}

TEST_CASE("a sequence that is handed out of a block while others have gone on is found") {
  CHECK(found({}, test::make<CachedIssuer>, out_of_order) > 50);
  CHECK(found({}, test::make<CachedIssuer>, twice) == 0);
  CHECK(found({}, test::make<RealIssuer>, out_of_order) == 0);
}

TEST_CASE("the checkers see what is wrong in a few lines, and nothing in what is right") {
  IdHistory history;
  history.issued = {
      {"a", 1, 10, 5, 1, 2}, {"a", 1, 15, 1, 3, 4}, {"a", 2, 3, 7, 1, 5}, {"b", 1, 10, 1, 6, 7}};
  CHECK_FALSE(history.twice());
  CHECK_FALSE(history.falling("a"));
  CHECK_FALSE(history.out_of_order("a"));

  history.issued.push_back({"a", 3, 14, 1, 4, 8});
  CHECK(*history.twice() ==
        "twice: a 10+5 of process 1, asked 1, answered 2; a 14+1 of process 3, asked 4, answered 8");
  CHECK_FALSE(history.falling("a"));
  CHECK(*history.out_of_order("a") ==
        "out of order: a 10+5 of process 1, asked 1, answered 2; a 14+1 of process 3, asked 4, answered 8");

  history.issued.back() = {"a", 2, 1, 2, 1, 8};
  CHECK_FALSE(history.twice());
  CHECK(history.falling("a")->starts_with("falling: a 3+7 of process 2"));
  CHECK_FALSE(history.out_of_order("a"));  // it was asked for before any was answered
}

}  // namespace zerosuite::test::simulation_test
