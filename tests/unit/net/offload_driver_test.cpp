#include "net/offload_driver.hpp"

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

namespace offload_driver_test {

using namespace std::chrono_literals;
using namespace zerosuite;
using net::Driver;
using net::Reactor;
using net::Timer;

namespace {

bool never_busy() { return false; }

template <class T>
bool arrives(const std::future<T>& future) {
  return future.wait_for(test::kPatience) == std::future_status::ready;
}

// Asks an echo over a socket: each request carries the address of who waits for it.
class Asker {
 public:
  Asker(net::Context& context, Reactor& reactor, Driver*& driver)
      : socket_(context, zmq::socket_type::dealer, {.high_water = 0}), driver_(driver) {
    watch_ = reactor.watch(socket_.ref(), [this] { take(); });
  }
  void connect(const std::string& endpoint) { socket_.connect(endpoint); }
  void ask(Driver::Waiter* waiter) {
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
      if (Driver::Waiter* const waiter = *frames.at(0).data<Driver::Waiter*>()) driver_->finish(*waiter);
    }
  }

  net::Socket socket_;
  Driver*& driver_;
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

}  // namespace

TEST_CASE(
    "a caller alone drives by itself: its job and its callbacks run on its thread, and no other is started") {
  Reactor reactor;
  Driver driver(reactor, never_busy);
  const auto before = test::count_threads();
  const auto self = std::this_thread::get_id();
  for (int i = 0; i < 100; ++i) {
    Driver::Waiter waiter;
    std::optional<Timer> timer;
    std::thread::id fired;
    driver.run(
        [&] {
          CHECK(std::this_thread::get_id() == self);
          timer.emplace(reactor.timers(), [&] {
            fired = std::this_thread::get_id();
            driver.finish(waiter);
          });
          timer->after(0ms);
        },
        waiter);
    CHECK(fired == self);
  }
  CHECK(test::count_threads() <= before);
}

TEST_CASE("a job that has its answer at once ends the wait without a turn") {
  Reactor reactor;
  Driver driver(reactor, never_busy);
  Driver::Waiter waiter;
  driver.run([&] { driver.finish(waiter); }, waiter);
}

TEST_CASE("a job sees the present, however long nobody drove") {
  Reactor reactor;
  Driver driver(reactor, never_busy);
  Driver::Waiter waiter;
  const auto before = core::Clock::now();
  driver.run(
      [&] {
        CHECK(reactor.timers().now() >= before);
        driver.finish(waiter);
      },
      waiter);
}

TEST_CASE("waiting on the driving thread is refused") {
  Reactor reactor;
  Driver driver(reactor, never_busy);
  Driver::Waiter outer;
  Driver::Waiter inner;
  driver.run(
      [&] {
        CHECK_THROWS_AS(driver.run([] {}, inner), std::logic_error);
        driver.finish(outer);
      },
      outer);
}

TEST_CASE("a job posted on the driving thread runs inside the call") {
  Reactor reactor;
  Driver driver(reactor, never_busy);
  Driver::Waiter waiter;
  driver.run(
      [&] {
        bool ran = false;
        driver.post([&] { ran = true; });
        CHECK(ran);
        driver.finish(waiter);
      },
      waiter);
}

TEST_CASE("a job posted while nobody drives runs in the background, again and again") {
  Reactor reactor;
  Driver driver(reactor, never_busy);
  for (int i = 0; i < 100; ++i) {
    std::promise<std::thread::id> ran;
    auto future = ran.get_future();
    driver.post([&] { ran.set_value(std::this_thread::get_id()); });
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
  Driver driver(reactor, [&] { return open; });
  Driver::Waiter waiter;
  driver.run(
      [&] {
        open = true;
        timer.after(1ms);
        driver.finish(waiter);
      },
      waiter);
  REQUIRE(arrives(future));
  CHECK(future.get() != std::this_thread::get_id());
}

TEST_CASE("a caller that comes second is served by the first, and takes over when the first is done") {
  Reactor reactor;
  Driver driver(reactor, never_busy);
  const auto before = test::count_threads();
  Driver::Waiter first;
  Driver::Waiter second;
  std::thread::id second_job;
  std::thread::id second_answer;
  std::thread::id follower_id;
  Timer late(reactor.timers(), [&] {
    CHECK(test::count_threads() <= before + 1);  // the follower; nothing for the background to do
    second_answer = std::this_thread::get_id();
    driver.finish(second);
  });

  std::thread follower;
  driver.run(
      [&] {
        follower = std::thread([&] {
          follower_id = std::this_thread::get_id();
          driver.run(
              [&] {
                second_job = std::this_thread::get_id();
                late.after(5ms);
                driver.finish(first);
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
    Driver driver(reactor, [] { return true; });
    std::promise<void> ran;
    auto future = ran.get_future();
    driver.post([&] {
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
  Driver* self = nullptr;
  Asker asker(context, reactor, self);
  asker.connect(echo.endpoint);
  Driver driver(reactor, [&] { return asker.open > 0; });
  self = &driver;

  std::atomic<int> posted = 0;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, random = std::minstd_rand(t + 1)]() mutable {
      for (int i = 0; i < kCalls; ++i) {
        if (random() % 8 == 0) {  // a call nobody waits for
          ++posted;
          driver.post([&] { asker.ask(nullptr); });
        }
        Driver::Waiter waiter;
        driver.run([&] { asker.ask(&waiter); }, waiter);
      }
    });
  }
  for (auto& thread : threads) thread.join();

  // The last posted calls may still be open; the background sees them through.
  const int expected = kThreads * kCalls + posted;
  const auto deadline = core::Clock::now() + test::kPatience;
  int answers = 0;
  while (answers < expected && core::Clock::now() < deadline) {
    std::promise<int> counted;
    auto future = counted.get_future();
    driver.post([&] { counted.set_value(asker.answers); });
    REQUIRE(arrives(future));
    answers = future.get();
  }
  CHECK(answers == expected);
}

}  // namespace offload_driver_test
