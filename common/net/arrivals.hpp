// Bounds what libzmq accepts and weighs what it reads. libzmq reports neither and limits only the size of a
// frame, so arrivals.cpp overrides accept4(2) and recv(2) for the whole process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <zmq.hpp>

namespace zerosuite::net {

/// Upper bound on what libzmq keeps beside a frame's bytes: 64 for its place in the queue, and a block of its
/// own above 33 bytes. An empty frame is two bytes on the wire, so its size does not show its cost.
constexpr std::uint64_t kFrameCost = 128;

inline std::uint64_t weight_of(const zmq::message_t& frame) { return frame.size() + kFrameCost; }

/// Weighs the messages of one connection, fed in pieces of any size from its first byte on. The greeting and
/// commands (ZMTP 3.1, RFC 37) weigh nothing, since they are not received as messages; except subscriptions,
/// which libzmq queues like messages.
class StreamScale {
 public:
  /// Returns the weight of `bytes`: the cost of each frame that begins in them plus the frames' own bytes.
  std::uint64_t add(std::string_view bytes);

 private:
  static constexpr std::uint64_t kGreeting = 64;
  static constexpr std::size_t kShortHead = 2;  // flags and a length of one byte

  std::size_t whole_frame(std::string_view bytes) const;
  std::uint64_t name(std::size_t size);

  std::uint64_t body_ = kGreeting;  // bytes of the frame still to come
  std::uint64_t length_ = 0;
  int length_bytes_ = 0;  // bytes of the length still to come
  bool silent_ = true;    // a command or the greeting: not weighed
  bool unnamed_ = false;  // a command whose name has not come yet
};

/// The weight read so far from the connection most recently accepted as descriptor `fd`. Any thread.
std::uint64_t weight_read(int fd);
/// The same over all descriptors, including ones that were not accepted: an upper bound that shows when a
/// closer look is worthwhile. Any thread.
std::uint64_t weight_read();

/// `percent` of the number of descriptors the process may have. Connections are accepted only up to 95
/// percent.
int descriptors(int percent);

}  // namespace zerosuite::net
