#include "ops/config/help.hpp"

#include <doctest/doctest.h>

#include <array>

#include "ops/config/text.hpp"

namespace zerosuite::ops::help_test {
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

TEST_CASE("help shows a program's own flags with their words, and where it keeps its data") {
  static constexpr std::array<std::string_view, 2> kModes = {"sync", "none"};
  const std::array options = {Option{.name = "write_mode",
                                     .type = Type::kChoice,
                                     .scope = Scope::kOwn,
                                     .initial = std::string("sync"),
                                     .argument = "MODE",
                                     .choices = kModes,
                                     .help = "Writes so: sync or none."}};
  const Program keeper{.name = "keeper",
                       .summary = "Keeps.",
                       .bind = "ipc:///run/keeper",
                       .data = "keeper-data",
                       .options = options};
  const std::string text = help(keeper, options_of(keeper));
  const std::string gap(24, ' ');
  CHECK(text.find("\n  --write-mode MODE     Writes so: sync or none.\n" + gap +
                  "default \"sync\"; ZEROSUITE_KEEPER_WRITE_MODE\n") != std::string::npos);
  CHECK(
      text.find("\n  --data DIR            Keeps its data in the folder DIR, which one process at a time may "
                "use.\n" +
                gap + "default \"keeper-data\"; ZEROSUITE_KEEPER_DATA\n") != std::string::npos);
}

TEST_CASE("help fits a terminal of 110 columns, whatever there is to be said") {
  const std::string words =
      "A sentence that goes on and on, until no line of a terminal would take it whole any "
      "more, and then goes on.";
  const std::vector<Option> options{
      {.name = "verbose_mode", .type = Type::kInteger, .initial = std::int64_t{1}, .help = words}};
  Program program = kMath;
  program.options = options;
  const std::string text = help(program, options_of(program));
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = text.find('\n', from);
    CAPTURE(text.substr(from, to - from));
    CHECK(to - from <= 110);
    from = to + 1;
  }
}

}  // namespace
}  // namespace zerosuite::ops::help_test
