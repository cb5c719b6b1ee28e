#include "ops/log.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace zerosuite::ops::log_test {
namespace {

TEST_CASE("a line is level, program, event and its fields") {
  const std::vector<Field> fields = {
      {"endpoint", "tcp://127.0.0.1:4301"}, {"calls", 7}, {"note", "two words"}};
  CHECK(line(Level::kInfo, "math", "listening", fields) ==
        "info math listening endpoint=tcp://127.0.0.1:4301 calls=7 note=\"two words\"");
  CHECK(line(Level::kWarn, "math", "ready", {}) == "warn math ready");
}

TEST_CASE("a value from the network cannot forge a line") {
  const std::vector<Field> fields = {{"method", "add\n2026-01-01T00:00:00.000Z info math ready"}};
  CHECK(line(Level::kDebug, "math", "call", fields).find('\n') == std::string::npos);
}

TEST_CASE("a level has one name, and other words are none") {
  CHECK(level_of("error") == Level::kError);
  CHECK(level_of("warn") == Level::kWarn);
  CHECK(level_of("info") == Level::kInfo);
  CHECK(level_of("debug") == Level::kDebug);
  CHECK_FALSE(level_of("warning"));
  CHECK_FALSE(level_of(""));
}

TEST_CASE("a log is as talkative as its level") {
  Log log("math");
  CHECK(log.enabled(Level::kInfo));
  CHECK_FALSE(log.enabled(Level::kDebug));
  log.set_level(Level::kError);
  CHECK(log.enabled(Level::kError));
  CHECK_FALSE(log.enabled(Level::kWarn));
}

}  // namespace
}  // namespace zerosuite::ops::log_test
