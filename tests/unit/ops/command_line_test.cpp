#include "ops/config/command_line.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "ops/config.hpp"

namespace zerosuite::ops::command_line_test {

constexpr Program kKeeper{.name = "keeper", .summary = "Keeps.", .bind = "ipc:///run/keeper"};

// A table with one row of each kind.
struct Table {
  Table() {
    options.add_command("config", file, "Reads FILE.").argument("FILE");
    options.add_choice<int>("write_mode", mode, {{"sync", 1}, {"none", 2}}, "Writes so.");
    options.add_shared("drain_ms", drain, "Waits so long.");
    options.add_shared("insecure", insecure, "Allows it.");
    options.add_shared("proxy", proxies, "Serves behind.").empty_word("none").argument("ENDPOINT");
    options.add_secret("keys", keys, "Opens it.");
  }

  std::optional<std::string> file;
  int mode = 1;
  core::milliseconds drain{10'000};
  bool insecure = false;
  std::vector<std::string> proxies{"tcp://a:1"};
  std::optional<core::SecretText> keys;
  OptionTable options{kKeeper};
};

TEST_CASE_FIXTURE(Table, "help names every flag with its default and its variables") {
  const std::string text = CommandLine(options).help();
  CHECK(text.starts_with("Keeps.\nUsage: zerosuite-keeper [OPTIONS]\n"));
  for (const Option& option : options.all()) {
    CAPTURE(option.name());
    CHECK((text.find("  " + option.flag()) != std::string::npos) == (option.scope() != Scope::kSecret));
    CHECK(text.find(option.help()) != std::string::npos);
    for (const std::string& variable : options.variables(option))
      CHECK(text.find(variable) != std::string::npos);
  }
  for (const char* const standard : {"-h,--help", "-V,--version"})
    CHECK(text.find(standard) != std::string::npos);
  CHECK(text.find("default 10000 ms; ZEROSUITE_KEEPER_DRAIN_MS or ZEROSUITE_DRAIN_MS\n") !=
        std::string::npos);
  CHECK(text.find("--write-mode sync|none") != std::string::npos);
  CHECK(text.find("default \"sync\"; ZEROSUITE_KEEPER_WRITE_MODE\n") != std::string::npos);
}

TEST_CASE_FIXTURE(Table, "help fits a terminal of 110 columns, whatever there is to be said") {
  std::size_t count = 0;
  options.add("verbose_mode", count,
              "A sentence that goes on and on, until no line of a terminal would take it whole any "
              "more, and then goes on.");
  std::istringstream lines(CommandLine(options).help());
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(line.size() <= 110);
  }
}

TEST_CASE_FIXTURE(Table, "help shows the defaults, also after the flags were read") {
  CommandLine command_line(options);
  const std::string before = command_line.help();
  Origins origins;
  CHECK(command_line.read({"--write-mode", "none", "--drain-ms=1"}, origins));
  CHECK(mode == 2);
  CHECK(command_line.help() == before);
}

TEST_CASE_FIXTURE(Table, "flags that are read twice say the same twice") {
  CommandLine command_line(options);
  for (int round = 0; round < 2; ++round) {
    drain = core::milliseconds(3);
    Origins origins;
    CHECK(command_line.read({"--proxy", "tcp://b:1", "--proxy", "tcp://c:1", "--insecure"}, origins));
    CHECK(proxies == std::vector<std::string>{"tcp://b:1", "tcp://c:1"});
    CHECK(insecure);
    CHECK(drain.count() == 3);
    CHECK(origins.size() == 2);
  }
}

TEST_CASE("tcp and ipc endpoints are told from what is none") {
  for (const char* good : {"tcp://127.0.0.1:4301", "tcp://127.0.0.1:*", "tcp://*:0", "tcp://[::1]:65535",
                           "tcp://lo:1", "ipc:///run/math", "ipc://@math"}) {
    CAPTURE(good);
    CHECK(is_endpoint(good));
  }
  for (const char* bad :
       {"", "4301", "127.0.0.1:4301", "tcp://127.0.0.1", "tcp://:4301",
        "tcp://127.0.0.1:", "tcp://127.0.0.1:65536", "tcp://127.0.0.1:43o1", "tcp://127.0.0.1:-1", "ipc://",
        "udp://127.0.0.1:1", "inproc://x", "tcp://127.0.0.1:1,tcp://127.0.0.1:2", "ipc://a b"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_endpoint(bad));
  }
}

TEST_CASE("only loopback and ipc endpoints are local") {
  for (const char* local : {"tcp://127.0.0.1:4301", "tcp://127.8.9.1:*", "tcp://[::1]:4301",
                            "tcp://localhost:4301", "tcp://lo:4301", "ipc:///run/math"}) {
    CAPTURE(local);
    CHECK(is_local(local));
  }
  for (const char* open : {"tcp://*:4301", "tcp://0.0.0.0:4301", "tcp://[::]:4301", "tcp://eth0:4301",
                           "tcp://10.0.0.1:4301", "tcp://127.0.0.1.example:4301", "tcp://1270.0.0.1:1"}) {
    CAPTURE(open);
    CHECK_FALSE(is_local(open));
  }
}

}  // namespace zerosuite::ops::command_line_test
