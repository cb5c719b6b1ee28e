// Waiting for what another thread or the network does: as short as it takes, and never for ever.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <vector>

#include "core/clock.hpp"
#include "net/reactor.hpp"
#include "net/socket.hpp"

namespace zerosuite::test {

using namespace std::chrono_literals;  // for all suites

inline constexpr std::chrono::seconds kPatience{20};

/// Turns the reactor until `done()`; answers false when that does not happen within kPatience.
template <class Done>
bool turn_until(net::Reactor& reactor, Done done) {
  const auto deadline = core::Clock::now() + kPatience;
  while (!done()) {
    if (core::Clock::now() > deadline) return false;
    reactor.turn(core::milliseconds(20));
  }
  return true;
}

/// Waits for one message; answers kNone when none comes within kPatience.
inline net::Received receive(net::Socket& socket, std::vector<net::Frame>& frames) {
  zmq::pollitem_t item{socket.ref().handle(), -1, ZMQ_POLLIN, 0};
  zmq::poll(&item, 1, kPatience);
  return socket.receive(frames);
}

/// How many threads this process has now. One joined a moment ago may still be counted: compare by <=.
inline std::ptrdiff_t count_threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

}  // namespace zerosuite::test
