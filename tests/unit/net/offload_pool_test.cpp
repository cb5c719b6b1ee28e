#include "net/offload_pool.hpp"

#include <doctest/doctest.h>
#include <pthread.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/wait.hpp"

namespace zerosuite::test::offload_pool_test {

using net::Pool;
using net::Reactor;

// Holds jobs up until it is opened.
class Gate {
 public:
  void open() { opened_.set_value(); }
  auto pass() {
    return [gate = gate_] { gate.wait(); };
  }

 private:
  std::promise<void> opened_;
  std::shared_future<void> gate_ = opened_.get_future().share();
};

// A stack that no machine has room for.
class NoNewThreads {
 public:
  NoNewThreads() {
    ::pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    ::pthread_attr_init(&huge);
    ::pthread_attr_setstacksize(&huge, std::size_t{1} << 46);
    ::pthread_setattr_default_np(&huge);
    ::pthread_attr_destroy(&huge);
  }
  ~NoNewThreads() {
    ::pthread_setattr_default_np(&before_);
    ::pthread_attr_destroy(&before_);
  }
  NoNewThreads(const NoNewThreads&) = delete;
  NoNewThreads& operator=(const NoNewThreads&) = delete;

 private:
  pthread_attr_t before_;
};

TEST_CASE("a job runs on another thread, and what follows on the loop's") {
  Reactor reactor;
  Pool pool(reactor);
  std::thread::id job_ran;
  std::thread::id then_ran;
  REQUIRE(pool.submit([&] { job_ran = std::this_thread::get_id(); },
                      [&] { then_ran = std::this_thread::get_id(); }));
  REQUIRE(turn_until(reactor, [&] { return then_ran != std::thread::id(); }));
  CHECK(then_ran == std::this_thread::get_id());
  CHECK(job_ran != std::this_thread::get_id());
  CHECK(job_ran != std::thread::id());
}

TEST_CASE("a pool has no thread before its first job, and one job starts one") {
  Reactor reactor;
  const auto before = count_threads();
  Pool pool(reactor, {.threads = 8});
  CHECK(count_threads() <= before);
  bool done = false;
  REQUIRE(pool.submit([] {}, [&] { done = true; }));
  CHECK(count_threads() <= before + 1);
  CHECK(turn_until(reactor, [&] { return done; }));
}

TEST_CASE("no more jobs run at a time than there are threads, and so many do") {
  constexpr int kThreads = 3;
  constexpr int kJobs = 200;
  Reactor reactor;
  Pool pool(reactor, {.threads = kThreads});
  std::atomic<int> running = 0;
  std::atomic<bool> crowded = false;
  std::promise<void> together;
  auto all_there = together.get_future().share();
  int done = 0;
  for (int i = 0; i < kJobs; ++i) {
    REQUIRE(pool.submit(
        [&, all_there, i] {
          const int now = ++running;
          if (now > kThreads) crowded = true;
          if (i == kThreads - 1) together.set_value();
          if (i < kThreads - 1) all_there.wait();
          --running;
        },
        [&] { ++done; }));
  }
  CHECK(turn_until(reactor, [&] { return done == kJobs; }));
  CHECK_FALSE(crowded);
}

TEST_CASE("jobs start in order of submission") {
  Reactor reactor;
  Pool pool(reactor, {.threads = 1});
  std::vector<int> started;
  int done = 0;
  for (int i = 0; i < 100; ++i) REQUIRE(pool.submit([&, i] { started.push_back(i); }, [&] { ++done; }));
  REQUIRE(turn_until(reactor, [&] { return done == 100; }));
  for (int i = 0; i < 100; ++i) CHECK(started[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("a full queue refuses a client's job and takes nothing; later there is room again") {
  Reactor reactor;
  Pool pool(reactor, {.threads = 2, .max_queued = 3});
  Gate gate;
  int done = 0;
  for (const Pool::Client client : {1, 1, 1, 2, 3})
    REQUIRE(pool.submit_for(client, gate.pass(), [&] { ++done; }));
  CHECK_FALSE(pool.submit_for(
      4, [] {}, [&] { done += 100; }));
  CHECK(pool.submit([] {}, [&] { ++done; }));
  gate.open();
  REQUIRE(turn_until(reactor, [&] { return done == 6; }));
  REQUIRE(pool.submit_for(
      4, [] {}, [&] { ++done; }));
  CHECK(turn_until(reactor, [&] { return done == 7; }));
}

TEST_CASE("one client alone may have half of the places, and whoever comes then finds some") {
  Reactor reactor;
  Pool pool(reactor, {.threads = 1, .max_queued = 31});
  Gate gate;
  int taken = 0;
  while (pool.submit_for(1, gate.pass(), [] {})) ++taken;
  CHECK(taken == 15);  // of 30: two are kept back
  CHECK(pool.submit_for(2, gate.pass(), [] {}));
  gate.open();
}

TEST_CASE("clients take turns, and the service's own jobs come before all of them") {
  Reactor reactor;
  Pool pool(reactor, {.threads = 1});
  Gate gate;
  std::promise<void> entered;
  std::string started;
  int done = 0;
  const auto then = [&] { ++done; };
  REQUIRE(pool.submit_for(
      1,
      [&, pass = gate.pass()] {
        entered.set_value();
        pass();
      },
      then));
  entered.get_future().wait();
  for (int i = 0; i < 3; ++i)
    REQUIRE(pool.submit_for(
        1, [&] { started += "a"; }, then));
  REQUIRE(pool.submit_for(
      2, [&] { started += "b"; }, then));
  REQUIRE(pool.submit([&] { started += "own "; }, then));
  gate.open();
  REQUIRE(turn_until(reactor, [&] { return done == 6; }));
  CHECK(started == "own abaa");
}

TEST_CASE("one client is never in all threads, so that another's job need not wait for his to end") {
  Reactor reactor;
  Pool pool(reactor, {.threads = 2});
  Gate gate;
  int done = 0;
  int done_of_other = 0;
  for (int i = 0; i < 4; ++i) REQUIRE(pool.submit_for(1, gate.pass(), [&] { ++done; }));
  for (int i = 0; i < 3; ++i)
    REQUIRE(pool.submit_for(
        2, [] {}, [&] { ++done_of_other; }));
  CHECK(turn_until(reactor, [&] { return done_of_other == 3; }));
  CHECK(done == 0);
  gate.open();
  CHECK(turn_until(reactor, [&] { return done == 4; }));
}

TEST_CASE("with a spare thread one client alone may be in all the others") {
  Reactor reactor;
  Pool pool(reactor, {.threads = 2, .spare = 1});
  std::promise<void> both;
  std::atomic<int> inside = 0;
  int done = 0;
  const auto meet = [&, together = both.get_future().share()] {
    if (++inside == 2) both.set_value();
    together.wait();
  };
  for (int i = 0; i < 2; ++i) REQUIRE(pool.submit_for(1, meet, [&] { ++done; }));
  CHECK(turn_until(reactor, [&] { return done == 2; }));
}

TEST_CASE("a job is destroyed before what follows it runs") {
  Reactor reactor;
  Pool pool(reactor, {.threads = 1});
  auto witness = std::make_shared<int>(0);
  std::weak_ptr<int> watch = witness;
  std::optional<bool> gone;
  REQUIRE(pool.submit([witness = std::move(witness)] { ++*witness; }, [&] { gone = watch.expired(); }));
  REQUIRE(turn_until(reactor, [&] { return gone.has_value(); }));
  CHECK(*gone);
}

TEST_CASE("a pool that is destroyed drops what has not started, waits for what runs and calls nobody back") {
  Reactor reactor;
  std::optional<Pool> pool(std::in_place, reactor, net::PoolOptions{.threads = 1});
  Gate gate;
  std::promise<void> entered;
  bool finished = false;
  bool second_ran = false;
  int thens = 0;
  REQUIRE(pool->submit(
      [&, pass = gate.pass()] {
        entered.set_value();
        pass();
        finished = true;
      },
      [&] { ++thens; }));
  entered.get_future().wait();
  // The running job is let go by the dropping of the one behind it, which only the destructor does.
  std::shared_ptr<void> opener(nullptr, [&](void*) { gate.open(); });
  REQUIRE(pool->submit([&, opener = std::move(opener)] { second_ran = true; }, [&] { ++thens; }));

  pool.reset();
  CHECK(finished);
  CHECK_FALSE(second_ran);
  reactor.turn(0ms);
  CHECK(thens == 0);
}

TEST_CASE("when no thread can start a job is not taken, or waits for those there are, and all goes on") {
  Reactor reactor;
  Pool pool(reactor, {.threads = 2});
  int done = 0;
  {
    const NoNewThreads short_of_threads;
    CHECK_FALSE(pool.submit([] {}, [&] { ++done; }));
  }
  Gate gate;
  REQUIRE(pool.submit(gate.pass(), [&] { ++done; }));
  {
    const NoNewThreads short_of_threads;
    CHECK(pool.submit([] {}, [&] { ++done; }));
  }
  gate.open();
  CHECK(turn_until(reactor, [&] { return done == 2; }));
}

}  // namespace zerosuite::test::offload_pool_test
