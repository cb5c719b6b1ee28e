#include "net/offload_leader_follower.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "net/socket.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::offload_driver_test {

using net::LeaderFollower;
using net::Reactor;
using net::Timer;

bool never_busy() { return false; }

template <class T>
bool arrives(const std::future<T>& future) {
  return future.wait_for(kPatience) == std::future_status::ready;
}

// Asks an echo over a socket: each request carries the address of who waits for it.
class Asker {
 public:
  Asker(net::Context& context, Reactor& reactor, LeaderFollower*& leader)
      : socket_(context, zmq::socket_type::dealer, {.high_water = 0}), leader_(leader) {
    watch_ = reactor.watch(socket_.ref(), [this] { take(); });
  }
  void connect(const std::string& endpoint) { socket_.connect(endpoint); }
  void ask(LeaderFollower::Waiter* waiter) {
    net::Frame frame(&waiter, sizeof waiter);
    if (socket_.send({&frame, 1}) != net::Sent::kYes) std::terminate();
    ++open;
  }

  int open = 0;
  int answers = 0;

 private:
  void take() {
    std::vector<net::Frame> frames;
    while (socket_.receive(frames) == net::Received::kMessage) {
      --open;
      ++answers;
      if (LeaderFollower::Waiter* const waiter = *frames.at(0).data<LeaderFollower::Waiter*>())
        leader_->finish(*waiter);
    }
  }

  net::Socket socket_;
  LeaderFollower*& leader_;
  Reactor::Watch watch_;
};

// Echoes on a thread of its own.
class Echo {
 public:
  Echo() {
    endpoint = socket_.bind("tcp://127.0.0.1:*");
    thread_ = std::thread([this] { reactor_.run(); });
  }
  ~Echo() {
    orders_.post([this] { reactor_.stop(); });
    thread_.join();
  }

  std::string endpoint;

 private:
  void answer() {
    while (socket_.receive(frames_) == net::Received::kMessage) {
      if (socket_.send(frames_) != net::Sent::kYes) std::terminate();
    }
  }

  Reactor reactor_;
  net::Context context_{reactor_};
  net::Socket socket_{context_, zmq::socket_type::router, {.high_water = 0}};
  net::Mailbox orders_{reactor_};
  std::vector<net::Frame> frames_;
  Reactor::Watch watch_ = reactor_.watch(socket_.ref(), [this] { answer(); });
  std::thread thread_;
};

struct Leading {
  Reactor reactor;
  LeaderFollower leader{reactor, never_busy};
};

TEST_CASE_FIXTURE(
    Leading,
    "a caller alone drives by itself: its job and its callbacks run on its thread, and no other is started") {
  const auto before = count_threads();
  const auto self = std::this_thread::get_id();
  for (int i = 0; i < 100; ++i) {
    LeaderFollower::Waiter waiter;
    std::optional<Timer> timer;
    std::thread::id fired;
    leader.run(
        [&] {
          CHECK(std::this_thread::get_id() == self);
          timer.emplace(reactor.timers(), [&] {
            fired = std::this_thread::get_id();
            leader.finish(waiter);
          });
          timer->after(0ms);
        },
        waiter);
    CHECK(fired == self);
  }
  CHECK(count_threads() <= before);
}

TEST_CASE_FIXTURE(Leading, "a job that has its answer at once ends the wait without a turn") {
  LeaderFollower::Waiter waiter;
  leader.run([&] { leader.finish(waiter); }, waiter);
}

TEST_CASE_FIXTURE(Leading, "a job sees the present, however long nobody drove") {
  LeaderFollower::Waiter waiter;
  const auto before = core::Clock::now();
  leader.run(
      [&] {
        CHECK(reactor.timers().now() >= before);
        leader.finish(waiter);
      },
      waiter);
}

TEST_CASE_FIXTURE(Leading, "waiting on the driving thread is refused") {
  LeaderFollower::Waiter outer;
  LeaderFollower::Waiter inner;
  leader.run(
      [&] {
        CHECK_THROWS_AS(leader.run([] {}, inner), std::logic_error);
        leader.finish(outer);
      },
      outer);
}

TEST_CASE_FIXTURE(Leading, "a job posted on the driving thread runs inside the call") {
  LeaderFollower::Waiter waiter;
  leader.run(
      [&] {
        bool ran = false;
        leader.post([&] { ran = true; });
        CHECK(ran);
        leader.finish(waiter);
      },
      waiter);
}

TEST_CASE_FIXTURE(Leading, "a job posted while nobody drives runs in the background, again and again") {
  for (int i = 0; i < 100; ++i) {
    std::promise<std::thread::id> ran;
    auto future = ran.get_future();
    leader.post([&] { ran.set_value(std::this_thread::get_id()); });
    REQUIRE(arrives(future));
    CHECK(future.get() != std::this_thread::get_id());
  }
}

TEST_CASE("what is left open when the caller has its answer is driven on in the background") {
  Reactor reactor;
  bool open = false;  // seen by whoever drives
  std::promise<std::thread::id> closed;
  auto future = closed.get_future();
  Timer timer(reactor.timers(), [&] {
    open = false;
    closed.set_value(std::this_thread::get_id());
  });
  LeaderFollower leader(reactor, [&] { return open; });
  LeaderFollower::Waiter waiter;
  leader.run(
      [&] {
        open = true;
        timer.after(1ms);
        leader.finish(waiter);
      },
      waiter);
  REQUIRE(arrives(future));
  CHECK(future.get() != std::this_thread::get_id());
}

TEST_CASE_FIXTURE(
    Leading, "a caller that comes second is served by the first, and takes over when the first is done") {
  const auto before = count_threads();
  LeaderFollower::Waiter first;
  LeaderFollower::Waiter second;
  std::thread::id second_job;
  std::thread::id second_answer;
  std::thread::id follower_id;
  Timer late(reactor.timers(), [&] {
    CHECK(count_threads() <= before + 1);  // the follower; nothing for the background to do
    second_answer = std::this_thread::get_id();
    leader.finish(second);
  });

  std::thread follower;
  leader.run(
      [&] {
        follower = std::thread([&] {
          follower_id = std::this_thread::get_id();
          leader.run(
              [&] {
                second_job = std::this_thread::get_id();
                late.after(5ms);
                leader.finish(first);
              },
              second);
        });
      },
      first);
  follower.join();
  CHECK(second_job == std::this_thread::get_id());
  CHECK(second_answer == follower_id);
}

TEST_CASE("a driver that is destroyed joins its thread, also when something is still open") {
  static std::atomic<bool> ended;
  ended = false;
  struct AtExit {
    ~AtExit() { ended = true; }
  };
  Reactor reactor;
  {
    LeaderFollower leader(reactor, [] { return true; });
    std::promise<void> ran;
    auto future = ran.get_future();
    leader.post([&] {
      thread_local const AtExit at_exit;
      ran.set_value();
    });
    REQUIRE(arrives(future));
    CHECK_FALSE(ended);
  }
  CHECK(ended);
}

TEST_CASE("many threads share one socket: every caller gets its own answer and none is lost") {
  constexpr int kThreads = 8;
  constexpr int kCalls = 2000;
  Echo echo;
  Reactor reactor;
  net::Context context(reactor);
  LeaderFollower* self = nullptr;
  Asker asker(context, reactor, self);
  asker.connect(echo.endpoint);
  LeaderFollower leader(reactor, [&] { return asker.open > 0; });
  self = &leader;

  std::atomic<int> posted = 0;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, random = std::minstd_rand(t + 1)]() mutable {
      for (int i = 0; i < kCalls; ++i) {
        if (random() % 8 == 0) {  // a call nobody waits for
          ++posted;
          leader.post([&] { asker.ask(nullptr); });
        }
        LeaderFollower::Waiter waiter;
        leader.run([&] { asker.ask(&waiter); }, waiter);
      }
    });
  }
  for (auto& thread : threads) thread.join();

  // The last posted calls may still be open; the background sees them through.
  const int expected = kThreads * kCalls + posted;
  const auto deadline = core::Clock::now() + kPatience;
  int answers = 0;
  while (answers < expected && core::Clock::now() < deadline) {
    std::promise<int> counted;
    auto future = counted.get_future();
    leader.post([&] { counted.set_value(asker.answers); });
    REQUIRE(arrives(future));
    answers = future.get();
  }
  CHECK(answers == expected);
}

}  // namespace zerosuite::test::offload_driver_test
