// A server's clients behind proxies: told apart by the link they come by, and lost together with it.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "rpc/transport/sink.hpp"
#include "support/server_rig.hpp"

namespace zerosuite::test::server_links_test {

// A server whose calls are never answered, and what became of each: its name once it was lost.
struct Rig : ServerRig {
  Rig() {
    server.method("wait", {"name"}, "", [this](rpc::Reply<int> reply, const std::string& name) {
      reply.on_lost([this, name] { lost += name + " "; });
      replies.emplace(name, std::move(reply));
    });
  }
  // A call by the name `name` under one id, from the identities that "/" separates.
  void wait(const std::string& name, wire::Link link, std::initializer_list<std::string_view> identities) {
    const std::string payload = encode({.name = "wait", .args = list(name)});
    std::vector<std::string_view> frames(identities);
    frames.insert(frames.end(), {"", payload});
    server.receive(frames, link);
  }
  std::size_t open() const { return server.stats().channels; }

  std::map<std::string, rpc::Reply<int>> replies;
  std::string lost;
};

// The sinks of two links, and what each sent.
struct Counting final : rpc::Sink {
  rpc::Delivery send(const wire::Envelope&, wire::Buffer&) override {
    ++sent;
    return rpc::Delivery::kHeld;
  }
  int sent = 0;
};

TEST_CASE_FIXTURE(Rig, "one identity and id on two links makes two calls, each answered by its own link") {
  wait("front", 0, {"alice"});
  wait("behind", 1, {"alice"});
  CHECK(open() == 2);
  replies.at("behind")(1);
  REQUIRE(sink.messages.size() == 1);
  CHECK(sink.messages.front().peer.link() == 1);
  replies.at("front")(1);
  CHECK(sink.messages.back().peer.link() == 0);
}

TEST_CASE_FIXTURE(Rig, "an event of one link does not reach the channel of another") {
  wait("front", 0, {"alice"});
  const std::string cancel = encode({.id = fresh_id(), .response_to = bin_id("id-1"), .name = "_zpx_cancel"});
  const std::array<std::string_view, 3> frames{"alice", "", cancel};
  server.receive(frames, 1);
  CHECK(open() == 1);
  server.receive(frames, 0);
  CHECK(open() == 0);
  CHECK(lost == "front ");
}

TEST_CASE("when a link is lost every call that came by it is, and no other") {
  Rig rig;
  rig.wait("a", 1, {"alice"});
  rig.wait("b", 1, {"bob"});
  rig.wait("c", 1, {"gate", "alice"});
  rig.wait("d", 2, {"alice"});
  rig.wait("e", 0, {"alice"});
  rig.server.lose_link(1);
  rig.turn();
  CHECK(rig.open() == 2);
  std::string lost = rig.lost;
  std::sort(lost.begin(), lost.end());
  CHECK(lost == "   abc");
  rig.server.lose_link(1);
  rig.turn();
  CHECK(rig.open() == 2);
  CHECK(rig.sink.messages.empty());
  CHECK(rig.server.stats().lost == 3);
}

TEST_CASE_FIXTURE(Rig, "a link that ends while a method sends by it takes the method's own call along") {
  server.method("settle", "", [&](rpc::Reply<int> reply) {
    reply.on_lost([&] { lost += "settle "; });
    replies.emplace("settle", std::move(reply));
    server.lose_link(1);  // as a proxy's link does when its end is found by a send
  });
  wait("other", 1, {"alice"});
  const std::string payload = encode({.id = fresh_id(), .name = "settle"});
  const std::array<std::string_view, 3> frames{"bob", "", payload};
  server.receive(frames, 1);
  turn();
  CHECK(open() == 0);
  CHECK(lost.size() == std::string("other settle ").size());  // in any order
}

TEST_CASE_FIXTURE(Rig, "a method may answer another call as it learns of its loss") {
  server.method("last words", "", [&](rpc::Reply<int> reply) {
    reply.on_lost([&] { replies.at("b")(7); });
    replies.emplace("a", std::move(reply));
  });
  const std::string payload = encode({.id = fresh_id(), .name = "last words"});
  const std::array<std::string_view, 3> frames{"alice", "", payload};
  server.receive(frames, 1);
  wait("b", 1, {"bob"});
  server.lose_link(1);
  turn();
  CHECK(open() == 0);
}

TEST_CASE("a connection that is gone takes the calls of everybody behind it, on its own link alone") {
  Rig rig;
  rig.wait("a", 0, {"gate", "alice"});
  rig.wait("b", 0, {"gate", "bob"});
  rig.wait("c", 0, {"other", "alice"});
  rig.wait("d", 1, {"gate", "alice"});
  rig.wait("e", 0, {"gate", "inner", "carol"});
  rig.sink.delivery = rpc::Delivery::kGone;
  rig.replies.at("a")(7);
  rig.turn();
  CHECK(rig.open() == 2);
  std::string lost = rig.lost;
  std::sort(lost.begin(), lost.end());
  CHECK(lost == "   abe");  // the one that was answered too: nobody has its answer
}

TEST_CASE_FIXTURE(Rig, "a direct client that is gone takes its own calls, and not those of others") {
  wait("a", 0, {"alice"});
  const std::string payload = encode({.id = fresh_id(), .name = "wait", .args = list("b")});
  const std::array<std::string_view, 3> frames{"alice", "", payload};
  server.receive(frames);
  wait("c", 0, {"bob"});
  sink.delivery = rpc::Delivery::kGone;
  replies.at("a")(7);
  turn();
  std::sort(lost.begin(), lost.end());
  CHECK(lost == "  ab");
  CHECK(open() == 1);
}

TEST_CASE("what is sent goes out by the link its envelope names") {
  Counting front;
  Counting first;
  Counting second;
  rpc::SinkMux links(front);
  CHECK(links.add(first) == 1);
  CHECK(links.add(second) == 2);
  for (const wire::Link link : {wire::Link{0}, wire::Link{2}, wire::Link{2}}) {
    wire::Envelope envelope;
    envelope.clear(link);
    wire::Buffer payload;
    CHECK(links.send(envelope, payload) == rpc::Delivery::kHeld);
  }
  CHECK(front.sent == 1);
  CHECK(first.sent == 0);
  CHECK(second.sent == 2);
}

}  // namespace zerosuite::test::server_links_test
