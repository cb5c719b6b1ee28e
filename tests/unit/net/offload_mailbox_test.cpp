#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "net/offload.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::offload_mailbox_test {

using net::Mailbox;
using net::Reactor;

TEST_CASE("jobs run in a later turn, in order of posting") {
  Reactor reactor;
  Mailbox mailbox(reactor);
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) mailbox.post([&, i] { order.push_back(i); });
  CHECK(order.empty());
  CHECK_FALSE(mailbox.empty());
  reactor.turn(1h);
  CHECK(order == std::vector{0, 1, 2});
  CHECK(mailbox.empty());
}

TEST_CASE("a job posted by a job waits for the next turn") {
  Reactor reactor;
  Mailbox mailbox(reactor);
  int runs = 0;
  mailbox.post([&] {
    ++runs;
    mailbox.post([&] { ++runs; });
  });
  reactor.turn(1h);
  CHECK(runs == 1);
  reactor.turn(1h);
  CHECK(runs == 2);
}

TEST_CASE("jobs of many threads all run, those of one thread in their order") {
  constexpr int kThreads = 4;
  constexpr int kJobs = 5000;
  Reactor reactor;
  Mailbox mailbox(reactor);
  std::vector<int> seen(kThreads, 0);
  int misplaced = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kJobs; ++i) mailbox.post([&, t, i] { misplaced += seen[t]++ == i ? 0 : 1; });
    });
  }
  CHECK(turn_until(reactor, [&] { return seen == std::vector(kThreads, kJobs); }));
  CHECK(misplaced == 0);
  for (auto& thread : threads) thread.join();
}

TEST_CASE("a mailbox that is destroyed drops what it holds unrun") {
  Reactor reactor;
  auto witness = std::make_shared<int>(0);
  std::optional<Mailbox> mailbox(std::in_place, reactor);
  mailbox->post([witness] { ++*witness; });
  mailbox.reset();
  CHECK(witness.use_count() == 1);
  reactor.turn(0ms);
  CHECK(*witness == 0);
}

}  // namespace zerosuite::test::offload_mailbox_test
