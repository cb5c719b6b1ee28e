// suite.toml is the documentation of every key: this holds it against the option table.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "ops/config.hpp"
#include "ops/text.hpp"

namespace zerosuite::ops {
namespace {

constexpr Program kMath{.name = "math", .summary = "Arithmetic.", .bind = "tcp://127.0.0.1:4301"};

const char* const kPath = ZEROSUITE_SOURCE_DIR "/suite.toml";

std::string suite_toml() {
  std::ostringstream text;
  text << std::ifstream(kPath).rdbuf();
  return text.str();
}

TEST_CASE("suite.toml shows every key with its help and its default") {
  const std::string text = suite_toml();
  for (const Option& option : options_of(kMath)) {
    if (option.scope == Scope::kCommand) continue;
    const std::string entry =
        concat({"# ", option.help, "\n", option.name, " = ", to_toml(option.initial), "\n"});
    CAPTURE(entry);
    CHECK(text.find(entry) != std::string::npos);
  }
}

TEST_CASE("suite.toml says nothing but the defaults") {
  const auto options = options_of(kMath);
  const Settings settings = read_file(kMath, options, kPath);
  std::size_t keys = 0;
  for (const Option& option : options) {
    if (option.scope == Scope::kCommand) continue;
    ++keys;
    CAPTURE(option.name);
    REQUIRE(settings.contains(option.name));
    CHECK(settings.find(option.name)->second.value == option.initial);
  }
  CHECK(settings.size() == keys);
}

TEST_CASE("a unit is part of the key's name") {
  for (const Option& option : options_of(kMath)) {
    CAPTURE(option.name);
    CHECK((option.unit.empty() || option.name.ends_with(concat({"_", option.unit}))));
  }
}

}  // namespace
}  // namespace zerosuite::ops
