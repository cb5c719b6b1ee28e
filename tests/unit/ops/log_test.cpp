#include "ops/log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

namespace zerosuite::ops::log_test {

// As long as it is there, what is written to standard error waits to be read here.
class StandardErrorInPipe {
 public:
  StandardErrorInPipe() {
    REQUIRE(::pipe2(ends_, O_CLOEXEC) == 0);
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  ~StandardErrorInPipe() {
    ::dup2(before_, STDERR_FILENO);
    for (const int descriptor : {ends_[0], ends_[1], before_}) ::close(descriptor);
  }
  StandardErrorInPipe(const StandardErrorInPipe&) = delete;
  StandardErrorInPipe& operator=(const StandardErrorInPipe&) = delete;

  /// All that is there.
  std::string read() const {
    std::string text;
    char part[4096];
    for (ssize_t got = 0; (got = ::read(ends_[0], part, sizeof part)) > 0;)
      text.append(part, static_cast<std::size_t>(got));
    return text;
  }

 private:
  const int before_ = ::dup(STDERR_FILENO);
  int ends_[2] = {};
};

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

TEST_CASE("a log is as talkative as its level") {
  Log log("math");
  CHECK(log.enabled(Level::kInfo));
  CHECK_FALSE(log.enabled(Level::kDebug));
  log.set_level(Level::kError);
  CHECK(log.enabled(Level::kError));
  CHECK_FALSE(log.enabled(Level::kWarn));
}

TEST_CASE("a log does not wait for whoever reads it, and says how many lines were lost") {
  Log log("math");
  const StandardErrorInPipe pipe;
  for (int i = 0; i < 5'000; ++i) log.write(Level::kInfo, "event", {{"number", i}});
  const std::string first = pipe.read();
  log.write(Level::kInfo, "last");
  const auto written = std::count(first.begin(), first.end(), '\n');
  CHECK(written > 100);
  CHECK(written < 5'000);
  CHECK(first.ends_with("info math event number=" + std::to_string(written - 1) + "\n"));
  const std::string rest = pipe.read();
  CHECK(rest.find("warn math lines lost count=" + std::to_string(5'000 - written) + "\n") != rest.npos);
  CHECK(rest.ends_with("info math last\n"));
}

}  // namespace zerosuite::ops::log_test
