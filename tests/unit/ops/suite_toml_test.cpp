// suite.toml is the documentation of every key: this holds it against the programs' tables of options.
#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <sstream>

#include "id/config.hpp"
#include "lock/config.hpp"
#include "ops/config/config_file.hpp"
#include "proxy/config.hpp"
#include "support/golden.hpp"

namespace zerosuite::ops::suite_toml_test {

constexpr Program kMath{.name = "math", .summary = "Arithmetic.", .bind = "tcp://127.0.0.1:4301"};

// Calls `visit` with the table of each program.
void for_each_program(const std::function<void(const OptionTable&)>& visit) {
  const auto show = [&](const Program& program, Config&& config) {
    CAPTURE(program.name);
    OptionTable options(program);
    describe(options, config);
    visit(options);
  };
  show(kMath, Config());
  show(proxy::kProgram, proxy::Config());
  show(lock::kProgram, lock::Config());
  show(id::kProgram, id::Config());
}

// Whether it stands in the file. The proxy takes `proxy` too, so that one file serves all, and means nothing
// by it.
bool is_key(const OptionTable& options, const Option& option) {
  return (option.scope() == Scope::kShared || option.scope() == Scope::kOwn) &&
         (option.name() != "proxy" || options.program().worker);
}

const std::string kPath = test::source_path("suite.toml");

TEST_CASE("suite.toml shows every key with its help and its default") {
  std::ostringstream file;
  file << std::ifstream(kPath).rdbuf();
  const std::string text = file.str();
  for_each_program([&](const OptionTable& options) {
    for (const Option& option : options.all()) {
      if (!is_key(options, option)) continue;
      const std::string entry = "# " + option.help() + "\n" + option.name() + " = " + option.to_toml() + "\n";
      CAPTURE(entry);
      CHECK(text.find(entry) != std::string::npos);
    }
  });
}

TEST_CASE("suite.toml says nothing but the defaults") {
  for_each_program([&](const OptionTable& options) {
    std::map<std::string, std::string> defaults;
    for (const Option& option : options.all()) defaults[option.name()] = option.to_toml();
    Origins origins;
    read_file(options, kPath, origins);
    for (const Option& option : options.all()) {
      if (!is_key(options, option)) continue;
      CAPTURE(option.name());
      CHECK(origins.erase(option.name()) == 1);
      CHECK(option.to_toml() == defaults[option.name()]);
    }
    origins.erase("proxy");
    CHECK(origins.empty());
  });
}

TEST_CASE("a number's unit is part of the key's name") {
  for_each_program([](const OptionTable& options) {
    for (const Option& option : options.all()) {
      CAPTURE(option.name());
      CHECK(option.is_duration() == (option.unit() == "ms"));
    }
  });
}

}  // namespace zerosuite::ops::suite_toml_test
