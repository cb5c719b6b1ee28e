#include <doctest/doctest.h>

#include <stdexcept>
#include <stop_token>

#include "support/server_rig.hpp"

namespace zerosuite::test::blocking_test {

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

TEST_CASE_FIXTURE(Rig, "a blocking method runs on the pool, and its answer leaves when it is done") {
  const Channel channel = call("twice", 21);
  CHECK(runs == 0);
  CHECK(heard(channel).empty());
  offload.work();
  CHECK(heard(channel) == "OK [42]");
  CHECK(server.stats().channels == 0);
}

TEST_CASE_FIXTURE(Rig, "a blocking method's arguments are checked before it is queued") {
  CHECK(heard(call("twice", "x")).starts_with("ERR [\"TypeError\""));
  CHECK(heard(call("twice")).starts_with("ERR [\"TypeError\""));
  CHECK(offload.waiting.empty());
}

TEST_CASE_FIXTURE(Rig, "heartbeats go on while a blocking method runs or waits for a thread") {
  const Channel channel = call("twice", 21);
  pass(5s);
  CHECK(heard(channel) == "_zpc_hb [0]");
}

TEST_CASE_FIXTURE(Rig, "when no more blocking calls can wait, the next is Overloaded") {
  offload.room = 1;
  const Channel first = call("twice", 1);
  CHECK(heard(call("twice", 2)).starts_with("ERR [\"Overloaded\""));
  offload.work();
  CHECK(heard(first) == "OK [2]");
}

TEST_CASE_FIXTURE(Rig, "a blocking call waits among those of its client, which is its connection") {
  for (const auto* peer : {"alice", "alice", "bob"}) send({.name = "twice", .args = list(1)}, peer);
  const auto& clients = offload.clients;
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

TEST_CASE_FIXTURE(Rig, "a blocking method whose client is lost before a thread is free is not run") {
  const Channel channel = call("twice", 1);
  tell(channel, "_zpx_cancel");
  offload.work();
  CHECK(runs == 0);
  CHECK(heard(channel).empty());
}

TEST_CASE_FIXTURE(Rig, "a running blocking method is asked to stop when nobody waits for it any more") {
  wire::Context extra;
  extra.add("timeout_ms", 1000);
  const Channel channel = send({.name = "until_stopped", .extra = &extra});
  auto [job, then] = std::move(offload.waiting.front());
  offload.waiting.clear();
  job();
  REQUIRE(runs == 1);
  CHECK_FALSE(stop.stop_requested());
  SUBCASE("cancelled") { tell(channel, "_zpx_cancel"); }
  SUBCASE("lost") { pass(16s); }
  SUBCASE("too late") { pass(1010ms); }
  SUBCASE("stopping") { server.abort(); }
  CHECK(stop.stop_requested());
  sink.messages.clear();
  then();
  CHECK(heard(channel).empty());
}

}  // namespace zerosuite::test::blocking_test
