#include "ops/config/config.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

#include "core/error.hpp"
#include "unit/ops/temporary_file.hpp"

namespace zerosuite::ops::config_test {
namespace {

constexpr Program kMath{.name = "math", .summary = "Arithmetic.", .bind = "tcp://127.0.0.1:4301"};
constexpr std::array<std::string_view, 3> kModes = {"sync", "async", "none"};
const std::array kOwnOptions = {Option{.name = "durability",
                                       .type = Type::kChoice,
                                       .scope = Scope::kOwn,
                                       .initial = std::string("sync"),
                                       .argument = "MODE",
                                       .choices = kModes,
                                       .help = "Writes so."}};
const Program kKeeper{.name = "keeper",
                      .summary = "Keeps.",
                      .bind = "ipc:///run/keeper",
                      .data = "/var/lib/k",
                      .options = kOwnOptions};

const std::array kSecretOptions = {
    Option{.name = "keys", .scope = Scope::kSecret, .initial = std::string("none"), .help = "Opens."}};
const Program kVault{
    .name = "vault", .summary = "Keeps.", .bind = "ipc:///run/vault", .options = kSecretOptions};

using Arguments = std::vector<std::string>;
using List = std::vector<std::string>;

Config told(const Arguments& arguments, const Environment& environment = {}, const Program& program = kMath) {
  return Config(program, read_flags(options_of(program), arguments), environment);
}

std::string complaint(const Arguments& arguments, const Environment& environment = {},
                      const Program& program = kMath) {
  try {
    told(arguments, environment, program);
  } catch (const core::Failure& failure) {
    CHECK(failure.name() == core::kInvalidArgument.name);
    return failure.what();
  }
  return "no complaint";
}

std::string complaint_about_file(const std::string& text) {
  const TemporaryFile file(text);
  const std::string line = complaint({"--config", file.path()});
  REQUIRE(line.starts_with(file.path()));
  return line.substr(file.path().size());
}

TEST_CASE("without a word from anybody the defaults hold") {
  const Config config = told({});
  CHECK(config.list("bind") == List{"tcp://127.0.0.1:4301"});
  CHECK(config.list("proxy") == List{"tcp://127.0.0.1:4244"});
  CHECK(config.text("log_level") == "info");
  CHECK(config.size("max_frame_bytes") == 16'777'216);
  CHECK(config.duration("drain_ms") == std::chrono::seconds(10));
  CHECK_FALSE(config.on("insecure"));
  CHECK_FALSE(config.on("check"));
}

TEST_CASE("a value is a default only as long as nobody says it, be it the same") {
  const std::string same = "tcp://127.0.0.1:4244";
  const TemporaryFile file("[suite]\nproxy = [\"" + same + "\"]\n");
  CHECK(told({}).is_default("proxy"));
  CHECK_FALSE(told({"--proxy", same}).is_default("proxy"));
  CHECK_FALSE(told({}, {{"ZEROSUITE_PROXY", same}}).is_default("proxy"));
  CHECK_FALSE(told({"--config", file.path()}).is_default("proxy"));
}

TEST_CASE("a flag beats the environment, which beats the file, which beats the default") {
  const TemporaryFile file("[suite]\nlog_level = \"error\"\n");
  const Arguments config = {"--config", file.path()};
  const Arguments both = {"--config", file.path(), "--log-level", "debug"};
  const Environment environment = {{"ZEROSUITE_LOG_LEVEL", "warn"}};

  CHECK(told({}).text("log_level") == "info");
  CHECK(told(config).text("log_level") == "error");
  CHECK(told(config, environment).text("log_level") == "warn");
  CHECK(told(both, environment).text("log_level") == "debug");
}

TEST_CASE("a program's own table and variable beat the shared ones") {
  const TemporaryFile file(
      "[math]\ndrain_ms = 1\n[suite]\ndrain_ms = 2\nheartbeat_ms = 3000\n[id]\ndrain_ms = 4\n");
  const Config config = told({"--config", file.path()});
  CHECK(config.integer("drain_ms") == 1);
  CHECK(config.integer("heartbeat_ms") == 3000);

  const Environment environment = {{"ZEROSUITE_MATH_DRAIN_MS", "5"}, {"ZEROSUITE_DRAIN_MS", "6"}};
  CHECK(told({}, environment).integer("drain_ms") == 5);
}

TEST_CASE("the file may be named by the environment") {
  const TemporaryFile file("[math]\nbind = \"ipc:///run/a\"\n");
  CHECK(told({}, {{"ZEROSUITE_CONFIG", file.path()}}).list("bind") == List{"ipc:///run/a"});
}

TEST_CASE("a list comes from a repeated flag, a list in the file, or a variable with commas") {
  const List both = {"ipc:///run/a", "tcp://127.0.0.1:*"};
  CHECK(told({"--bind", both[0], "--bind=" + both[1]}).list("bind") == both);
  CHECK(told({}, {{"ZEROSUITE_MATH_BIND", both[0] + ", " + both[1]}}).list("bind") == both);
  const TemporaryFile file("[math]\nbind = [\"ipc:///run/a\", \"tcp://127.0.0.1:*\"]\n");
  CHECK(told({"--config", file.path()}).list("bind") == both);
}

TEST_CASE("every program takes a data folder, also one that keeps none") {
  CHECK(told({"--data", "/tmp"}).text("data") == "/tmp");
  CHECK(told({}, {}, kKeeper).text("data") == "/var/lib/k");
  CHECK(told({"--data", "/srv"}, {}, kKeeper).text("data") == "/srv");
  CHECK(told({}, {{"ZEROSUITE_KEEPER_DATA", "/env"}}, kKeeper).text("data") == "/env");
  const TemporaryFile file("[keeper]\ndata = \"/file\"\n");
  CHECK(told({"--config", file.path()}, {}, kKeeper).text("data") == "/file");
  CHECK(complaint({"--data", ""}, {}, kKeeper) == "--data is \"\"; expected a text that is not empty");
}

TEST_CASE("a choice is one of its words, by the program's own flag, variable or key") {
  CHECK(told({}, {}, kKeeper).text("durability") == "sync");
  CHECK(told({"--durability", "async"}, {}, kKeeper).text("durability") == "async");
  CHECK(told({}, {{"ZEROSUITE_KEEPER_DURABILITY", "none"}}, kKeeper).text("durability") == "none");
  const TemporaryFile file("[keeper]\ndurability = \"async\"\n");
  CHECK(told({"--config", file.path()}, {}, kKeeper).text("durability") == "async");
}

TEST_CASE("a word that is no choice is answered with all of them") {
  const std::string advice = "; expected sync, async or none";
  CHECK(complaint({"--durability", "Sync"}, {}, kKeeper) == "--durability is \"Sync\"" + advice);
  CHECK(complaint({"--durability", ""}, {}, kKeeper) == "--durability is \"\"" + advice);
  CHECK(complaint({}, {{"ZEROSUITE_KEEPER_DURABILITY", "no"}}, kKeeper) ==
        "ZEROSUITE_KEEPER_DURABILITY is \"no\"" + advice);
  const TemporaryFile file("[keeper]\ndurability = true\n");
  CHECK(complaint({"--config", file.path()}, {}, kKeeper) == file.path() + ":2: durability is true" + advice);
  CHECK(complaint({"--durability"}, {}, kKeeper) == "--durability takes one MODE");
}

TEST_CASE("an unknown flag is named with the nearest one") {
  CHECK(complaint({"--bnid", "tcp://127.0.0.1:1"}) == "unknown flag --bnid; did you mean --bind?");
  CHECK(complaint({"--log_level=debug"}) == "unknown flag --log_level; did you mean --log-level?");
  CHECK(complaint({"--colour"}) == "unknown flag --colour; try --help");
  CHECK(complaint({"serve"}) == "unexpected argument \"serve\"");
}

TEST_CASE("a flag without its value, or twice where once is meant, stops the start") {
  CHECK(complaint({"--bind"}) == "--bind takes one ENDPOINT");
  CHECK(complaint({"--log-level", "info", "--log-level", "warn"}) == "--log-level takes one LEVEL");
  CHECK(complaint({"--check=no"}) == "--check takes no value");
}

TEST_CASE("an unknown key is named with file, line, table and the nearest one") {
  CHECK(complaint_about_file("\n[math]\nbnid = \"x\"\n") ==
        ":3: unknown key \"bnid\" in [math]; did you mean \"bind\"?");
  CHECK(complaint_about_file("[suite]\nzzzzzz = 1\n") == ":2: unknown key \"zzzzzz\" in [suite]");
  CHECK(complaint_about_file("[suite]\nbind = \"x\"\n").starts_with(":2: unknown key \"bind\" in [suite]"));
  CHECK(complaint_about_file("[math]\nconfig = \"x\"\n").starts_with(":2: unknown key \"config\" in [math]"));
}

TEST_CASE("an unknown table is named with file, line and the nearest one") {
  CHECK(complaint_about_file("[suite]\n[mth]\n") == ":2: unknown table [mth]; did you mean \"math\"?");
  CHECK(complaint_about_file("[zeppelin]\n") == ":1: unknown table [zeppelin]");
  CHECK(complaint_about_file("bind = 1\n") ==
        ":1: unknown key \"bind\" outside any table; keys stand below [math] or [suite]");
  CHECK(complaint_about_file("math = 1\n") == ":1: \"math\" is not a table; write [math]");
}

TEST_CASE("the tables of the suite's other programs are passed over") {
  const TemporaryFile file(
      "[proxy]\nfront = 1\n[[proxy.upstream]]\nname = \"x\"\n[lock]\nengine = 2\n[id]\n[math]\n");
  CHECK(told({"--config", file.path()}).text("log_level") == "info");
}

TEST_CASE("a misspelt variable is named with the nearest one, and one from elsewhere is let pass") {
  CHECK(complaint({}, {{"ZEROSUITE_MATH_BNID", "x"}}) ==
        "unknown environment variable ZEROSUITE_MATH_BNID; did you mean ZEROSUITE_MATH_BIND?");
  for (const char* foreign :
       {"ZEROSUITE_MATH_PORT_4301_TCP_ADDR", "ZEROSUITE_LOCK_BIND", "ZEROSUITE_BIN", "PATH"}) {
    CAPTURE(foreign);
    CHECK(complaint({}, {{foreign, "x"}}) == "no complaint");
  }
}

TEST_CASE("a bad value is named with what was expected, whoever said it") {
  CHECK(complaint({"--log-level", "loud"}) == "--log-level is \"loud\"; expected error, warn, info or debug");
  CHECK(complaint({}, {{"ZEROSUITE_DRAIN_MS", "ten"}}) ==
        "ZEROSUITE_DRAIN_MS is \"ten\"; expected a whole number from 0 to 3600000 (ms)");
  CHECK(complaint_about_file("[math]\n\ndrain_ms = \"10\"\n") ==
        ":3: drain_ms is \"10\"; expected a whole number from 0 to 3600000 (ms)");
  CHECK(complaint_about_file("[math]\nmax_nesting = 64.0\n")
            .starts_with(":2: max_nesting is \"64.0\"; expected a whole"));
  CHECK(complaint_about_file("[math]\nmax_nesting = 100000\n")
            .starts_with(":2: max_nesting is 100000; expected a whole"));
  CHECK(complaint_about_file("[math]\ninsecure = 1\n") == ":2: insecure is 1; expected true or false");
  CHECK(complaint({"--bind", "4301"}).starts_with("--bind is \"4301\"; expected endpoints such as tcp://"));
  CHECK(complaint_about_file("[math]\nbind = []\n")
            .starts_with(":2: bind is []; expected endpoints such as tcp://"));
  CHECK(complaint_about_file("[math]\nbind = [1]\n")
            .starts_with(":2: bind is \"[ 1 ]\"; expected endpoints such as"));
  CHECK(complaint({"--config", ""}) == "--config is \"\"; expected a text that is not empty");
}

TEST_CASE("a proxy is an endpoint, several, or none") {
  CHECK(told({"--proxy", "none"}).list("proxy") == List{"none"});
  CHECK(told({"--proxy", "tcp://a:1", "--proxy", "ipc:///b"}).list("proxy") == List{"tcp://a:1", "ipc:///b"});
  CHECK(complaint({"--proxy", "none", "--proxy", "tcp://a:1"}) ==
        "--proxy is \"none,tcp://a:1\"; expected none, or endpoints such as tcp://127.0.0.1:4244");
}

TEST_CASE("a bind that other machines can reach needs to be allowed") {
  CHECK(complaint({"--bind", "tcp://127.0.0.1:*", "--bind", "tcp://*:4301"}) ==
        "--bind tcp://*:4301 can be reached from other machines, without encryption; bind to 127.0.0.1, or "
        "allow it "
        "with insecure = true");
  CHECK(complaint_about_file("[math]\nbind = \"tcp://0.0.0.0:1\"\n")
            .starts_with(":2: bind tcp://0.0.0.0:1 can be"));
  CHECK(complaint({"--bind", "tcp://*:4301"}, {{"ZEROSUITE_INSECURE", "true"}}) == "no complaint");
  CHECK(complaint({"--bind", "ipc:///run/math"}) == "no complaint");
}

TEST_CASE("a secret is taken out of the environment, and no byte of it stays there") {
  ::setenv("ZEROSUITE_VAULT_KEYS", "open sesame", 1);
  ::setenv("ZEROSUITE_VAULT_LOG_LEVEL", "debug", 1);
  const std::string_view place = std::getenv("ZEROSUITE_VAULT_KEYS");
  const auto secrets = std::make_shared<const GivenSecrets>(take_secrets(kVault));
  CHECK(place == std::string(place.size(), '\0'));
  CHECK(std::getenv("ZEROSUITE_VAULT_KEYS") == nullptr);
  CHECK(std::getenv("ZEROSUITE_VAULT_LOG_LEVEL") == std::string_view("debug"));
  ::unsetenv("ZEROSUITE_VAULT_LOG_LEVEL");

  const Config config(kVault, {}, {}, secrets);
  REQUIRE(config.secret("keys") != nullptr);
  CHECK(core::view(*config.secret("keys")) == "open sesame");
  CHECK(config.text("keys") == "none");
  CHECK(take_secrets(kVault).empty());
  CHECK(Config(kVault, {}, {}).secret("keys") == nullptr);
}

TEST_CASE("a secret that stands twice in the environment is overwritten twice, and the first counts") {
  std::string first = "ZEROSUITE_VAULT_KEYS=open sesame", second = "ZEROSUITE_VAULT_KEYS=open barley";
  char* both[] = {first.data(), second.data(), nullptr};
  char** const before = std::exchange(environ, both);
  const GivenSecrets secrets = take_secrets(kVault);
  CHECK(environ[0] == nullptr);
  environ = before;
  CHECK(core::view(secrets.at("keys")) == "open sesame");
  for (const std::string& left : {first, second})
    CHECK(left == "ZEROSUITE_VAULT_KEYS=" + std::string(left.size() - 21, '\0'));
}

TEST_CASE("a secret that is empty is a mistake, and the slip of a secret's name is named without it") {
  const auto empty = std::make_shared<GivenSecrets>();
  (*empty)["keys"];
  CHECK_THROWS_WITH_AS(Config(kVault, {}, {}, empty),
                       "ZEROSUITE_VAULT_KEYS is \"\"; expected a text that is not empty", core::Failure);
  CHECK(complaint({}, {{"ZEROSUITE_VAULT_KESY", "open sesame"}}, kVault) ==
        "unknown environment variable ZEROSUITE_VAULT_KESY; did you mean ZEROSUITE_VAULT_KEYS?");
}

TEST_CASE("a file that is not there, is a folder or is not TOML is one clear line") {
  CHECK(complaint({"--config", "/nowhere/suite.toml"}) ==
        "cannot read /nowhere/suite.toml: No such file or directory");
  CHECK(complaint({"--config", "/"}) == "cannot read /: Is a directory");
  const std::string line = complaint_about_file("[math]\nbind = \n");
  CHECK(line.starts_with(":2: "));
  CHECK(line.find('\n') == std::string::npos);
}

}  // namespace
}  // namespace zerosuite::ops::config_test
