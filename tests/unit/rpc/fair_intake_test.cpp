#include "rpc/transport/fair_intake.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/events.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::fair_intake_test {

using namespace std::chrono_literals;

constexpr auto kHeavy = core::Clock::duration::zero();  // every turn's worth takes longer
constexpr auto kLight = 1h;
constexpr int kTurn = rpc::ReceiveLoop::kMessagesATurn;

// An intake at one end of a pipe, and the test at the other. Messages are shown as "client:id", of follow-ups
// "client:id:name".
struct Rig {
  explicit Rig(core::Clock::duration quick = kHeavy, std::size_t max_waiting_bytes = 1 << 20)
      : intake(reactor.timers(), near,
               {.receive = [this](std::vector<net::Frame>& frames) { receive(frames); },
                .wanted = [this] { return wanted; },
                .caught_up = [this] { ++caught_up; }},
               {.max_waiting_bytes = max_waiting_bytes, .quick = quick}) {
    far.bind("inproc://intake");
    near.connect("inproc://intake");
  }

  void receive(std::vector<net::Frame>& frames) {
    const std::string payload = frames.back().to_string();
    const wire::Event event = wire::decode(payload, {});
    if (frames.size() == 2) return note("own:" + payload);
    std::string line;
    for (std::size_t i = 0; i + 2 < frames.size(); ++i) line += frames[i].to_string() + ":";
    if (event.fault != wire::Fault::kNone) return note(line + payload);
    if (event.response_to.empty()) return note(line + std::string(wire::id_text(event.id)));
    note(line + std::string(wire::id_text(event.response_to)) + ":" + std::string(event.name));
  }
  void note(const std::string& line) { served += line + " "; }

  void send(const std::vector<std::string>& texts) {
    std::vector<net::Frame> frames;
    for (const std::string& text : texts) frames.emplace_back(text.data(), text.size());
    REQUIRE(far.send(frames) == net::Sent::kYes);
  }
  void call(const std::string& client, const std::string& id) {
    send({client, "", test::encode({.id = test::bin_id(id), .name = "work"})});
  }
  void tell(const std::string& client, const std::string& id, std::string_view event,
            const std::string& args = test::list()) {
    send({client, "",
          test::encode({.id = test::bin_id("event"),
                        .response_to = test::bin_id(id),
                        .name = std::string(event),
                        .args = args})});
  }
  // So many calls of a hog that a turn serves just these, and what comes behind them is sorted.
  void fill_a_turn() {
    for (int i = 0; i < kTurn; ++i) call("hog", "0");
  }
  // Reads once, and answers what was served of what came behind the first turn's worth.
  std::string read() {
    intake.read();
    std::string behind = std::move(served);
    served.clear();
    for (int i = 0; i < kTurn && behind.starts_with("hog:0 "); ++i) behind.erase(0, 6);
    return behind;
  }
  // Serves all that waits.
  std::string serve() {
    test::turn_until(reactor, [this] { return !intake.behind(); });
    return std::exchange(served, {});
  }

  net::Reactor reactor;
  net::Context context{reactor};
  net::Socket far{context, zmq::socket_type::pair, {.high_water = 0}};
  net::Socket near{context, zmq::socket_type::pair, {.high_water = 0}};
  rpc::FairIntake intake;
  std::string served;
  bool wanted = true;
  int caught_up = 0;
};

TEST_CASE("while it is quick everything is served in the order it came, a turn's worth at a time") {
  Rig rig(kLight);
  rig.fill_a_turn();
  rig.call("hog", "1");
  rig.call("alice", "2");
  CHECK(rig.read().empty());
  CHECK_FALSE(rig.intake.behind());
  CHECK(rig.read() == "hog:1 alice:2 ");
}

TEST_CASE("what comes behind a heavy turn is served client by client in turn") {
  Rig rig;
  rig.fill_a_turn();
  for (const auto* id : {"1", "2", "3"}) rig.call("hog", id);
  rig.call("alice", "4");
  rig.call("bob", "5");
  rig.call("alice", "6");
  CHECK(rig.read().empty());
  CHECK(rig.intake.behind());
  CHECK(rig.serve() == "hog:1 alice:4 bob:5 hog:2 alice:6 hog:3 ");
  CHECK(rig.caught_up == 1);
}

TEST_CASE("without room for messages that wait everything keeps its order") {
  Rig rig(kHeavy, 0);
  rig.fill_a_turn();
  rig.call("hog", "1");
  CHECK(rig.read().empty());
  CHECK_FALSE(rig.intake.behind());
  CHECK(rig.read() == "hog:1 ");
}

TEST_CASE("a client's heartbeats and grants stay behind the calls of his that wait") {
  Rig rig;
  rig.fill_a_turn();
  rig.call("alice", "1");
  rig.tell("alice", "1", wire::kHeartbeat);
  rig.tell("alice", "1", wire::kMore, test::list(5));
  rig.call("alice", "2");
  CHECK(rig.read().empty());
  CHECK(rig.serve() == "alice:1 alice:1:_zpc_hb alice:1:_zpc_more alice:2 ");
}

TEST_CASE("heartbeats of a client of whom nothing waits are heard at once, and grants in turn") {
  Rig rig;
  rig.fill_a_turn();
  rig.call("hog", "1");
  rig.call("hog", "2");
  rig.tell("alice", "3", wire::kHeartbeat);
  rig.tell("bob", "4", wire::kMore, test::list(5));
  rig.tell("carol", "5", wire::kHeartbeat, test::list(5));  // an old client's grant
  CHECK(rig.read() == "alice:3:_zpc_hb ");
  CHECK(rig.serve() == "hog:1 bob:4:_zpc_more carol:5:_zpc_hb hog:2 ");
}

TEST_CASE("a cancel takes its call out of the line, and is heard at once when the call was served before") {
  Rig rig;
  rig.fill_a_turn();
  for (const auto* id : {"1", "2", "3"}) rig.call("hog", id);
  rig.call("alice", "2");
  rig.tell("hog", "2", wire::kCancel);
  rig.tell("hog", "served", wire::kCancel);
  CHECK(rig.read() == "hog:served:_zpx_cancel ");
  CHECK(rig.serve() == "hog:1 alice:2 hog:3 ");
}

TEST_CASE("an id that was cancelled can be used again") {
  Rig rig;
  rig.fill_a_turn();
  rig.call("hog", "1");
  rig.tell("hog", "1", wire::kCancel);
  rig.call("hog", "1");
  CHECK(rig.read().empty());
  CHECK(rig.serve() == "hog:1 ");
}

TEST_CASE("when all that waited is cancelled nothing waits any more") {
  Rig rig;
  rig.fill_a_turn();
  rig.call("hog", "1");
  rig.tell("hog", "1", wire::kCancel);
  CHECK(rig.read().empty());
  CHECK_FALSE(rig.intake.behind());
  CHECK(rig.caught_up == 1);
}

TEST_CASE("clients behind another proxy share its turns, and only their own calls are cancelled") {
  Rig rig;
  rig.fill_a_turn();
  rig.send({"gate", "alice", "", test::encode({.id = test::bin_id("1"), .name = "work"})});
  rig.send({"gate", "bob", "", test::encode({.id = test::bin_id("1"), .name = "work"})});
  rig.call("carol", "2");
  rig.send({"gate", "alice", "",
            test::encode({.response_to = test::bin_id("1"), .name = std::string(wire::kCancel)})});
  CHECK(rig.read().empty());
  CHECK(rig.serve() == "gate:bob:1 carol:2 ");
}

TEST_CASE("what is no client's is heard at once, and what is no event waits as a call does") {
  Rig rig;
  rig.fill_a_turn();
  rig.call("hog", "1");
  rig.send({"hog", "", "nonsense"});
  rig.send({"", "pulse"});
  CHECK(rig.read() == "own:pulse ");
  CHECK(rig.serve() == "hog:1 hog:nonsense ");
}

TEST_CASE("beyond so many bytes that wait no more is read until some of them are served") {
  Rig rig(kHeavy, 4 << 10);
  rig.fill_a_turn();
  for (int i = 0; i < 100; ++i) rig.call("hog", "1");
  CHECK(rig.read().empty());
  CHECK_FALSE(rig.intake.has_room());
  const std::string first = rig.serve();
  CHECK(first.size() >= 10 * std::string_view("hog:1 ").size());
  CHECK(first.size() <= 20 * std::string_view("hog:1 ").size());
  CHECK(rig.intake.has_room());
}

TEST_CASE("while nothing is wanted nothing is served, and what waits is served when it is again") {
  Rig rig;
  rig.fill_a_turn();
  rig.call("hog", "1");
  rig.call("hog", "2");
  CHECK(rig.read().empty());
  rig.wanted = false;
  for (int turn = 0; turn < 3; ++turn) rig.reactor.turn(5ms);
  CHECK(rig.served.empty());
  rig.wanted = true;
  CHECK(rig.serve() == "hog:1 hog:2 ");
}

TEST_CASE("what a connection that has ended brought last is served, with all that waited") {
  Rig rig;
  rig.fill_a_turn();
  for (const auto* id : {"1", "2"}) rig.call("hog", id);
  rig.call("alice", "3");
  CHECK(rig.read().empty());
  rig.call("bob", "4");
  rig.intake.read_up();
  CHECK(rig.served == "hog:1 alice:3 bob:4 hog:2 ");
  CHECK_FALSE(rig.intake.behind());
}

}  // namespace zerosuite::test::fair_intake_test
