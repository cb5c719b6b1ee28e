#include "net/connections.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/wait.hpp"

namespace zerosuite::test::connections_test {

using net::Received;
using net::Sent;
using net::Socket;

// A client of any name, or none.
class Peer {
 public:
  Peer(net::Context& context, const std::string& endpoint, const std::string& name = {})
      : socket_(context, zmq::socket_type::dealer, {.linger = 5s}) {
    zmq::socket_ref socket = socket_.ref();
    if (!name.empty()) socket.set(zmq::sockopt::routing_id, name);
    socket_.connect(endpoint);
  }
  void say(const std::string& text) {
    net::Frame frame(text.data(), text.size());
    REQUIRE(socket_.send({&frame, 1}) == Sent::kYes);
  }
  bool hears_anything() {
    std::vector<net::Frame> frames;
    return socket_.receive(frames) != Received::kNone;
  }

 private:
  Socket socket_;
};

// A router, and what happens at it in order: "said x", "gone x".
struct Door {
  explicit Door(const std::string& bind = "tcp://127.0.0.1:*") : endpoint(router.bind(bind)) {
    context.gate().on_refusals([this](const net::Refusals& refusals) {
      note((refusals.count > 0 ? "over after " + std::to_string(refusals.count) + ": " : "refused: ") +
           std::string(describe(refusals.first)) + " from " + refusals.address);
    });
    connections.on_gone([this](std::string_view who) { note("gone " + std::string(who)); });
  }
  std::unique_ptr<Peer> peer(const std::string& name = {}) {
    return std::make_unique<Peer>(context, endpoint, name);
  }
  // Receives what is there, as a loop does.
  void receive() {
    while (router.receive(frames) != Received::kNone) {
      identity = frames.front().to_string();
      numbers.push_back(net::Gate::number_of(frames.back()));
      note("said " + frames.back().to_string());
    }
  }
  bool happens(std::string_view what) {
    return turn_until(reactor, [&] { return events.find(what) != events.npos; });
  }
  Sent send(const std::string& to) {
    std::vector<net::Frame> answer;
    answer.emplace_back(to.data(), to.size());
    answer.emplace_back(std::string_view("answer"));
    return router.send(answer);
  }
  void note(const std::string& event) { events += (events.empty() ? "" : ", ") + event; }

  net::Reactor reactor;
  net::Context context{reactor};
  Socket router{context, zmq::socket_type::router, {.reading = net::Reading::kAll}};
  net::Connections connections{context, reactor, router};
  std::string endpoint;
  std::string events;
  std::string identity;
  std::vector<std::uint64_t> numbers;
  std::vector<net::Frame> frames;
  net::Reactor::Watch watch = reactor.watch(router.ref(), [this] { receive(); });
};

// A connection that need not speak ZeroMQ.
class Plain {
 public:
  explicit Plain(const std::string& endpoint)
      : fd_(::socket(family(endpoint), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    constexpr std::string_view kLocal = "ipc://";
    if (family(endpoint) == AF_UNIX) {
      connect_local(endpoint.substr(kLocal.size()));
      return;
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
    REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~Plain() { ::close(fd_); }
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;
  void say(const std::string& bytes) { REQUIRE(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0); }
  // Says it if it can.
  void shout(const std::string& bytes) {
    [[maybe_unused]] const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  // As a ZMTP 3.1 dealer.
  void shake_hands() {
    const std::string mechanism = std::string("NULL") + std::string(16, '\0');
    say("\xff" + std::string(8, '\0') + "\x7f\x03\x01" + mechanism + std::string(32, '\0'));
    say(
        std::string("\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06"
                    "DEALER",
                    30));
  }
  // Who speaks before he is greeted in turn may not be heard.
  bool let_in() {
    char bytes[128];
    constexpr ssize_t kGreeting = 64;
    return ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK) > kGreeting;
  }
  // Sends a reset instead of a farewell.
  void slam() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(fd_, -1));
  }
  bool hung_up() {
    char bytes[256];
    ssize_t size = 0;
    while ((size = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) continue;
    return size == 0 || errno == ECONNRESET;
  }

 private:
  static int family(const std::string& endpoint) { return endpoint.starts_with("ipc:") ? AF_UNIX : AF_INET; }
  // A name of the machine begins with @ instead of a zero.
  void connect_local(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path);
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  }

  int fd_;
};

TEST_CASE_FIXTURE(Door, "the names a router gives its peers begin somewhere else each time") {
  Door second;
  const auto one = peer();
  const auto two = second.peer();
  one->say("x");
  two->say("x");
  REQUIRE(happens("said x"));
  REQUIRE(second.happens("said x"));
  REQUIRE(identity.size() == 5);
  CHECK(identity[0] == '\0');
  CHECK(identity != second.identity);
}

TEST_CASE_FIXTURE(Door, "each connection has a number of its own, and all its messages carry it") {
  const auto one = peer();
  one->say("a");
  one->say("b");
  REQUIRE(happens("said b"));
  const auto two = peer();
  two->say("c");
  REQUIRE(happens("said c"));
  REQUIRE(numbers.size() == 3);
  CHECK(numbers[0] > 0);
  CHECK(numbers[1] == numbers[0]);
  CHECK(numbers[2] > numbers[1]);
}

TEST_CASE_FIXTURE(Door, "HTTP is not taken for an old ZeroMQ, and what it carries reaches nobody") {
  Plain browser(endpoint);
  const std::string oldest("\x01\x00\x02\x00x", 5);  // two frames of ZMTP 1
  browser.say("POST / HTTP/1.1\r\nContent-Length: 405\r\n\r\n" + std::string(400, '\x01') + oldest);
  CHECK(turn_until(reactor, [&] { return browser.hung_up(); }));
  CHECK(events.empty());
}

TEST_CASE_FIXTURE(Door, "the end of a connection is told once, after what it said last") {
  auto alice = peer("alice");
  auto bob = peer("bob");
  bob->say("hello");
  REQUIRE(happens("said hello"));
  alice->say("first");
  REQUIRE(happens("said first"));
  events.clear();
  for (int i = 0; i < 100; ++i) alice->say("last");
  alice.reset();
  REQUIRE(happens("gone"));
  INFO(events);
  CHECK(events.ends_with("said last, gone alice"));
  for (int i = 0; i < 5; ++i) reactor.turn(2ms);
  CHECK(events.ends_with("said last, gone alice"));
}

TEST_CASE_FIXTURE(Door, "one that has gone before it was heard is heard, and then told") {
  watch.reset();
  auto alice = peer("alice");
  alice->say("only word");
  int seen = 0;
  REQUIRE(turn_until(reactor, [&] {
    zmq::pollitem_t item{router.ref().handle(), -1, ZMQ_POLLIN, 0};
    return ::zmq_poll(&item, 1, 0) > 0 && ++seen > 1;
  }));
  alice.reset();
  for (int i = 0; i < 10; ++i) reactor.turn(2ms);
  CHECK(events.empty());
  receive();
  REQUIRE(happens("gone"));
  CHECK(events == "said only word, gone alice");
}

TEST_CASE_FIXTURE(Door, "when somebody else speaks under a name, its last owner is told first") {
  auto alice = peer("alice");
  alice->say("one");
  REQUIRE(happens("said one"));
  alice.reset();
  // One that comes before the name is free is never heard (libzmq#4503), so it comes again.
  REQUIRE(turn_until(reactor, [&] {
    const auto other = peer("alice");
    other->say("two");
    for (int i = 0; i < 10; ++i) reactor.turn(5ms);
    return events.find("said two") != events.npos;
  }));
  CHECK(events.starts_with("said one, gone alice, said two"));
}

TEST_CASE_FIXTURE(Door, "an answer for one who has left goes to nobody who has taken its name since") {
  auto alice = peer("alice");
  alice->say("one");
  REQUIRE(happens("said one"));
  CHECK(send("alice") == Sent::kYes);
  auto other = peer("alice");  // waits until the name is free
  alice.reset();
  REQUIRE(turn_until(reactor, [&] { return send("alice") == Sent::kGone; }));
  for (int i = 0; i < 20; ++i) {
    reactor.turn(2ms);
    CHECK(send("alice") == Sent::kGone);
  }
  CHECK_FALSE(other->hears_anything());
  CHECK(happens("gone alice"));
}

TEST_CASE("a peer in the same process is answered, and its end is not told") {
  Door door("inproc://door");
  auto alice = door.peer("alice");
  alice->say("one");
  REQUIRE(door.happens("said one"));
  CHECK(door.send("alice") == Sent::kYes);
  alice.reset();
  for (int i = 0; i < 5; ++i) door.reactor.turn(2ms);
  CHECK(door.events == "said one");
}

TEST_CASE_FIXTURE(Door, "one connection more than there may be is ended, and told once") {
  std::string why;
  SUBCASE("in all") {
    why = "as many connections as there may be";
    context.gate().set_limits({.connections = 2});
  }
  SUBCASE("of one address") {
    why = "as many connections of one address as there may be";
    context.gate().set_limits({.per_address = 2});
  }
  const auto one = peer();
  auto two = peer();
  one->say("one");
  two->say("two");
  REQUIRE(turn_until(reactor, [&] { return numbers.size() == 2; }));
  events.clear();
  Plain third(endpoint);
  Plain fourth(endpoint);
  CHECK(turn_until(reactor, [&] { return third.hung_up() && fourth.hung_up(); }));
  CHECK(events == "refused: " + why + " from 127.0.0.1");
  one->say("still here");
  CHECK(happens("said still here"));

  two.reset();
  const auto fifth = peer();
  fifth->say("let in");
  CHECK(happens("said let in"));
  reactor.timers().advance_to(reactor.timers().now() + 11s);
  CHECK(events.find("over after ") != events.npos);
}

TEST_CASE_FIXTURE(Door, "when there is no more room, those leave who have never said anything") {
  context.gate().set_limits({.connections = 3});
  const auto one = peer();
  one->say("one");
  REQUIRE(happens("said one"));
  Plain silent(endpoint);
  Plain also_silent(endpoint);
  for (int i = 0; i < 20; ++i) reactor.turn(2ms);
  CHECK_FALSE(silent.hung_up());

  reactor.timers().advance_to(reactor.timers().now() + 6s);
  const auto late = peer();
  late->say("late");
  CHECK(happens("said late"));
  CHECK(silent.hung_up());
  CHECK(also_silent.hung_up());
  one->say("still here");
  CHECK(happens("said still here"));
}

TEST_CASE_FIXTURE(Door, "a connection of which too much waits to be received is ended") {
  connections.set_max_unread(1 << 20, 1 << 30);
  watch.reset();
  Plain loud(endpoint);
  loud.shake_hands();
  REQUIRE(turn_until(reactor, [&] { return loud.let_in(); }));
  char flags = 2;  // a long frame
  SUBCASE("in messages") {}
  SUBCASE("in a message that does not end") { flags = 3; }
  const std::string more =
      flags + std::string("\x00\x00\x00\x00\x00\x01\x00\x00", 8) + std::string(65536, 'x');
  CHECK(turn_until(reactor, [&] {
    loud.shout(more);
    return loud.hung_up();
  }));
  CHECK(events == "refused: it sends faster than it is served from 127.0.0.1");
}

TEST_CASE("frames without a byte weigh what libzmq keeps for them") {
  Door door("ipc://@zerosuite-connections-test-" + std::to_string(::getpid()));
  door.connections.set_max_unread(1 << 20, 1 << 30);
  Plain loud(door.endpoint);
  loud.shake_hands();
  REQUIRE(turn_until(door.reactor, [&] { return loud.let_in(); }));
  std::string few;
  for (int i = 0; i < 1000; ++i) few += std::string("\x01\x00", 2);
  CHECK(turn_until(door.reactor, [&] {
    loud.shout(few);
    return loud.hung_up();
  }));
  CHECK(door.events.starts_with("refused: it sends faster than it is served from uid:"));
}

TEST_CASE_FIXTURE(Door, "of many connections of which too much waits together, that with the most is ended") {
  connections.set_max_unread(1 << 20, 1 << 20);
  watch.reset();
  std::vector<std::unique_ptr<Plain>> lines;
  for (int i = 0; i < 4; ++i) {
    lines.push_back(std::make_unique<Plain>(endpoint));
    lines.back()->shake_hands();
    REQUIRE(turn_until(reactor, [&] { return lines.back()->let_in(); }));
  }
  const auto frame = [](char kib) {
    return std::string("\x02\x00\x00\x00\x00\x00\x00", 7) + static_cast<char>(kib * 4) +
           std::string(1, '\0') + std::string(std::size_t{1024} * static_cast<unsigned>(kib), 'x');
  };
  const std::string small = frame(20);
  const std::string large = frame(30);
  for (int i = 0; i < 12; ++i) {
    for (std::size_t line = 0; line < 3; ++line) lines[line]->say(small);
    lines[3]->shout(large);
    for (int turn = 0; turn < 5; ++turn) reactor.turn(2ms);
  }
  CHECK(turn_until(reactor, [&] { return lines[3]->hung_up(); }));
  CHECK(events ==
        "refused: all together send faster than they are served, and it most of all from 127.0.0.1");
  for (std::size_t line = 0; line < 3; ++line) CHECK_FALSE(lines[line]->hung_up());
}

TEST_CASE_FIXTURE(
    Door, "what one has sent that is ended because it is too much is not heard any more, and others are") {
  const auto honest = peer();
  honest->say("hello");
  Plain loud(endpoint);
  loud.shake_hands();
  REQUIRE(turn_until(reactor, [&] { return loud.let_in(); }));
  loud.say(std::string("\x00\x01x", 3));
  REQUIRE(turn_until(reactor, [&] { return numbers.size() == 2; }));
  connections.set_max_unread(1 << 20, 1 << 20);
  watch.reset();
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += std::string("\x00\x01x", 3);
  loud.say(many);
  CHECK(turn_until(reactor, [&] { return loud.hung_up(); }));
  honest->say("still here");
  events.clear();
  CHECK(turn_until(reactor, [&] {
    receive();
    return events.ends_with("said still here");
  }));
  CHECK(events == "said still here");
}

TEST_CASE_FIXTURE(Door,
                  "one that is served may send as much as it likes, also in messages that are thrown away") {
  connections.set_max_unread(1 << 20, 1 << 20);
  Plain busy(endpoint);
  busy.shake_hands();
  REQUIRE(turn_until(reactor, [&] { return busy.let_in(); }));
  std::string message;
  for (int i = 0; i < 30; ++i) message += std::string("\x03\x00\x00\x00\x00\x00\x00\x00\x01x", 10);
  message += std::string("\x00\x01y\x04\x07\x04PING\x00\x00", 12);
  for (int i = 0; i < 1000; ++i) {
    busy.say(message);
    const std::size_t said = numbers.size() + 1;
    REQUIRE(turn_until(reactor, [&] { return numbers.size() == said; }));
  }
  CHECK_FALSE(busy.hung_up());
}

// It ended the process (libzmq 4.3.4, `!_io_error`) when reading stopped at a mark.
TEST_CASE_FIXTURE(Door,
                  "one who sends more than is received, asks for a sign of life and hangs up harms nobody") {
  const auto honest = peer();
  honest->say("hello");
  REQUIRE(happens("said hello"));
  watch.reset();
  const std::string ping("\x04\x07\x04PING\x00\x00", 9);
  std::string flood;
  for (int i = 0; i < 3000; ++i) flood += std::string("\x01\x00\x00\x01x", 5) + ping;
  for (int i = 0; i < 5; ++i) {
    Plain hostile(endpoint);
    hostile.shake_hands();
    for (int turn = 0; turn < 5; ++turn) reactor.turn(2ms);
    hostile.say(flood);
    for (int turn = 0; turn < 5; ++turn) reactor.turn(2ms);
    hostile.slam();
  }
  for (int turn = 0; turn < 20; ++turn) {
    reactor.turn(2ms);
    receive();
  }
  CHECK(events.find("said x") != events.npos);
  honest->say("still here");
  CHECK(turn_until(reactor, [&] {
    receive();
    return events.ends_with("said still here");
  }));
}

}  // namespace zerosuite::test::connections_test
