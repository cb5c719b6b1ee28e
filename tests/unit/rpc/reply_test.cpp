#include "rpc/server/reply.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>

#include "support/server_rig.hpp"

namespace zerosuite::test::reply_test {

// A server with one method that answers when the test does, and one call to it.
struct Rig : ServerRig {
  explicit Rig(std::optional<std::int64_t> timeout_ms = {}) {
    server.method("wait", "", [this](rpc::Reply<int> its_reply) {
      its_reply.on_lost([this] { ++lost; });
      reply.emplace(std::move(its_reply));
    });
    wire::Context extra;
    if (timeout_ms) extra.add("timeout_ms", *timeout_ms);
    channel = send({.name = "wait", .extra = &extra});
  }

  void answer(const core::Result<int>& result) {
    reply->on_undelivered([this] { ++undone; });
    (*reply)(result);
  }

  std::optional<rpc::Reply<int>> reply;
  int lost = 0;
  int undone = 0;
  Channel channel;
};

TEST_CASE_FIXTURE(Rig, "an answer that meets its caller's cancel on the way is undone") {
  answer(7);
  CHECK(undone == 0);
  tell(channel, "_zpc_more", 1);
  tell({"bob", channel.id}, "_zpx_cancel");
  CHECK(undone == 0);
  tell(channel, "_zpx_cancel");
  CHECK(undone == 1);
  tell(channel, "_zpx_cancel");
  CHECK(undone == 1);
  CHECK(lost == 0);
  CHECK(server.stats().lost == 1);
}

TEST_CASE_FIXTURE(
    Rig, "a call that was cancelled before its answer, or answered with an error, has nothing to undo") {
  tell(channel, "_zpx_cancel");
  answer(7);
  tell(channel, "_zpx_cancel");
  CHECK(lost == 1);
  CHECK(undone == 0);
  Rig failed;
  failed.answer(core::Error{"Busy", "no"});
  failed.tell(failed.channel, "_zpx_cancel");
  CHECK(failed.undone == 0);
}

TEST_CASE_FIXTURE(Rig, "an answer that is refused when it is sent is undone, or else lost") {
  sink.delivery = rpc::Delivery::kGone;
  bool to_undo = false;
  SUBCASE("nothing to undo") { (*reply)(7); }
  SUBCASE("something to undo") {
    to_undo = true;
    answer(7);
  }
  CHECK(lost + undone == 0);  // not inside the call
  tell(channel, "_zpx_cancel");
  turn();
  CHECK(lost == (to_undo ? 0 : 1));
  CHECK(undone == (to_undo ? 1 : 0));
}

TEST_CASE("a method that answers before it returns may find its client gone, and is told as ever") {
  ServerRig rig;
  std::optional<rpc::Reply<int>> kept;
  int undone = 0;
  rig.server.method("now", "", [&](const rpc::Reply<int>& reply) {
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

  rig.sink.delivery = rpc::Delivery::kGone;
  rig.send({.name = "now"});
  rig.turn();
  CHECK(undone == 2);
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

TEST_CASE_FIXTURE(Rig, "a method may answer after it has returned") {
  CHECK(heard(channel).empty());
  CHECK(reply->wanted());
  CHECK(reply->call().method == "wait");
  (*reply)(7);
  CHECK(heard(channel) == "OK [7]");
  CHECK_FALSE(reply->wanted());
}

TEST_CASE_FIXTURE(Rig, "a method may answer with an error later") {
  (*reply)(core::Error{"Busy", "no"});
  CHECK(heard(channel) == "ERR [\"Busy\", \"no\", \"Busy: no\n\"]");
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

TEST_CASE_FIXTURE(Rig, "only the first answer counts, whichever copy gives it") {
  const rpc::Reply<int> copy = *reply;
  (*reply)(1);
  copy(2);
  copy(core::Error{"Busy", "no"});
  CHECK(heard(channel) == "OK [1]");
  CHECK(server.stats().errors == 0);
}

TEST_CASE_FIXTURE(Rig, "a Reply dropped without an answer answers Abandoned, once its last copy is gone") {
  std::optional copy = reply;
  reply.reset();
  CHECK(heard(channel).empty());
  copy.reset();
  CHECK(heard(channel).starts_with("ERR [\"Abandoned\""));
  CHECK(server.stats().channels == 0);
  CHECK(lost == 0);
}

TEST_CASE_FIXTURE(ServerRig, "a method that throws after taking its Reply answers ERR at once") {
  Kept<int> kept;
  server.method("raise", "", [&](rpc::Reply<int> reply) {
    kept.reply = reply;
    throw std::invalid_argument("no");
  });
  const Channel channel = call("raise");
  CHECK(heard(channel).starts_with("ERR [\"ValueError\", \"no\""));
  (*kept.reply)(1);
  CHECK(heard(channel).empty());
}

TEST_CASE_FIXTURE(ServerRig, "a later answer that cannot be sent is an ERR") {
  Kept<std::string> kept;
  server.method("wait", "", kept.method());
  const Channel channel = call("wait");
  (*kept.reply)("\xff");
  CHECK(heard(channel).starts_with("ERR [\"ValueError\""));
  CHECK(server.stats().channels == 0);
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

TEST_CASE_FIXTURE(Rig, "the method is told once when its client is lost, and its answer goes nowhere") {
  SUBCASE("by silence") { pass(16s); }
  SUBCASE("by cancelling") { tell(channel, "_zpx_cancel", 0); }
  CHECK(lost == 1);
  heard(channel);
  (*reply)(7);
  CHECK(heard(channel).empty());
  CHECK(server.stats().lost == 1);
  CHECK(server.stats().channels == 0);
}

TEST_CASE_FIXTURE(Rig, "who asks about a client that is already lost is told at once") {
  tell(channel, "_zpx_cancel");
  int told = 0;
  reply->on_lost([&] { ++told; });
  CHECK(told == 1);
}

TEST_CASE_FIXTURE(Rig, "a second on_lost replaces the first") {
  int told = 0;
  reply->on_lost([&] { ++told; });
  tell(channel, "_zpx_cancel");
  CHECK(lost == 0);
  CHECK(told == 1);
}

TEST_CASE_FIXTURE(Rig, "a call that was answered is never reported lost") {
  (*reply)(7);
  tell(channel, "_zpx_cancel");
  pass(1min);
  reply->on_lost([&] { ++lost; });
  CHECK(lost == 0);
}

TEST_CASE_FIXTURE(ServerRig, "an answered call lets go of what its on_lost holds, be it the Reply itself") {
  std::weak_ptr<int> alive;
  bool answers = true;
  SUBCASE("answered with a value") {}
  SUBCASE("answered with an error") { answers = false; }
  server.method("wait", "", [&](rpc::Reply<int> reply) {
    auto token = std::make_shared<int>(0);
    alive = token;
    reply.on_lost([reply, token] {});
    answers ? reply(1) : reply(core::Error{"Busy", "no"});
    reply.on_lost([reply, token] {});
  });
  call("wait");
  CHECK(alive.expired());
}

TEST_CASE_FIXTURE(Rig, "a cancelled call is not answered, its heartbeats end, and its id is free") {
  tell(channel, "_zpx_cancel");
  pass(1min);
  CHECK(heard(channel).empty());
  receive("alice", {.id = channel.id, .name = "_zerorpc_name"});
  CHECK(heard(channel) == R"(OK ["math"])");
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

TEST_CASE_FIXTURE(ServerRig, "a deadline may be a float, and one too far away is none") {
  Kept<int> kept;
  server.method("wait", "", kept.method());
  const auto with_deadline = [&](auto timeout) {
    wire::Context extra;
    extra.add("timeout_ms", timeout);
    const Channel channel = send({.name = "wait", .extra = &extra});
    pass(2s);
    return heard(channel);
  };
  CHECK(with_deadline(1000.0).starts_with("ERR [\"DeadlineExceeded\""));
  CHECK(with_deadline(std::int64_t{1} << 50).empty());
  CHECK(with_deadline(1e300).empty());
  CHECK(with_deadline("soon").empty());
}

TEST_CASE_FIXTURE(ServerRig, "a stream's deadline counts to its first item only") {
  server.method("stream", "", [] { return rpc::Stream<int>([] { return std::optional(1); }); });
  wire::Context extra;
  extra.add("timeout_ms", 1000);
  const Channel channel = send({.name = "stream", .extra = &extra});
  pass(2s);
  tell(channel, "_zpc_more", 1);
  CHECK(heard(channel) == "STREAM 1; STREAM 1");
}

}  // namespace zerosuite::test::reply_test
