#include "rpc/observer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "rpc/client/client.hpp"
#include "rpc/trace.hpp"
#include "support/caller_rig.hpp"
#include "support/server_rig.hpp"

namespace zerosuite::test::observer_test {

using Seen = std::pair<std::string, std::string>;

class Diary final : public rpc::Observer {
 public:
  Diary(std::string name, std::string& lines) : name_(std::move(name)), lines_(lines) {}

  void before(const rpc::CallInfo& call) override { note("before " + std::string(call.method)); }
  void after(const rpc::CallInfo& call) override { note("after " + std::string(call.method)); }
  void failed(const rpc::CallInfo& call, const core::Error& error) override {
    note("failed " + std::string(call.method) + " " + error.name);
  }
  void lost(const rpc::CallInfo& call) override { note("lost " + std::string(call.method)); }
  void outgoing(const rpc::CallInfo&, wire::Context& context) override { context.add(name_, 1); }

 private:
  void note(const std::string& what) { lines_ += name_ + " " + what + "; "; }

  std::string name_;
  std::string& lines_;
};

struct Rig : ServerRig {
  Rig() {
    server.observe(first);
    server.observe(second);
    server.method("add", {"a", "b"}, "", [this](int a, int b) {
      lines += "run; ";
      return a + b;
    });
    server.method("wait", "", kept.method());
    server.method("range", {"n"}, "", [](int n) {
      return rpc::Stream<int>([i = 0, n]() mutable { return i < n ? std::optional(i++) : std::nullopt; });
    });
  }
  // What happened since the last time, and the header keys of what was sent: "OK +a +b".
  std::string noted() { return std::exchange(lines, {}); }
  std::string keys_sent() {
    std::string text;
    for (const auto& message : std::exchange(sink.messages, {})) {
      const wire::Event event = message.event();
      wire::Reader in(event.header);
      const auto header = wire::read<std::map<std::string, wire::Value>>(in);
      text += (text.empty() ? "" : "; ") + std::string(event.name);
      for (const std::string key : {"a", "b"}) text += header.contains(key) ? " +" + key : "";
    }
    return text;
  }

  std::string lines;
  Kept<int> kept;
  Diary first{"a", lines};
  Diary second{"b", lines};
};

TEST_CASE_FIXTURE(
    Rig, "hooks run in order of registration: before the method, and after it just before OK leaves") {
  call("add", 3, 4);
  CHECK(noted() == "a before add; b before add; run; a after add; b after add; ");
}

TEST_CASE_FIXTURE(Rig, "for a later answer the hook after it waits for the answer") {
  call("wait");
  CHECK(noted() == "a before wait; b before wait; ");
  (*kept.reply)(7);
  CHECK(noted() == "a after wait; b after wait; ");
}

TEST_CASE_FIXTURE(Rig, "for a stream the hook after it comes once, before STREAM_DONE") {
  const Channel channel = call("range", 2);
  noted();
  tell(channel, "_zpc_more", 1);
  CHECK(noted().empty());
  tell(channel, "_zpc_more", 1);
  CHECK(noted() == "a after range; b after range; ");
}

TEST_CASE_FIXTURE(Rig, "a call that fails has its own hook instead of the one after it") {
  call("add", "x", "y");
  CHECK(noted() == "a before add; b before add; a failed add TypeError; b failed add TypeError; ");
  call("nosuch");
  CHECK(noted() == "a failed nosuch NameError; b failed nosuch NameError; ");
}

TEST_CASE_FIXTURE(Rig, "a lost call is neither answered nor failed") {
  const Channel channel = call("wait");
  noted();
  tell(channel, "_zpx_cancel");
  CHECK(noted() == "a lost wait; b lost wait; ");
}

TEST_CASE_FIXTURE(Rig, "a deadline that passes is a failure, not a loss") {
  wire::Context extra;
  extra.add("timeout_ms", 100);
  send({.name = "wait", .extra = &extra});
  noted();
  pass(110ms);
  CHECK(noted() == "a failed wait DeadlineExceeded; b failed wait DeadlineExceeded; ");
}

TEST_CASE_FIXTURE(Rig, "header keys travel on OK, ERR, STREAM and STREAM_DONE, but not on heartbeats") {
  call("add", 3, 4);
  call("nosuch");
  CHECK(keys_sent() == "OK +a +b; ERR +a +b");
  const Channel channel = call("range", 1);
  pass(5s);
  tell(channel, "_zpc_hb", 0);
  tell(channel, "_zpc_more", 1);
  CHECK(keys_sent() == "STREAM +a +b; _zpc_hb; _zpc_hb; STREAM_DONE +a +b");
}

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

}  // namespace zerosuite::test::observer_test
