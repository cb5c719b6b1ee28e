#include "ops/help.hpp"

#include <doctest/doctest.h>

#include "ops/text.hpp"

namespace zerosuite::ops {
namespace {

constexpr Program kMath{.name = "math", .summary = "Arithmetic.", .bind = "tcp://127.0.0.1:4301"};

TEST_CASE("help names every flag and key with its default and its variables") {
  const auto options = options_of(kMath);
  const std::string text = help(kMath, options);
  CHECK(text.starts_with("zerosuite-math: Arithmetic.\n"));
  for (const Option& option : options) {
    CAPTURE(option.name);
    CHECK(text.find(concat({"  ", option.is_flag() ? option.flag() : std::string(option.name)})) !=
          std::string::npos);
    CHECK(text.find(option.help) != std::string::npos);
    for (const std::string& variable : environment_names(kMath, option))
      CHECK(text.find(variable) != std::string::npos);
  }
  CHECK(text.find("default [\"tcp://127.0.0.1:4301\"]; ZEROSUITE_MATH_BIND\n") != std::string::npos);
  CHECK(text.find("default 10000 ms; ZEROSUITE_MATH_DRAIN_MS or ZEROSUITE_DRAIN_MS\n") != std::string::npos);
}

TEST_CASE("help fits a terminal of 110 columns") {
  const std::string text = help(kMath, options_of(kMath));
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = text.find('\n', from);
    CAPTURE(text.substr(from, to - from));
    CHECK(to - from <= 110);
    from = to + 1;
  }
}

}  // namespace
}  // namespace zerosuite::ops
