#include "rpc/transport/fair_intake.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/events.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::fair_intake_test {

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
    send({client, "", encode({.id = bin_id(id), .name = "work"})});
  }
  void tell(const std::string& client, const std::string& id, std::string_view event,
            const std::string& args = list()) {
    send({client, "",
          encode(
              {.id = bin_id("event"), .response_to = bin_id(id), .name = std::string(event), .args = args})});
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
    turn_until(reactor, [this] { return !intake.behind(); });
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

struct Full : Rig {
  Full() { fill_a_turn(); }
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

TEST_CASE_FIXTURE(Full, "what comes behind a heavy turn is served client by client in turn") {
  for (const auto* id : {"1", "2", "3"}) call("hog", id);
  call("alice", "4");
  call("bob", "5");
  call("alice", "6");
  CHECK(read().empty());
  CHECK(intake.behind());
  CHECK(serve() == "hog:1 alice:4 bob:5 hog:2 alice:6 hog:3 ");
  CHECK(caught_up == 1);
}

TEST_CASE("without room for messages that wait everything keeps its order") {
  Rig rig(kHeavy, 0);
  rig.fill_a_turn();
  rig.call("hog", "1");
  CHECK(rig.read().empty());
  CHECK_FALSE(rig.intake.behind());
  CHECK(rig.read() == "hog:1 ");
}

TEST_CASE_FIXTURE(Full, "a client's heartbeats and grants stay behind the calls of his that wait") {
  call("alice", "1");
  tell("alice", "1", wire::kHeartbeat);
  tell("alice", "1", wire::kMore, list(5));
  call("alice", "2");
  CHECK(read().empty());
  CHECK(serve() == "alice:1 alice:1:_zpc_hb alice:1:_zpc_more alice:2 ");
}

TEST_CASE_FIXTURE(Full,
                  "heartbeats of a client of whom nothing waits are heard at once, and grants in turn") {
  call("hog", "1");
  call("hog", "2");
  tell("alice", "3", wire::kHeartbeat);
  tell("bob", "4", wire::kMore, list(5));
  tell("carol", "5", wire::kHeartbeat, list(5));  // an old client's grant
  CHECK(read() == "alice:3:_zpc_hb ");
  CHECK(serve() == "hog:1 bob:4:_zpc_more carol:5:_zpc_hb hog:2 ");
}

TEST_CASE_FIXTURE(
    Full, "a cancel takes its call out of the line, and is heard at once when the call was served before") {
  for (const auto* id : {"1", "2", "3"}) call("hog", id);
  call("alice", "2");
  tell("hog", "2", wire::kCancel);
  tell("hog", "served", wire::kCancel);
  CHECK(read() == "hog:served:_zpx_cancel ");
  CHECK(serve() == "hog:1 alice:2 hog:3 ");
}

TEST_CASE_FIXTURE(Full, "an id that was cancelled can be used again") {
  call("hog", "1");
  tell("hog", "1", wire::kCancel);
  call("hog", "1");
  CHECK(read().empty());
  CHECK(serve() == "hog:1 ");
}

TEST_CASE_FIXTURE(Full, "when all that waited is cancelled nothing waits any more") {
  call("hog", "1");
  tell("hog", "1", wire::kCancel);
  CHECK(read().empty());
  CHECK_FALSE(intake.behind());
  CHECK(caught_up == 1);
}

TEST_CASE_FIXTURE(Full,
                  "clients behind another proxy share its turns, and only their own calls are cancelled") {
  send({"gate", "alice", "", encode({.id = bin_id("1"), .name = "work"})});
  send({"gate", "bob", "", encode({.id = bin_id("1"), .name = "work"})});
  call("carol", "2");
  send({"gate", "alice", "", encode({.response_to = bin_id("1"), .name = std::string(wire::kCancel)})});
  CHECK(read().empty());
  CHECK(serve() == "gate:bob:1 carol:2 ");
}

TEST_CASE_FIXTURE(Full, "what is no client's is heard at once, and what is no event waits as a call does") {
  call("hog", "1");
  send({"hog", "", "nonsense"});
  send({"", "pulse"});
  CHECK(read() == "own:pulse ");
  CHECK(serve() == "hog:1 hog:nonsense ");
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

TEST_CASE_FIXTURE(Full,
                  "while nothing is wanted nothing is served, and what waits is served when it is again") {
  call("hog", "1");
  call("hog", "2");
  CHECK(read().empty());
  wanted = false;
  for (int turn = 0; turn < 3; ++turn) reactor.turn(5ms);
  CHECK(served.empty());
  wanted = true;
  CHECK(serve() == "hog:1 hog:2 ");
}

TEST_CASE_FIXTURE(Full, "what a connection that has ended brought last is served, with all that waited") {
  for (const auto* id : {"1", "2"}) call("hog", id);
  call("alice", "3");
  CHECK(read().empty());
  call("bob", "4");
  intake.read_up();
  CHECK(served == "hog:1 alice:3 bob:4 hog:2 ");
  CHECK_FALSE(intake.behind());
}

}  // namespace zerosuite::test::fair_intake_test
