// suite.toml is the documentation of every key: this holds it against the option table.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "id/config.hpp"
#include "lock/config.hpp"
#include "ops/config/config.hpp"
#include "ops/config/text.hpp"
#include "proxy/config.hpp"
#include "support/source_path.hpp"

namespace zerosuite::ops::suite_toml_test {
namespace {

constexpr Program kMath{.name = "math", .summary = "Arithmetic.", .bind = "tcp://127.0.0.1:4301"};

// Those of a program that stand in the file. The proxy takes `proxy` too, so that one file serves all, and
// means nothing by it.
std::vector<Option> keys_of(const Program& program) {
  std::vector<Option> keys = options_of(program);
  std::erase_if(keys, [&](const Option& option) {
    return option.scope == Scope::kCommand || option.scope == Scope::kSecret ||
           (option.name == "proxy" && !program.worker);
  });
  return keys;
}

std::vector<const Program*> programs() {
  return {&kMath, &proxy::program(), &lock::program(), &id::program()};
}

const std::string kPath = test::source_path("suite.toml");

std::string suite_toml() {
  std::ostringstream text;
  text << std::ifstream(kPath).rdbuf();
  return text.str();
}

TEST_CASE("suite.toml shows every key with its help and its default") {
  const std::string text = suite_toml();
  for (const Program* const program : programs()) {
    for (const Option& option : keys_of(*program)) {
      const std::string entry =
          concat({"# ", option.help, "\n", option.name, " = ", to_toml(option.initial), "\n"});
      CAPTURE(entry);
      CHECK(text.find(entry) != std::string::npos);
    }
  }
}

TEST_CASE("suite.toml says nothing but the defaults") {
  for (const Program* const program : programs()) {
    CAPTURE(program->name);
    Settings settings = read_file(*program, options_of(*program), kPath);
    if (!program->worker) settings.erase("proxy");
    const auto keys = keys_of(*program);
    for (const Option& option : keys) {
      CAPTURE(option.name);
      REQUIRE(settings.contains(option.name));
      CHECK(settings.find(option.name)->second.value == option.initial);
    }
    CHECK(settings.size() == keys.size());
  }
}

TEST_CASE("a unit is part of the key's name") {
  for (const Program* const program : programs()) {
    for (const Option& option : options_of(*program)) {
      CAPTURE(option.name);
      CHECK((option.unit.empty() || option.name.ends_with(concat({"_", option.unit}))));
    }
  }
}

}  // namespace
}  // namespace zerosuite::ops::suite_toml_test
