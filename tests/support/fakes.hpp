// The world around rpc, worked by hand: what is sent is kept, what is offloaded waits, time stands still.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "net/offload.hpp"
#include "net/timers.hpp"
#include "rpc/transport/sink.hpp"
#include "support/events.hpp"

namespace zerosuite::test {

using namespace std::chrono_literals;  // for all suites

/// Keeps what is sent, and answers what it is told to.
class RecordingSink final : public rpc::Sink {
 public:
  struct Message {
    wire::Envelope peer;
    std::string payload;
    wire::Event event() const { return wire::decode(payload, {}); }
  };

  rpc::Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override {
    if (delivery != rpc::Delivery::kGone) messages.push_back({peer, text_of(payload)});
    return delivery;
  }

  std::deque<Message> messages;
  rpc::Delivery delivery = rpc::Delivery::kSent;
};

/// Jobs that run when the test says so.
class HandOffload final : public net::Offload {
 public:
  [[nodiscard]] bool submit_for(Client client, Job job, Job then) override {
    if (waiting.size() >= room) return false;
    clients.push_back(client);
    waiting.emplace_back(std::move(job), std::move(then));
    return true;
  }
  /// Runs the oldest job and what follows it.
  void work() {
    auto [job, then] = std::move(waiting.front());
    waiting.pop_front();
    job();
    job = {};
    then();
  }

  std::deque<std::pair<Job, Job>> waiting;
  std::vector<Client> clients;  // of all that were taken
  std::size_t room = 100;
};

/// Lets time go by in steps short enough for every timer to see about its own moment.
inline void pass(net::Timers& timers, core::Clock::duration duration) {
  const auto end = timers.now() + duration;
  while (timers.now() < end) timers.advance_to(std::min(timers.now() + core::milliseconds(10), end));
}

/// Where a fake clock starts.
inline constexpr core::TimePoint kStart{std::chrono::hours(1)};

/// A clock and a disk that the test moves.
struct HandDisk {
  /// One more turn of the loop, without a moment passing.
  void turn() { timers.advance_to(timers.now()); }
  /// Until nothing is left to be done.
  void settle() {
    do {
      while (!offload.waiting.empty()) offload.work();
      turn();
    } while (!offload.waiting.empty() || timers.next().value_or(core::TimePoint::max()) <= timers.now());
  }
  void pass(core::Clock::duration duration) {
    const auto end = timers.now() + duration;
    while (timers.now() < end) {
      timers.advance_to(std::min(timers.now() + core::milliseconds(10), end));
      settle();
    }
  }

  net::Timers timers{kStart};
  HandOffload offload;
};

}  // namespace zerosuite::test
