#include "ops/config.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::ops::config_test {

using test::TemporaryFile;

constexpr Program kMath{.name = "math", .summary = "Arithmetic.", .bind = "tcp://127.0.0.1:4301"};
constexpr Program kKeeper{
    .name = "keeper", .summary = "Keeps.", .bind = "ipc:///run/keeper", .data = "/var/lib/k"};
constexpr Program kVault{.name = "vault", .summary = "Keeps.", .bind = "ipc:///run/vault"};

enum class Mode { kSync, kAsync, kNone };

// One of each kind of key.
struct KeeperConfig final : Config {
  void describe(OptionTable& options) override {
    options
        .add_choice<Mode>("durability", mode,
                          {{"sync", Mode::kSync}, {"async", Mode::kAsync}, {"none", Mode::kNone}},
                          "Writes so.")
        .argument("MODE");
    options.add("worker", worker, {0, 7}, "Its number.").empty_word("auto");
    options.add("marks_file", marks_file, "Where the marks are.").empty_word("none");
  }

  Mode mode = Mode::kSync;
  std::optional<std::int64_t> worker;
  std::optional<std::string> marks_file;
};

struct VaultConfig final : Config {
  void describe(OptionTable& options) override { options.add_secret("keys", keys, "Opens."); }

  std::optional<core::SecretText> keys;
};

using Arguments = std::vector<std::string>;
using List = std::vector<std::string>;

template <class Own = Config>
std::unique_ptr<Own> told(const Arguments& arguments, const Environment& environment = {},
                          const Program& program = kMath, Secrets secrets = {}) {
  auto config = std::make_unique<Own>();
  const Command command = read(program, *config, {arguments, environment, std::move(secrets)});
  REQUIRE(command == Command::kServe);
  return config;
}

std::unique_ptr<KeeperConfig> keeper(const Arguments& arguments, const Environment& environment = {}) {
  return told<KeeperConfig>(arguments, environment, kKeeper);
}

template <class Own = Config>
std::string complaint(const Arguments& arguments, const Environment& environment = {},
                      const Program& program = kMath) {
  try {
    told<Own>(arguments, environment, program);
  } catch (const core::Failure& failure) {
    CHECK(failure.name() == core::kInvalidArgument.name);
    return failure.what();
  }
  return "no complaint";
}

std::string keeper_complaint(const Arguments& arguments, const Environment& environment = {}) {
  return complaint<KeeperConfig>(arguments, environment, kKeeper);
}

std::string complaint_about_file(const std::string& text) {
  const TemporaryFile file(text);
  const std::string line = complaint({"--config", file.path()});
  REQUIRE(line.starts_with(file.path()));
  return line.substr(file.path().size());
}

TEST_CASE("without a word from anybody the defaults hold") {
  const auto config = told({});
  CHECK(config->bind == List{"tcp://127.0.0.1:4301"});
  CHECK(config->proxies == List{"tcp://127.0.0.1:4244"});
  CHECK(config->log_level == Level::kInfo);
  CHECK(config->server.limits.max_frame_bytes == 16'777'216);
  CHECK(config->drain == std::chrono::seconds(10));
  CHECK_FALSE(config->insecure);
  CHECK(config->origins.empty());
}

TEST_CASE("a value is a default only as long as nobody says it, be it the same") {
  const std::string same = "tcp://127.0.0.1:4244";
  const TemporaryFile file("[suite]\nproxy = [\"" + same + "\"]\n");
  CHECK(told({})->is_default("proxy"));
  CHECK_FALSE(told({"--proxy", same})->is_default("proxy"));
  CHECK_FALSE(told({}, {{"ZEROSUITE_PROXY", same}})->is_default("proxy"));
  CHECK_FALSE(told({"--config", file.path()})->is_default("proxy"));
}

TEST_CASE("a flag beats the environment, which beats the file, which beats the default") {
  const TemporaryFile file("[suite]\nlog_level = \"error\"\n");
  const Arguments config = {"--config", file.path()};
  const Arguments both = {"--config", file.path(), "--log-level", "debug"};
  const Environment environment = {{"ZEROSUITE_LOG_LEVEL", "warn"}};

  CHECK(told({})->log_level == Level::kInfo);
  CHECK(told(config)->log_level == Level::kError);
  CHECK(told(config, environment)->log_level == Level::kWarn);
  CHECK(told(both, environment)->log_level == Level::kDebug);
}

TEST_CASE("a program's own table and variable beat the shared ones") {
  const TemporaryFile file(
      "[math]\ndrain_ms = 1\n[suite]\ndrain_ms = 2\nheartbeat_ms = 3000\n[id]\ndrain_ms = 4\n");
  const auto config = told({"--config", file.path()});
  CHECK(config->drain.count() == 1);
  CHECK(config->server.channel.heartbeat == std::chrono::seconds(3));

  const Environment environment = {{"ZEROSUITE_MATH_DRAIN_MS", "5"}, {"ZEROSUITE_DRAIN_MS", "6"}};
  CHECK(told({}, environment)->drain.count() == 5);
}

TEST_CASE("the file may be named by the environment") {
  const TemporaryFile file("[math]\nbind = \"ipc:///run/a\"\n");
  CHECK(told({}, {{"ZEROSUITE_CONFIG", file.path()}})->bind == List{"ipc:///run/a"});
}

TEST_CASE("a file that a flag names is read, whatever file the environment names") {
  const TemporaryFile flagged("[math]\ndrain_ms = 1\n"), other("[math]\ndrain_ms = 2\n");
  const auto config = told({"--config", flagged.path()}, {{"ZEROSUITE_CONFIG", other.path()}});
  CHECK(config->drain.count() == 1);
  CHECK(config->origins.at("drain_ms") == flagged.path() + ":2: drain_ms");
}

TEST_CASE("a list comes from a repeated flag, a list in the file, or a variable with commas") {
  const List both = {"ipc:///run/a", "tcp://127.0.0.1:*"};
  CHECK(told({"--bind", both[0], "--bind=" + both[1]})->bind == both);
  CHECK(told({}, {{"ZEROSUITE_MATH_BIND", both[0] + ", " + both[1]}})->bind == both);
  const TemporaryFile file("[math]\nbind = [\"ipc:///run/a\", \"tcp://127.0.0.1:*\"]\n");
  CHECK(told({"--config", file.path()})->bind == both);
}

TEST_CASE("every program takes a data folder, also one that keeps none") {
  CHECK(told({"--data", "/tmp"})->data == "/tmp");
  CHECK(keeper({})->data == "/var/lib/k");
  CHECK(keeper({"--data", "/srv"})->data == "/srv");
  CHECK(keeper({}, {{"ZEROSUITE_KEEPER_DATA", "/env"}})->data == "/env");
  const TemporaryFile file("[keeper]\ndata = \"/file\"\n");
  CHECK(keeper({"--config", file.path()})->data == "/file");
  CHECK(keeper_complaint({"--data", ""}) == "--data is \"\"; expected a text that is not empty");
}

TEST_CASE("a choice is one of its words, by the program's own flag, variable or key") {
  CHECK(keeper({})->mode == Mode::kSync);
  CHECK(keeper({"--durability", "async"})->mode == Mode::kAsync);
  CHECK(keeper({}, {{"ZEROSUITE_KEEPER_DURABILITY", "none"}})->mode == Mode::kNone);
  const TemporaryFile file("[keeper]\ndurability = \"async\"\n");
  CHECK(keeper({"--config", file.path()})->mode == Mode::kAsync);
}

TEST_CASE("a word that is no choice is answered with all of them") {
  const std::string advice = "; expected sync, async or none";
  CHECK(keeper_complaint({"--durability", "Sync"}) == "--durability is \"Sync\"" + advice);
  CHECK(keeper_complaint({"--durability", ""}) == "--durability is \"\"" + advice);
  CHECK(keeper_complaint({}, {{"ZEROSUITE_KEEPER_DURABILITY", "no"}}) ==
        "ZEROSUITE_KEEPER_DURABILITY is \"no\"" + advice);
  const TemporaryFile file("[keeper]\ndurability = true\n");
  CHECK(keeper_complaint({"--config", file.path()}) == file.path() + ":2: durability is true" + advice);
  CHECK(keeper_complaint({"--durability"}) == "--durability takes one MODE");
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
  CHECK(told({"--config", file.path()})->log_level == Level::kInfo);
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
  CHECK(told({"--proxy", "none"})->proxies.empty());
  CHECK(told({"--proxy", "tcp://a:1", "--proxy", "ipc:///b"})->proxies == List{"tcp://a:1", "ipc:///b"});
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
  VaultConfig looked_at;
  Secrets secrets = take_secrets(kVault, looked_at);
  CHECK(place == std::string(place.size(), '\0'));
  CHECK(std::getenv("ZEROSUITE_VAULT_KEYS") == nullptr);
  CHECK(std::getenv("ZEROSUITE_VAULT_LOG_LEVEL") == std::string_view("debug"));
  ::unsetenv("ZEROSUITE_VAULT_LOG_LEVEL");

  const auto config = told<VaultConfig>({}, {}, kVault, std::move(secrets));
  REQUIRE(config->keys);
  CHECK(core::view(*config->keys) == "open sesame");
  CHECK(take_secrets(kVault, looked_at).empty());
  CHECK_FALSE(told<VaultConfig>({}, {}, kVault)->keys);
}

TEST_CASE("a secret that stands twice in the environment is overwritten twice, and the first counts") {
  std::string first = "ZEROSUITE_VAULT_KEYS=open sesame", second = "ZEROSUITE_VAULT_KEYS=open barley";
  char* both[] = {first.data(), second.data(), nullptr};
  char** const before = std::exchange(environ, both);
  VaultConfig config;
  const Secrets secrets = take_secrets(kVault, config);
  CHECK(environ[0] == nullptr);
  environ = before;
  CHECK(core::view(secrets.at("keys")) == "open sesame");
  for (const std::string& left : {first, second})
    CHECK(left == "ZEROSUITE_VAULT_KEYS=" + std::string(left.size() - 21, '\0'));
}

TEST_CASE("a secret that is empty is a mistake, and the slip of a secret's name is named without it") {
  Secrets empty;
  empty["keys"];
  CHECK_THROWS_WITH_AS(told<VaultConfig>({}, {}, kVault, std::move(empty)),
                       "ZEROSUITE_VAULT_KEYS is \"\"; expected a text that is not empty", core::Failure);
  CHECK(complaint<VaultConfig>({}, {{"ZEROSUITE_VAULT_KESY", "open sesame"}}, kVault) ==
        "unknown environment variable ZEROSUITE_VAULT_KESY; did you mean ZEROSUITE_VAULT_KEYS?");
}

TEST_CASE("a number that may be left to the program is a number, or its word") {
  CHECK_FALSE(keeper({})->worker);
  CHECK(keeper({"--worker", "5"})->worker == 5);
  CHECK_FALSE(keeper({"--worker", "auto"}, {{"ZEROSUITE_KEEPER_WORKER", "3"}})->worker);
  for (const char* const text : {"[keeper]\nworker = 3\n", "[keeper]\nworker = \"3\"\n"}) {
    const TemporaryFile file(text);
    CHECK(keeper({"--config", file.path()})->worker == 3);
  }
  CHECK(keeper_complaint({"--worker", "8"}) ==
        "--worker is \"8\"; expected a whole number from 0 to 7, or auto");
  CHECK(keeper_complaint({"--worker", "Auto"}).starts_with("--worker is \"Auto\"; expected"));
}

TEST_CASE("a file that may be left out is a path, or none") {
  CHECK_FALSE(keeper({})->marks_file);
  CHECK(keeper({"--marks-file", "/a"})->marks_file == "/a");
  CHECK_FALSE(keeper({"--marks-file", "none"}, {{"ZEROSUITE_KEEPER_MARKS_FILE", "/b"}})->marks_file);
  CHECK(keeper_complaint({"--marks-file", ""}) ==
        "--marks-file is \"\"; expected a text that is not empty, or none");
}

TEST_CASE("every key is a flag, and a number is decimal") {
  CHECK(told({"--drain-ms", "5"})->drain.count() == 5);
  CHECK(told({"--drain-ms=010"})->drain.count() == 10);
  CHECK(told({"--insecure"})->insecure);
  CHECK_FALSE(told({"--insecure=false"}, {{"ZEROSUITE_INSECURE", "true"}})->insecure);
  CHECK(complaint({"--insecure=yes"}) == "--insecure is \"yes\"; expected true or false");
  CHECK(complaint({"--drain-ms", "0x10"}).starts_with("--drain-ms is \"0x10\"; expected a whole number"));
}

TEST_CASE("a bad value in a weaker layer is told, also where a stronger one overrides it") {
  const TemporaryFile file("[math]\ndrain_ms = -1\n");
  CHECK(complaint({"--config", file.path(), "--drain-ms", "5"})
            .starts_with(file.path() + ":2: drain_ms is -1"));
  CHECK(complaint({"--drain-ms", "5"}, {{"ZEROSUITE_DRAIN_MS", "x"}}).starts_with("ZEROSUITE_DRAIN_MS is"));
}

TEST_CASE("who has set a key is known") {
  const TemporaryFile file("[math]\ndrain_ms = 5\nheartbeat_ms = 500\nhigh_water = 5\n");
  const auto config =
      told({"--config", file.path(), "--drain-ms", "6"}, {{"ZEROSUITE_MATH_HIGH_WATER", "7"}});
  CHECK(config->origins.at("drain_ms") == "--drain-ms");
  CHECK(config->origins.at("high_water") == "ZEROSUITE_MATH_HIGH_WATER");
  CHECK(config->origins.at("heartbeat_ms") == file.path() + ":3: heartbeat_ms");
  CHECK(config->origins.count("bind") == 0);
}

TEST_CASE("a file that is not there, is a folder or is not TOML is one clear line") {
  CHECK(complaint({"--config", "/nowhere/suite.toml"}) ==
        "cannot read /nowhere/suite.toml: No such file or directory");
  CHECK(complaint({"--config", "/"}) == "cannot read /: Is a directory");
  const std::string line = complaint_about_file("[math]\nbind = \n");
  CHECK(line.starts_with(":2: "));
  CHECK(line.find('\n') == std::string::npos);
}

}  // namespace zerosuite::ops::config_test
