#include "net/reactor.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "net/deferred.hpp"
#include "net/socket.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::reactor_test {

using net::Reactor;
using net::Timer;

struct Bell {
  int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell() { ::close(fd); }
  void ring() { ::eventfd_write(fd, 1); }
  void silence() {
    eventfd_t rings = 0;
    ::eventfd_read(fd, &rings);
  }
};

struct Ringing {
  Reactor reactor;
  Bell bell;
};

TEST_CASE_FIXTURE(Ringing, "a readable descriptor is reported in every turn until it is read") {
  int calls = 0;
  const auto watch = reactor.watch(bell.fd, [&] { ++calls; });
  reactor.turn(0ms);
  CHECK(calls == 0);
  bell.ring();
  reactor.turn(0ms);
  reactor.turn(0ms);
  CHECK(calls == 2);
  bell.silence();
  reactor.turn(0ms);
  CHECK(calls == 2);
}

TEST_CASE("a descriptor whose other end hangs up is reported") {
  Reactor reactor;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  int calls = 0;
  {
    const auto watch = reactor.watch(ends[0], [&] { ++calls; });
    ::close(ends[1]);
    reactor.turn(1h);
  }
  CHECK(calls == 1);
  ::close(ends[0]);
}

TEST_CASE("a watch ended by another callback of the same turn is not called any more") {
  Reactor reactor;
  Bell first;
  Bell second;
  int calls = 0;
  std::optional<Reactor::Watch> watches[2];
  watches[0] = reactor.watch(first.fd, [&] {
    ++calls;
    watches[1].reset();
  });
  watches[1] = reactor.watch(second.fd, [&] {
    ++calls;
    watches[0].reset();
  });
  first.ring();
  second.ring();
  reactor.turn(0ms);
  CHECK(calls == 1);
  reactor.turn(0ms);
  CHECK(calls == 2);
}

TEST_CASE_FIXTURE(Ringing, "a callback may end its own watch and still use what it holds") {
  bell.ring();
  int calls = 0;
  Reactor::Watch watch;
  auto witness = std::make_shared<int>(1);
  watch = reactor.watch(bell.fd, [&, witness] {
    watch.reset();
    calls += *witness;
  });
  reactor.turn(0ms);
  reactor.turn(0ms);
  CHECK(calls == 1);
  CHECK(witness.use_count() == 1);
}

TEST_CASE_FIXTURE(Ringing, "a watch that ends outside a turn takes its closure with it") {
  auto witness = std::make_shared<int>(1);
  auto watch = reactor.watch(bell.fd, [witness] {});
  CHECK(witness.use_count() == 2);
  watch.reset();
  CHECK(witness.use_count() == 1);
}

TEST_CASE_FIXTURE(Ringing, "watches added by a callback are polled from the next turn on") {
  bell.ring();
  int calls = 0;
  std::vector<Reactor::Watch> more;
  const auto watch = reactor.watch(bell.fd, [&] {
    if (!more.empty()) return;
    for (int i = 0; i < 100; ++i) more.push_back(reactor.watch(bell.fd, [&] { ++calls; }));
  });
  reactor.turn(0ms);
  CHECK(calls == 0);
  reactor.turn(0ms);
  CHECK(calls == 100);
}

TEST_CASE_FIXTURE(Ringing, "a watch can be moved, and ends when another is assigned to it") {
  bell.ring();
  int first = 0;
  int second = 0;
  auto watch = reactor.watch(bell.fd, [&] { ++first; });
  auto moved = std::move(watch);
  reactor.turn(0ms);
  CHECK(first == 1);
  moved = reactor.watch(bell.fd, [&] { ++second; });
  reactor.turn(0ms);
  CHECK(first == 1);
  CHECK(second == 1);
}

TEST_CASE_FIXTURE(Ringing, "an exception of a callback passes through and leaves the reactor usable") {
  bell.ring();
  int calls = 0;
  auto watch = reactor.watch(bell.fd, [&] {
    if (++calls == 1) throw std::runtime_error("bad");
  });
  CHECK_THROWS_AS(reactor.turn(0ms), std::runtime_error);
  reactor.turn(0ms);
  CHECK(calls == 2);
}

TEST_CASE("a turn waits for the next timer without spinning, and the timer is not early") {
  Reactor reactor;
  bool fired = false;
  Timer timer(reactor.timers(), [&] { fired = true; });
  const auto start = core::Clock::now();
  timer.at(start + 30ms);
  int turns = 0;
  while (!fired) {
    reactor.turn(1h);
    ++turns;
  }
  CHECK(core::Clock::now() - start >= 30ms);
  CHECK(turns <= 4);  // the wheel may stop once a level
}

TEST_CASE_FIXTURE(Ringing, "a callback sees the time of its own turn") {
  bell.ring();
  core::TimePoint seen;
  const auto watch = reactor.watch(bell.fd, [&] { seen = reactor.timers().now(); });
  const auto before = core::Clock::now();
  reactor.turn(0ms);
  CHECK(seen >= before);
  CHECK(seen <= core::Clock::now());
}

TEST_CASE_FIXTURE(Ringing, "what is ready is heard before the timers of its turn fire, and sees their time") {
  std::string order;
  core::TimePoint heard_at;
  Timer timer(reactor.timers(), [&] { order += "timer "; });
  const core::TimePoint due = core::Clock::now() + 2ms;
  timer.at(due);
  const auto watch = reactor.watch(bell.fd, [&] {
    order += "bell ";
    heard_at = reactor.timers().now();
    bell.silence();
  });
  while (core::Clock::now() < due + 2ms) continue;  // both are due when the turn begins
  bell.ring();
  reactor.turn(0ms);
  CHECK(order == "bell timer ");
  CHECK(heard_at >= due);
}

TEST_CASE_FIXTURE(Ringing,
                  "what is put off until later runs at the end of the turn, and no turn waits for it") {
  std::vector<std::string> order;
  net::Deferred deferred(reactor.timers());
  Timer due(reactor.timers(), [&] { order.emplace_back("timer"); });
  due.after(0ms);
  const auto watch = reactor.watch(bell.fd, [&] {
    bell.silence();
    deferred.add([&] { order.emplace_back("later"); });
    order.emplace_back("heard");
  });
  bell.ring();
  reactor.turn(1h);
  CHECK(order == std::vector<std::string>{"heard", "timer", "later"});
  deferred.add([&] { order.emplace_back("between turns"); });
  reactor.turn(1h);
  CHECK(order.back() == "between turns");
}

TEST_CASE_FIXTURE(Ringing, "a timer that is put off by what its turn hears does not fire") {
  bool fired = false;
  Timer limit(reactor.timers(), [&] { fired = true; });
  const core::TimePoint due = core::Clock::now() + 2ms;
  limit.at(due);
  const auto watch = reactor.watch(bell.fd, [&] {
    limit.after(1h);
    bell.silence();
  });
  while (core::Clock::now() < due + 2ms) continue;
  bell.ring();
  reactor.turn(0ms);
  reactor.turn(0ms);
  CHECK_FALSE(fired);
  CHECK(limit.armed());
}

TEST_CASE("run turns until a callback stops it") {
  Reactor reactor;
  Timer timer(reactor.timers(), [&] { reactor.stop(); });
  for (int round = 0; round < 2; ++round) {
    timer.after(1ms);
    reactor.run();
    CHECK_FALSE(timer.armed());
  }
}

TEST_CASE("a signal ends the wait and is no error") {
  static volatile std::sig_atomic_t signals = 0;
  struct sigaction action {};
  struct sigaction old {};
  action.sa_handler = [](int) { signals = signals + 1; };
  ::sigaction(SIGALRM, &action, &old);
  const itimerval each_ms{{0, 1000}, {0, 1000}};
  const itimerval off{};
  ::setitimer(ITIMER_REAL, &each_ms, nullptr);

  Reactor reactor;
  Bell bell;
  const auto watch = reactor.watch(bell.fd, [] {});
  const auto start = core::Clock::now();
  CHECK_NOTHROW(reactor.turn(1min));
  CHECK(core::Clock::now() - start < 1min);

  ::setitimer(ITIMER_REAL, &off, nullptr);
  ::sigaction(SIGALRM, &old, nullptr);
  CHECK(signals > 0);
}

TEST_CASE("a loud peer starves neither timers nor other sockets") {
  Reactor reactor;
  net::Context context(reactor);
  net::Socket loud(context, zmq::socket_type::pair, {.high_water = 0});
  net::Socket loud_peer(context, zmq::socket_type::pair, {.high_water = 0});
  net::Socket quiet(context, zmq::socket_type::pair);
  net::Socket quiet_peer(context, zmq::socket_type::pair);
  loud_peer.bind("inproc://loud");
  loud.connect("inproc://loud");
  quiet_peer.bind("inproc://quiet");
  quiet.connect("inproc://quiet");
  const auto send = [](net::Socket& socket) {
    net::Frame frame(std::string_view("x"));
    REQUIRE(socket.send({&frame, 1}) == net::Sent::kYes);
  };

  std::vector<net::Frame> frames;
  int taken = 0;
  const auto loud_watch = reactor.watch(loud.ref(), [&] {
    REQUIRE(loud.receive(frames) == net::Received::kMessage);
    ++taken;
    send(loud_peer);
  });
  bool heard = false;
  const auto quiet_watch =
      reactor.watch(quiet.ref(), [&] { heard = quiet.receive(frames) == net::Received::kMessage; });
  bool fired = false;
  Timer timer(reactor.timers(), [&] { fired = true; });

  send(loud_peer);
  send(quiet_peer);
  timer.after(5ms);
  CHECK(turn_until(reactor, [&] { return heard && fired; }));
  CHECK(taken > 0);
}

TEST_CASE("a descriptor is reported as writable while there is room, and not when it can only be read") {
  Reactor reactor;
  int ends[2];
  REQUIRE(::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
  int readable = 0;
  int writable = 0;
  const auto reading = reactor.watch(ends[0], [&] { ++readable; });
  const auto writing = reactor.watch_writable(ends[1], [&] { ++writable; });
  reactor.turn(0ms);
  reactor.turn(0ms);
  CHECK(writable == 2);
  CHECK(readable == 0);

  const std::string page(4096, 'x');
  while (::write(ends[1], page.data(), page.size()) > 0) continue;
  reactor.turn(0ms);
  CHECK(writable == 2);
  CHECK(readable == 1);
  ::close(ends[0]);  // nobody will read it: that is reported too
  reactor.turn(0ms);
  CHECK(writable == 3);
  ::close(ends[1]);
}

TEST_CASE("one descriptor may be watched both ways") {
  Reactor reactor;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  std::string order;
  const auto reading = reactor.watch(ends[0], [&] { order += "r"; });
  auto writing = reactor.watch_writable(ends[0], [&] { order += "w"; });
  REQUIRE(::write(ends[1], "x", 1) == 1);
  reactor.turn(0ms);
  CHECK(order == "rw");
  writing.reset();
  reactor.turn(0ms);
  CHECK(order == "rwr");
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace zerosuite::test::reactor_test
