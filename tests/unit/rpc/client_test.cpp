#include "rpc/client/client.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "support/caller_rig.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::client_test {

// Answers nothing until it is asked to, and tells when a call was lost.
struct Held {
  std::vector<rpc::Reply<int>> replies;  // of the server's thread
  std::promise<void> arrived;
  std::promise<void> lost;
};

void add_methods(rpc::Server& server) {
  server.method("add", {"a", "b"}, "", [](int a, int b) { return a + b; });
  server.method("quiet", "", [] {});
  server.method("raise", "", []() -> int { throw core::Failure("Busy", "no"); });
}

auto holding(Held& held) {
  return [&held](rpc::Server& server) {
    add_methods(server);
    server.method("hold", "", [&held](rpc::Reply<int> reply) {
      reply.on_lost([&held] { held.lost.set_value(); });
      held.replies.push_back(std::move(reply));
      held.arrived.set_value();
    });
  };
}

bool comes(std::future<void> event) { return event.wait_for(kPatience) == std::future_status::ready; }

template <class T>
std::string failure_of(std::future<T> future) {
  if (future.wait_for(kPatience) != std::future_status::ready) return "nothing came";
  try {
    future.get();
    return "fine";
  } catch (...) {
    return describe(std::current_exception());
  }
}

template <class F>
std::string failure_in(F call) {
  try {
    call();
    return "fine";
  } catch (...) {
    return describe(std::current_exception());
  }
}

// A socket in a folder of its own, so that a server can come back to the very endpoint.
class IpcEndpoint {
 public:
  IpcEndpoint() : folder_((std::filesystem::temp_directory_path() / "zerosuite-XXXXXX").string()) {
    if (mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("mkdtemp " + folder_);
  }
  ~IpcEndpoint() { std::filesystem::remove_all(folder_); }
  IpcEndpoint(const IpcEndpoint&) = delete;
  IpcEndpoint& operator=(const IpcEndpoint&) = delete;

  std::string name() const { return "ipc://" + folder_ + "/socket"; }

 private:
  std::string folder_;
};

struct Served {
  LiveServer server{add_methods};
  rpc::Client client{server.endpoint()};
};

TEST_CASE_FIXTURE(Served, "a call waits for its value, or throws the remote's error") {
  CHECK(client.call<int>("add", 88, 77) == 165);
  client.call<void>("quiet");
  client.call<void>("add", 1, 2);
  CHECK(failure_in([&] { client.call<int>("raise"); }) == "RemoteError Busy: no");
  CHECK(failure_in([&] { client.call<int>("nosuch"); }) == "RemoteError NameError: nosuch");
  CHECK(failure_in([&] { client.call<std::string>("add", 1, 2); }) ==
        "ProtocolError ProtocolError: the answer must be str, not int");
}

TEST_CASE_FIXTURE(Served, "a future has the value or the error, though nobody drives the client meanwhile") {
  std::future<int> sum = client.async<int>("add", 88, 77);
  std::future<void> nothing = client.async<void>("quiet");
  CHECK(failure_of(client.async<int>("raise")) == "RemoteError Busy: no");
  CHECK(sum.get() == 165);
  nothing.get();
}

TEST_CASE_FIXTURE(Served, "a callback has the outcome, and may start the next call but not wait for one") {
  std::promise<int> result;
  std::promise<bool> refused;
  client.start<int>(
      "add",
      [&](rpc::Outcome<int> first) {
        client.start<int>(
            "add", [&](rpc::Outcome<int> second) { result.set_value(second.value()); }, first.value(), 3);
        try {
          client.call<int>("add", 1, 1);
          refused.set_value(false);
        } catch (const std::logic_error&) {
          refused.set_value(true);
        }
      },
      1, 2);
  CHECK(refused.get_future().get());
  CHECK(result.get_future().get() == 6);
}

TEST_CASE_FIXTURE(Served, "arguments that cannot be sent throw before anything is sent") {
  CHECK_THROWS_AS(client.call<int>("add", "\xff", 1), wire::Mismatch);
  CHECK(client.call<int>("add", 1, 1) == 2);
}

TEST_CASE("an endpoint ZeroMQ does not understand is refused when the client is made") {
  CHECK_THROWS_AS(rpc::Client("nonsense"), core::Failure);
}

TEST_CASE("eight threads share a client, and each gets its own answers") {
  constexpr int kThreads = 8;
  constexpr int kCalls = 2000;
  LiveServer server(add_methods);
  rpc::Client client(server.endpoint());
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCalls; ++i)
        right += client.call<int>("add", t * kCalls, i) == t * kCalls + i ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(right == kThreads * kCalls);
}

TEST_CASE_FIXTURE(Served, "a thousand calls are open at once on one client") {
  std::vector<std::future<int>> sums;
  for (int i = 0; i < 1000; ++i) sums.push_back(client.async<int>("add", i, i));
  int right = 0;
  for (int i = 0; i < 1000; ++i) right += sums[static_cast<std::size_t>(i)].get() == 2 * i ? 1 : 0;
  CHECK(right == 1000);
}

TEST_CASE_FIXTURE(IpcEndpoint, "a call to a server that is away expires") {
  rpc::Client client(name());
  CHECK(failure_in([&] {
          client.call<int>({"add", {.timeout = 20ms}}, 1, 2);
        }) == "TimeoutExpired TimeoutExpired: timeout after 20ms, when calling remote method add");
}

TEST_CASE_FIXTURE(
    IpcEndpoint,
    "a call made while the server is away is answered when it comes, and again when it comes back") {
  rpc::Client client(name());
  for (int round = 0; round < 2; ++round) {
    std::future<int> sum = client.async<int>("add", 88, 77);
    LiveServer server(add_methods, name());
    REQUIRE(sum.wait_for(kPatience) == std::future_status::ready);
    CHECK(sum.get() == 165);
  }
}

TEST_CASE_FIXTURE(Held, "stopping a call's token cancels it here and on the server") {
  LiveServer server(holding(*this));
  rpc::Client client(server.endpoint());
  std::stop_source stop;
  auto outcome = std::async(std::launch::async, [&] {
    return failure_in([&] { client.call<int>({"hold", {.stop = stop.get_token()}}); });
  });
  REQUIRE(comes(arrived.get_future()));
  stop.request_stop();
  CHECK(outcome.get() == "Cancelled Cancelled: the call to hold was cancelled");
  CHECK(comes(lost.get_future()));
}

TEST_CASE_FIXTURE(Served, "a call whose token is stopped already is not made") {
  std::stop_source stop;
  stop.request_stop();
  CHECK(failure_in([&] {
          client.call<int>({"add", {.stop = stop.get_token()}}, 1, 2);
        }) == "Cancelled Cancelled: the call to add was cancelled");
}

TEST_CASE_FIXTURE(Held,
                  "closing a client cancels the calls that are open, waiting or not, and refuses new ones") {
  LiveServer server(holding(*this));
  rpc::Client client(server.endpoint());
  auto waiting =
      std::async(std::launch::async, [&] { return failure_in([&] { client.call<int>("hold"); }); });
  REQUIRE(comes(arrived.get_future()));
  client.close();
  CHECK(waiting.get() == "Cancelled Cancelled: the client was closed");
  CHECK(comes(lost.get_future()));
  CHECK(failure_in([&] { client.call<int>("add", 1, 2); }) == "Cancelled Cancelled: the client is closed");
}

TEST_CASE("a client that goes ends its open calls with Cancelled, however young they are") {
  LiveServer server([](rpc::Server& its) {
    its.method("never", "", [kept = std::vector<rpc::Reply<int>>()](rpc::Reply<int> reply) mutable {
      kept.push_back(std::move(reply));
    });
  });
  for (int round = 0; round < 100; ++round) {
    auto client = std::make_unique<rpc::Client>(server.endpoint());
    std::future<int> future = client->async<int>("never");
    std::promise<std::string> called;
    client->start<int>("never",
                       [&](rpc::Outcome<int> outcome) { called.set_value(describe(outcome.error())); });
    client.reset();
    REQUIRE(failure_of(std::move(future)) == "Cancelled Cancelled: the client was closed");
    auto told = called.get_future();
    REQUIRE(told.wait_for(0s) == std::future_status::ready);
    CHECK(told.get() == "Cancelled Cancelled: the client was closed");
  }
}

TEST_CASE("a token may be stopped at the very moment its client goes") {
  LiveServer server(add_methods);
  for (int round = 0; round < 100; ++round) {
    std::stop_source stop;
    auto client = std::make_unique<rpc::Client>(server.endpoint());
    std::future<int> future = client->async<int>({"add", {.stop = stop.get_token()}}, 1, 2);
    std::thread stopper([&] { stop.request_stop(); });
    client.reset();
    stopper.join();
    const std::string failure = failure_of(std::move(future));
    CHECK((failure == "fine" || failure.starts_with("Cancelled")));
  }
}

}  // namespace zerosuite::test::client_test
