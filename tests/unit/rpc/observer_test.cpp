#include "rpc/observer.hpp"

#include <doctest/doctest.h>

#include "support/server_rig.hpp"

namespace zerosuite::test::observer_test {

using namespace std::chrono_literals;

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
  test::Kept<int> kept;
  Diary first{"a", lines};
  Diary second{"b", lines};
};

TEST_CASE("hooks run in order of registration: before the method, and after it just before OK leaves") {
  Rig rig;
  rig.call("add", 3, 4);
  CHECK(rig.noted() == "a before add; b before add; run; a after add; b after add; ");
}

TEST_CASE("for a later answer the hook after it waits for the answer") {
  Rig rig;
  rig.call("wait");
  CHECK(rig.noted() == "a before wait; b before wait; ");
  (*rig.kept.reply)(7);
  CHECK(rig.noted() == "a after wait; b after wait; ");
}

TEST_CASE("for a stream the hook after it comes once, before STREAM_DONE") {
  Rig rig;
  const Channel channel = rig.call("range", 2);
  rig.noted();
  rig.tell(channel, "_zpc_more", 1);
  CHECK(rig.noted().empty());
  rig.tell(channel, "_zpc_more", 1);
  CHECK(rig.noted() == "a after range; b after range; ");
}

TEST_CASE("a call that fails has its own hook instead of the one after it") {
  Rig rig;
  rig.call("add", "x", "y");
  CHECK(rig.noted() == "a before add; b before add; a failed add TypeError; b failed add TypeError; ");
  rig.call("nosuch");
  CHECK(rig.noted() == "a failed nosuch NameError; b failed nosuch NameError; ");
}

TEST_CASE("a lost call is neither answered nor failed") {
  Rig rig;
  const Channel channel = rig.call("wait");
  rig.noted();
  rig.tell(channel, "_zpx_cancel");
  CHECK(rig.noted() == "a lost wait; b lost wait; ");
}

TEST_CASE("a deadline that passes is a failure, not a loss") {
  Rig rig;
  wire::Context extra;
  extra.add("timeout_ms", 100);
  rig.send({.name = "wait", .extra = &extra});
  rig.noted();
  rig.pass(110ms);
  CHECK(rig.noted() == "a failed wait DeadlineExceeded; b failed wait DeadlineExceeded; ");
}

TEST_CASE("header keys travel on OK, ERR, STREAM and STREAM_DONE, but not on heartbeats") {
  Rig rig;
  rig.call("add", 3, 4);
  rig.call("nosuch");
  CHECK(rig.keys_sent() == "OK +a +b; ERR +a +b");
  const Channel channel = rig.call("range", 1);
  rig.pass(5s);
  rig.tell(channel, "_zpc_hb", 0);
  rig.tell(channel, "_zpc_more", 1);
  CHECK(rig.keys_sent() == "STREAM +a +b; _zpc_hb; _zpc_hb; STREAM_DONE +a +b");
}

}  // namespace zerosuite::test::observer_test
