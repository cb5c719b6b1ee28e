#include <doctest/doctest.h>

#include <stdexcept>
#include <stop_token>

#include "support/server_rig.hpp"

namespace zerosuite::test::blocking_test {

using namespace std::chrono_literals;

struct Rig : ServerRig {
  Rig() {
    server.method("twice", {"n"}, "", rpc::blocking([this](int n) {
                    ++runs;
                    return 2 * n;
                  }));
    server.method("until_stopped", "", rpc::blocking([this](std::stop_token token) {
                    ++runs;
                    stop = std::move(token);
                  }));
  }

  int runs = 0;
  std::stop_token stop;
};

TEST_CASE("a blocking method runs on the pool, and its answer leaves when it is done") {
  Rig rig;
  const Channel channel = rig.call("twice", 21);
  CHECK(rig.runs == 0);
  CHECK(rig.heard(channel).empty());
  rig.offload.work();
  CHECK(rig.heard(channel) == "OK [42]");
  CHECK(rig.server.stats().channels == 0);
}

TEST_CASE("a blocking method's arguments are checked before it is queued") {
  Rig rig;
  CHECK(rig.heard(rig.call("twice", "x")).starts_with("ERR [\"TypeError\""));
  CHECK(rig.heard(rig.call("twice")).starts_with("ERR [\"TypeError\""));
  CHECK(rig.offload.waiting.empty());
}

TEST_CASE("heartbeats go on while a blocking method runs or waits for a thread") {
  Rig rig;
  const Channel channel = rig.call("twice", 21);
  rig.pass(5s);
  CHECK(rig.heard(channel) == "_zpc_hb [0]");
}

TEST_CASE("when no more blocking calls can wait, the next is Overloaded") {
  Rig rig;
  rig.offload.room = 1;
  const Channel first = rig.call("twice", 1);
  CHECK(rig.heard(rig.call("twice", 2)).starts_with("ERR [\"Overloaded\""));
  rig.offload.work();
  CHECK(rig.heard(first) == "OK [2]");
}

TEST_CASE("a blocking call waits among those of its client, which is its connection") {
  Rig rig;
  for (const auto* peer : {"alice", "alice", "bob"}) rig.send({.name = "twice", .args = test::list(1)}, peer);
  const auto& clients = rig.offload.clients;
  REQUIRE(clients.size() == 3);
  CHECK(clients[0] != 0);
  CHECK(clients[1] == clients[0]);
  CHECK(clients[2] != clients[0]);
}

TEST_CASE("what a blocking method throws is its ERR") {
  ServerRig rig;
  rig.server.method("failure", "", rpc::blocking([]() -> int { throw core::Failure("Odd", "so"); }));
  rig.server.method("integer", "", rpc::blocking([] { throw 42; }));
  const Channel failure = rig.call("failure");
  const Channel integer = rig.call("integer");
  rig.offload.work();
  rig.offload.work();
  CHECK(rig.heard(failure) == "ERR [\"Odd\", \"so\", \"Odd: so\n\"]");
  CHECK(rig.heard(integer).starts_with("ERR [\"InternalError\""));
}

TEST_CASE("a blocking method whose client is lost before a thread is free is not run") {
  Rig rig;
  const Channel channel = rig.call("twice", 1);
  rig.tell(channel, "_zpx_cancel");
  rig.offload.work();
  CHECK(rig.runs == 0);
  CHECK(rig.heard(channel).empty());
}

TEST_CASE("a running blocking method is asked to stop when nobody waits for it any more") {
  Rig rig;
  wire::Context extra;
  extra.add("timeout_ms", 1000);
  const Channel channel = rig.send({.name = "until_stopped", .extra = &extra});
  auto [job, then] = std::move(rig.offload.waiting.front());
  rig.offload.waiting.clear();
  job();
  REQUIRE(rig.runs == 1);
  CHECK_FALSE(rig.stop.stop_requested());
  SUBCASE("cancelled") { rig.tell(channel, "_zpx_cancel"); }
  SUBCASE("lost") { rig.pass(16s); }
  SUBCASE("too late") { rig.pass(1010ms); }
  SUBCASE("stopping") { rig.server.abort(); }
  CHECK(rig.stop.stop_requested());
  rig.sink.messages.clear();
  then();
  CHECK(rig.heard(channel).empty());
}

}  // namespace zerosuite::test::blocking_test
