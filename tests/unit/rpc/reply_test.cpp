#include "rpc/server/reply.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>

#include "support/server_rig.hpp"

namespace zerosuite::test::reply_test {

using namespace std::chrono_literals;

// A server with one method that answers when the test does, and one call to it.
struct Rig : ServerRig {
  explicit Rig(std::optional<std::int64_t> timeout_ms = {}) {
    server.method("wait", "", [this](rpc::Reply<int> its_reply) {
      its_reply.on_lost([this] { ++lost; });
      its_reply.on_undelivered([this] { ++undone; });
      reply.emplace(std::move(its_reply));
    });
    wire::Context extra;
    if (timeout_ms) extra.add("timeout_ms", *timeout_ms);
    channel = send({.name = "wait", .extra = &extra});
  }

  std::optional<rpc::Reply<int>> reply;
  int lost = 0;
  int undone = 0;
  Channel channel;
};

TEST_CASE("an answer that meets its caller's cancel on the way is undone") {
  Rig rig;
  (*rig.reply)(7);
  CHECK(rig.undone == 0);
  rig.tell(rig.channel, "_zpc_more", 1);
  rig.tell({"bob", rig.channel.id}, "_zpx_cancel");
  CHECK(rig.undone == 0);
  rig.tell(rig.channel, "_zpx_cancel");
  CHECK(rig.undone == 1);
  rig.tell(rig.channel, "_zpx_cancel");
  CHECK(rig.undone == 1);
  CHECK(rig.lost == 0);
  CHECK(rig.server.stats().lost == 1);
}

TEST_CASE("a call that was cancelled before its answer, or answered with an error, has nothing to undo") {
  Rig cancelled;
  cancelled.tell(cancelled.channel, "_zpx_cancel");
  (*cancelled.reply)(7);
  cancelled.tell(cancelled.channel, "_zpx_cancel");
  CHECK(cancelled.lost == 1);
  CHECK(cancelled.undone == 0);
  Rig failed;
  (*failed.reply)(core::Error{"Busy", "no"});
  failed.tell(failed.channel, "_zpx_cancel");
  CHECK(failed.undone == 0);
}

TEST_CASE("an answer that is refused when it is sent is lost, not undone") {
  Rig rig;
  rig.sink.delivery = rpc::Delivery::kGone;
  (*rig.reply)(7);
  CHECK(rig.lost == 0);  // not inside the call
  rig.tell(rig.channel, "_zpx_cancel");
  rig.turn();
  CHECK(rig.lost == 1);
  CHECK(rig.undone == 0);
}

TEST_CASE("a method that answers before it returns may find its client gone, and is told as ever") {
  ServerRig rig;
  std::optional<rpc::Reply<int>> kept;
  int lost = 0;
  int undone = 0;
  rig.server.method("now", "", [&](const rpc::Reply<int>& reply) {
    reply.on_lost([&] { ++lost; });
    reply.on_undelivered([&] { ++undone; });
    reply(7);
    kept = reply;
    CHECK_FALSE(reply.wanted());
  });
  const Channel heard = rig.send({.name = "now"});
  CHECK(rig.heard(heard) == "OK [7]");
  CHECK(rig.server.stats().channels == 0);
  CHECK_FALSE(rig.timers.next());
  (*kept)(8);
  CHECK(rig.heard(heard).empty());
  rig.tell(heard, "_zpx_cancel");
  CHECK(undone == 1);
  CHECK(lost == 0);

  rig.sink.delivery = rpc::Delivery::kGone;
  rig.send({.name = "now"});
  rig.turn();
  CHECK(lost == 1);
  CHECK(rig.server.stats().channels == 0);
}

TEST_CASE("a Reply that was moved from may be copied, and one that was answered at once names nobody") {
  ServerRig rig;
  std::optional<rpc::Reply<int>> kept;
  rig.server.method("now", "", [&](rpc::Reply<int> reply) {
    kept.emplace(std::move(reply));
    const rpc::Reply<int> empty(reply);  // NOLINT(bugprone-use-after-move): what is tested
    (*kept)(7);
  });
  const Channel heard = rig.send({.name = "now"});
  CHECK(rig.heard(heard) == "OK [7]");
  CHECK(kept->call().peer == nullptr);
  CHECK(kept->call().method.empty());
}

TEST_CASE("a method may answer after it has returned") {
  Rig rig;
  CHECK(rig.heard(rig.channel).empty());
  CHECK(rig.reply->wanted());
  CHECK(rig.reply->call().method == "wait");
  (*rig.reply)(7);
  CHECK(rig.heard(rig.channel) == "OK [7]");
  CHECK_FALSE(rig.reply->wanted());
}

TEST_CASE("a method may answer with an error later") {
  Rig rig;
  (*rig.reply)(core::Error{"Busy", "no"});
  CHECK(rig.heard(rig.channel) == "ERR [\"Busy\", \"no\", \"Busy: no\n\"]");
}

TEST_CASE("a Reply answers a Result by its value or its error, as it is or through a view of it") {
  const auto answers = [](const core::Result<int>& result) {
    Rig plain, viewed;
    (*plain.reply)(result);
    viewed.reply->with([](int value) { return value + 1; })(result);
    return plain.heard(plain.channel) + " " + viewed.heard(viewed.channel);
  };
  CHECK(answers(7) == "OK [7] OK [8]");
  CHECK(answers(core::Error{"Full", "no"}) ==
        "ERR [\"Full\", \"no\", \"Full: no\n\"] ERR [\"Full\", \"no\", \"Full: no\n\"]");
}

TEST_CASE("only the first answer counts, whichever copy gives it") {
  Rig rig;
  const rpc::Reply<int> copy = *rig.reply;
  (*rig.reply)(1);
  copy(2);
  copy(core::Error{"Busy", "no"});
  CHECK(rig.heard(rig.channel) == "OK [1]");
  CHECK(rig.server.stats().errors == 0);
}

TEST_CASE("a Reply dropped without an answer answers Abandoned, once its last copy is gone") {
  Rig rig;
  std::optional copy = rig.reply;
  rig.reply.reset();
  CHECK(rig.heard(rig.channel).empty());
  copy.reset();
  CHECK(rig.heard(rig.channel).starts_with("ERR [\"Abandoned\""));
  CHECK(rig.server.stats().channels == 0);
  CHECK(rig.lost == 0);
}

TEST_CASE("a method that throws after taking its Reply answers ERR at once") {
  ServerRig rig;
  Kept<int> kept;
  rig.server.method("raise", "", [&](rpc::Reply<int> reply) {
    kept.reply = reply;
    throw std::invalid_argument("no");
  });
  const Channel channel = rig.call("raise");
  CHECK(rig.heard(channel).starts_with("ERR [\"ValueError\", \"no\""));
  (*kept.reply)(1);
  CHECK(rig.heard(channel).empty());
}

TEST_CASE("a later answer that cannot be sent is an ERR") {
  ServerRig rig;
  Kept<std::string> kept;
  rig.server.method("wait", "", kept.method());
  const Channel channel = rig.call("wait");
  (*kept.reply)("\xff");
  CHECK(rig.heard(channel).starts_with("ERR [\"ValueError\""));
  CHECK(rig.server.stats().channels == 0);
}

TEST_CASE("a Reply may outlive its server, and the server's end tells it so") {
  net::Timers timers(kStart);
  RecordingSink sink;
  HandOffload offload;
  Kept<int> kept;
  int lost = 0;
  {
    rpc::Server server(timers, sink, offload, {.name = "math", .limits = {}, .channel = {}});
    server.method("wait", "", kept.method());
    const std::string payload = encode({.name = "wait"});
    const std::array<std::string_view, 3> frames{"alice", "", payload};
    server.receive(frames);
    kept.reply->on_lost([&] { ++lost; });
  }
  CHECK(lost == 1);
  CHECK_FALSE(kept.reply->wanted());
  (*kept.reply)(7);
  test::pass(timers, 1min);
  CHECK(sink.messages.empty());
}

TEST_CASE("the method is told once when its client is lost, and its answer goes nowhere") {
  Rig rig;
  SUBCASE("by silence") { rig.pass(16s); }
  SUBCASE("by cancelling") { rig.tell(rig.channel, "_zpx_cancel", 0); }
  CHECK(rig.lost == 1);
  rig.heard(rig.channel);
  (*rig.reply)(7);
  CHECK(rig.heard(rig.channel).empty());
  CHECK(rig.server.stats().lost == 1);
  CHECK(rig.server.stats().channels == 0);
}

TEST_CASE("who asks about a client that is already lost is told at once") {
  Rig rig;
  rig.tell(rig.channel, "_zpx_cancel");
  int told = 0;
  rig.reply->on_lost([&] { ++told; });
  CHECK(told == 1);
}

TEST_CASE("a second on_lost replaces the first") {
  Rig rig;
  int told = 0;
  rig.reply->on_lost([&] { ++told; });
  rig.tell(rig.channel, "_zpx_cancel");
  CHECK(rig.lost == 0);
  CHECK(told == 1);
}

TEST_CASE("a call that was answered is never reported lost") {
  Rig rig;
  (*rig.reply)(7);
  rig.tell(rig.channel, "_zpx_cancel");
  rig.pass(1min);
  rig.reply->on_lost([&] { ++rig.lost; });
  CHECK(rig.lost == 0);
}

TEST_CASE("an answered call lets go of what its on_lost holds, be it the Reply itself") {
  ServerRig rig;
  std::weak_ptr<int> alive;
  bool answers = true;
  SUBCASE("answered with a value") {}
  SUBCASE("answered with an error") { answers = false; }
  rig.server.method("wait", "", [&](rpc::Reply<int> reply) {
    auto token = std::make_shared<int>(0);
    alive = token;
    reply.on_lost([reply, token] {});
    answers ? reply(1) : reply(core::Error{"Busy", "no"});
    reply.on_lost([reply, token] {});
  });
  rig.call("wait");
  CHECK(alive.expired());
}

TEST_CASE("a cancelled call is not answered, its heartbeats end, and its id is free") {
  Rig rig;
  rig.tell(rig.channel, "_zpx_cancel");
  rig.pass(1min);
  CHECK(rig.heard(rig.channel).empty());
  rig.receive("alice", {.id = rig.channel.id, .name = "_zerorpc_name"});
  CHECK(rig.heard(rig.channel) == R"(OK ["math"])");
}

TEST_CASE("a call whose deadline has passed on arrival is refused unrun") {
  for (const std::int64_t timeout : {0, -1}) {
    Rig rig(timeout);
    CHECK_FALSE(rig.reply);
    CHECK(rig.heard(rig.channel).starts_with("ERR [\"DeadlineExceeded\", \"the deadline had passed when"));
  }
}

TEST_CASE("a deadline that passes before the answer is an ERR, and the method is told") {
  Rig rig(1000);
  rig.pass(990ms);
  CHECK(rig.heard(rig.channel).empty());
  rig.pass(20ms);
  CHECK(rig.heard(rig.channel)
            .starts_with("ERR [\"DeadlineExceeded\", \"the deadline passed before wait() had"));
  CHECK(rig.lost == 1);
  CHECK(rig.server.stats().channels == 0);
  (*rig.reply)(7);
  CHECK(rig.heard(rig.channel).empty());
}

TEST_CASE("a deadline may be a float, and one too far away is none") {
  ServerRig rig;
  Kept<int> kept;
  rig.server.method("wait", "", kept.method());
  const auto with_deadline = [&](auto timeout) {
    wire::Context extra;
    extra.add("timeout_ms", timeout);
    const Channel channel = rig.send({.name = "wait", .extra = &extra});
    rig.pass(2s);
    return rig.heard(channel);
  };
  CHECK(with_deadline(1000.0).starts_with("ERR [\"DeadlineExceeded\""));
  CHECK(with_deadline(std::int64_t{1} << 50).empty());
  CHECK(with_deadline(1e300).empty());
  CHECK(with_deadline("soon").empty());
}

TEST_CASE("a stream's deadline counts to its first item only") {
  ServerRig rig;
  rig.server.method("stream", "", [] { return rpc::Stream<int>([] { return std::optional(1); }); });
  wire::Context extra;
  extra.add("timeout_ms", 1000);
  const Channel channel = rig.send({.name = "stream", .extra = &extra});
  rig.pass(2s);
  rig.tell(channel, "_zpc_more", 1);
  CHECK(rig.heard(channel) == "STREAM 1; STREAM 1");
}

}  // namespace zerosuite::test::reply_test
