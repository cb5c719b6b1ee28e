#include "rpc/trace.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "rpc/client/client.hpp"
#include "support/caller_rig.hpp"

namespace zerosuite::test::trace_test {

using Seen = std::pair<std::string, std::string>;

void add_seen(rpc::Server& server) {
  server.method("seen", "", [&server] {
    const auto trace = rpc::TraceContext::of(*server.current_call());
    return Seen(trace.parent, trace.state);
  });
}

TEST_CASE("a call made inside a method carries on the trace of its caller") {
  const LiveServer behind(add_seen);
  rpc::Client inner(behind.endpoint());
  const LiveServer front([&inner](rpc::Server& server) {
    server.method("relay", "", [&] {
      return inner.call<Seen>({"seen", {.trace = rpc::TraceContext::of(*server.current_call())}});
    });
  });
  rpc::Client client(front.endpoint());

  const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const Seen seen = client.call<Seen>({"relay", {.trace = {.parent = parent, .state = "vendor=1"}}});
  CHECK(seen == Seen(parent, "vendor=1"));
}

TEST_CASE("a call without a trace sends no trace keys") {
  const LiveServer server(add_seen);
  rpc::Client client(server.endpoint());

  CHECK(client.call<Seen>("seen") == Seen());
}

}  // namespace zerosuite::test::trace_test
