// How a program stops; the conformance tests see the rest of it from outside.
#include "ops/app.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "ops/app.hpp"
#include "rpc/client/client.hpp"
#include "support/process.hpp"

namespace zerosuite::ops::app_test {

using namespace std::chrono_literals;

/// A program with clients that wait in it: wait() answers when the test says so, and stop() is a SIGTERM.
class Stopping {
 public:
  Stopping() {
    app.server().method("wait", "", [this](rpc::Reply<std::string> reply) {
      reply.on_lost([this] { ++lost; });
      waiting.push_back(std::move(reply));
      if (waiting.size() == expected) std::raise(SIGTERM);
    });
    app.server().method("stop", "", [] { std::raise(SIGTERM); });
  }

  void answer_all() {
    for (const auto& reply : waiting) reply("stopping");
    waiting.clear();
  }

 private:
  static std::string endpoint() {
    const auto folder = std::filesystem::temp_directory_path();
    return "ipc://" + (folder / ("zerosuite-app-" + std::to_string(::getpid()))).string();
  }
  static constexpr Program kProgram{.name = "waiter", .summary = "Waits.", .bind = "ipc:///run/waiter"};

  const std::unique_ptr<const Config> config_ = [] {
    auto config = std::make_unique<Config>();
    read(kProgram, *config,
         {{"--log-level", "error", "--proxy", "none", "--drain-ms", "3000", "--bind", endpoint()}});
    return config;
  }();
  const test::RestoredSignals restored_;  // before the app, which blocks them

 public:
  App app{kProgram, *config_, [this] { return config_->log_level; }};
  rpc::Client client{endpoint()};
  std::vector<rpc::Reply<std::string>> waiting;
  std::size_t expected = 0;  // so many waiting are told to wait no more
  int lost = 0;
};

TEST_CASE_FIXTURE(Stopping,
                  "a program that stops lets its service answer those who wait in it, and is done") {
  expected = 2;
  int drains = 0;
  app.on_drain([&] {
    ++drains;
    answer_all();
  });
  auto first = client.async<std::string>("wait");
  auto second = client.async<std::string>("wait");
  app.serve();
  CHECK(first.get() == "stopping");
  CHECK(second.get() == "stopping");
  CHECK(drains == 1);
  CHECK(lost == 0);
}

TEST_CASE_FIXTURE(
    Stopping, "from the service's last word on new calls are refused, and a second signal calls it no more") {
  expected = 2;
  int drains = 0;
  app.on_drain([&] {
    ++drains;
    waiting.front()("stopping");  // the other waits on
  });
  auto first = client.async<std::string>("wait");
  auto second = client.async<std::string>("wait");
  auto refused = std::async(std::launch::async, [&] {
    first.wait();
    try {
      return "answered " + client.call<std::string>("wait");
    } catch (const rpc::RemoteError& error) {
      ::kill(::getpid(), SIGTERM);
      return std::string(error.name());
    }
  });
  app.serve();
  CHECK(refused.get() == "ShuttingDown");
  CHECK(first.get() == "stopping");
  CHECK_THROWS_AS(second.get(), rpc::RemoteError);
  CHECK(lost == 1);
  CHECK(drains == 1);
}

TEST_CASE_FIXTURE(Stopping, "a program that stops waits for its service's own jobs") {
  std::promise<void> go;
  bool done = false;
  net::Timer soon(app.reactor().timers(), [&] { go.set_value(); });
  app.on_drain([&] {
    REQUIRE(app.offload().submit([&] { go.get_future().wait(); }, [&] { done = true; }));
    soon.after(20ms);
  });
  auto stopped = client.async<void>("stop");
  app.serve();
  CHECK(done);
  stopped.get();
}

TEST_CASE("signals wait to be asked for, one by one") {
  const test::RestoredSignals restored;
  Signals signals;
  CHECK(signals.next() == 0);
  std::raise(SIGTERM);
  std::raise(SIGHUP);
  const int first = signals.next();
  const int second = signals.next();
  CHECK(first != second);
  CHECK((first == SIGTERM || first == SIGHUP));
  CHECK((second == SIGTERM || second == SIGHUP));
  CHECK(signals.next() == 0);
}

}  // namespace zerosuite::ops::app_test
