// What libzmq accepts and reads: bounded, and weighed. It tells neither, and bounds only the size of a frame,
// so accept4(2) and recv(2) of the whole process are ours (arrivals.cpp), and note what passes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <zmq.hpp>

namespace zerosuite::net {

/// At most what libzmq keeps beside a frame's bytes: 64 for its place in the queue, and a block of its own
/// above 33 bytes. An empty frame is two bytes on the wire, so those say nothing of what it costs.
constexpr std::uint64_t kFrameCost = 128;

inline std::uint64_t weight_of(const zmq::message_t& frame) { return frame.size() + kFrameCost; }

/// Weighs the messages of one connection, from its first byte on, as they come in pieces of any size. Neither
/// the greeting nor commands (ZMTP 3.1, RFC 37) weigh anything, since nobody receives them, but for
/// subscriptions, which libzmq queues like messages.
class StreamScale {
 public:
  /// The weight of the frames that begin in `bytes`, and of the others' bytes in it.
  std::uint64_t add(std::string_view bytes);

 private:
  static constexpr std::uint64_t kGreeting = 64;
  static constexpr std::size_t kShortHead = 2;  // flags and a length of one byte

  std::size_t whole_frame(std::string_view bytes) const;
  std::uint64_t name(std::size_t size);

  std::uint64_t body_ = kGreeting;  // bytes of the frame still to come
  std::uint64_t length_ = 0;
  int length_bytes_ = 0;  // of the length, still to come
  bool silent_ = true;    // a command or the greeting: not weighed
  bool unnamed_ = false;  // a command whose name has not come yet
};

/// What was read up to now of the connection that was accepted last under the descriptor. Any thread.
std::uint64_t weight_read(int fd);
/// Of all descriptors, also such as were not accepted: an upper bound, which says when to look closer.
std::uint64_t weight_read();

/// How many descriptors the process may have, in parts of a hundred; nothing is accepted above 95.
int descriptors(int percent);

}  // namespace zerosuite::net
