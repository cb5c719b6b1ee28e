// What a reactor does when it comes back from a pause: its clock begins in the past, and the pause is over.
#include <doctest/doctest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "net/reactor.hpp"
#include "net/socket.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::reactor_pause_test {

using net::Reactor;
using net::Timer;

constexpr int kBatch = 64;  // messages a callback takes before it returns

// A descriptor that is readable for a number of calls.
struct Ringing {
  explicit Ringing(int its_calls) : left(its_calls) { ::eventfd_write(fd, 1); }
  ~Ringing() { ::close(fd); }
  Ringing(const Ringing&) = delete;
  Ringing& operator=(const Ringing&) = delete;
  void heard() {
    ++calls;
    eventfd_t rings = 0;
    if (calls == left) ::eventfd_read(fd, &rings);
  }

  int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  int left;
  int calls = 0;
};

// Messages on their way between two sockets.
struct Crowd {
  Crowd(const std::string& endpoint, int messages) {
    to.bind(endpoint);
    from.connect(endpoint);
    for (int i = 0; i < messages; ++i) send();
    const auto arrived = [&] {
      zmq::pollitem_t item{to.ref().handle(), -1, ZMQ_POLLIN, 0};
      return ::zmq_poll(&item, 1, 0) > 0;
    };
    REQUIRE(turn_until(doorkeeper, arrived));
  }
  void send() {
    net::Frame frame(std::string_view("x"));
    REQUIRE(from.send({&frame, 1}) == net::Sent::kYes);
  }
  void take() {
    for (int i = 0; i < kBatch && to.receive(frames) == net::Received::kMessage; ++i) ++heard;
  }

  Reactor doorkeeper;  // only lets the sender in
  net::Context context{doorkeeper};
  net::Socket to{context, zmq::socket_type::pull, {.high_water = 0}};
  net::Socket from{context, zmq::socket_type::push, {.high_water = 0}};
  std::vector<net::Frame> frames;
  int heard = 0;
};

TEST_CASE("after a pause everything that waits is heard before an overdue timer fires") {
  Reactor reactor(core::Clock::now() - 1s);
  std::string endpoint;
  SUBCASE("in the process") { endpoint = "inproc://crowd"; }
  SUBCASE("in the kernel") { endpoint = "ipc://@zerosuite-crowd-" + std::to_string(::getpid()); }
  Crowd crowd(endpoint, 1000);
  const auto watch = reactor.watch(crowd.to.ref(), [&] { crowd.take(); });
  int heard_before = 0;
  Timer limit(reactor.timers(), [&] { heard_before = crowd.heard; });
  limit.after(20ms);
  reactor.turn(1h);
  CHECK(heard_before == 1000);
  CHECK_FALSE(limit.armed());
}

TEST_CASE("what is heard after a pause may put the overdue timer off, and sees the time go by") {
  Reactor reactor(core::Clock::now() - 1s);
  Ringing bell(3);
  bool fired = false;
  Timer limit(reactor.timers(), [&] { fired = true; });
  limit.after(0ms);
  std::vector<core::TimePoint> times;
  const auto watch = reactor.watch(bell.fd, [&] {
    times.push_back(reactor.timers().now());
    bell.heard();
    if (bell.calls == 3) limit.after(1h);
  });
  reactor.turn(0ms);
  CHECK(bell.calls == 3);
  CHECK_FALSE(fired);
  REQUIRE(times.size() == 3);
  CHECK(times.front() < times.back());
}

TEST_CASE("a watch added or ended while catching up counts at once") {
  Reactor reactor(core::Clock::now() - 1s);
  Timer limit(reactor.timers(), [] {});
  limit.after(0ms);
  Ringing first(-1);
  Ringing second(2);
  Reactor::Watch first_watch;
  Reactor::Watch second_watch;
  first_watch = reactor.watch(first.fd, [&] {
    first.heard();
    first_watch.reset();
    second_watch = reactor.watch(second.fd, [&] { second.heard(); });
  });
  reactor.turn(0ms);
  CHECK(first.calls == 1);
  CHECK(second.calls == 2);
}

TEST_CASE("a source that is never silent holds an overdue timer up for half a second only") {
  Reactor reactor(core::Clock::now() - 1s);
  Ringing bell(-1);
  const auto watch = reactor.watch(bell.fd, [&] { bell.heard(); });
  bool fired = false;
  Timer limit(reactor.timers(), [&] { fired = true; });
  limit.after(0ms);
  const auto start = core::Clock::now();
  reactor.turn(0ms);
  CHECK(fired);
  CHECK(core::Clock::now() - start >= 450ms);
  CHECK(core::Clock::now() - start < 5s);
}

TEST_CASE("a timer a little late is no pause: what is ready is called once") {
  const auto start = core::Clock::now() - 20ms;
  Reactor reactor(start);
  Ringing bell(3);
  const auto watch = reactor.watch(bell.fd, [&] { bell.heard(); });
  bool fired = false;
  Timer limit(reactor.timers(), [&] { fired = true; });
  limit.after(0ms);
  reactor.turn(0ms);
  CHECK(fired);
  if (core::Clock::now() - start < 100ms) CHECK(bell.calls == 1);  // else the test itself was paused
}

TEST_CASE("a timer that is not due makes no pause of a long silence") {
  Reactor reactor(core::Clock::now() - 1s);
  Ringing bell(3);
  const auto watch = reactor.watch(bell.fd, [&] { bell.heard(); });
  Timer limit(reactor.timers(), [] {});
  limit.after(1h);
  reactor.turn(0ms);
  CHECK(bell.calls == 1);
}

}  // namespace zerosuite::test::reactor_pause_test
