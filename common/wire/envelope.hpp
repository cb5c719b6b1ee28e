// The return path to a peer: the identity frames of a message, packed into one short string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/keyed_hash.hpp"

namespace zerosuite::wire {

/// The socket of a server that a message came from: 0 for the one that clients dial, then one for each proxy.
using Link = std::uint8_t;

/// Identity frames, outermost first, each as a length byte and its bytes. One hop's 5-byte identity takes 6
/// bytes and two hops 12, so the usual envelope fits inside the string object. The link is part of the path:
/// clients of two proxies may have the same identities.
class Envelope {
 public:
  static constexpr std::size_t kMaxFrame = 255;  ///< The maximum of ZeroMQ identities (zmq_setsockopt(3)).

  /// Adds a frame; returns false, adding nothing, when it is longer than kMaxFrame.
  [[nodiscard]] bool push(std::string_view frame) {
    if (frame.size() > kMaxFrame) return false;
    bytes_.push_back(static_cast<char>(frame.size()));
    bytes_.append(frame);
    return true;
  }
  /// Clears the frames and sets the link.
  void clear(Link link = 0) {
    bytes_.clear();
    link_ = link;
  }
  bool empty() const { return bytes_.empty(); }
  Link link() const { return link_; }
  /// The identity of the connection itself; empty when there is none.
  std::string_view outermost() const {
    return empty() ? std::string_view()
                   : std::string_view(bytes_).substr(1, static_cast<unsigned char>(bytes_.front()));
  }

  /// Whether the peer is connected directly, with no proxy in between.
  bool direct() const { return bytes_.size() <= 1 + outermost().size(); }
  /// The client that a call is counted for, as an opaque key: the connection to this server, or to the proxy
  /// in front of it. libzmq sets the outermost identity to the connection's, whatever the peer puts into the
  /// message.
  std::string client() const { return client_of(link_, outermost()); }
  static std::string client_of(Link link, std::string_view outermost) {
    return static_cast<char>(link) + std::string(outermost);
  }

  /// Calls `each(frame)` for every frame in order.
  template <class F>
  void for_each(F&& each) const {
    for (std::size_t at = 0; at < bytes_.size();) {
      const std::size_t size = static_cast<unsigned char>(bytes_[at]);
      each(std::string_view(bytes_).substr(at + 1, size));
      at += 1 + size;
    }
  }

  const std::string& bytes() const { return bytes_; }
  friend bool operator==(const Envelope&, const Envelope&) = default;

 private:
  std::string bytes_;
  Link link_ = 0;
};

}  // namespace zerosuite::wire

template <>
struct std::hash<zerosuite::wire::Envelope> {
  std::size_t operator()(const zerosuite::wire::Envelope& envelope) const {
    return zerosuite::core::KeyedHash()(envelope.bytes()) + envelope.link();
  }
};
