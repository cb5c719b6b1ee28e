// A server on a fake clock with clients that are mere names: bytes in, lines of text out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "rpc/server/server.hpp"
#include "rpc/server/stream_writer.hpp"
#include "support/fakes.hpp"

namespace zerosuite::test {

/// A call that was made.
struct Channel {
  std::string peer;
  std::string id;  ///< Encoded.
};

class ServerRig {
 public:
  explicit ServerRig(rpc::ServerOptions options = {.name = "math", .limits = {}, .channel = {}})
      : server(timers, sink, offload, watched(std::move(options))) {}

  /// One message as a ROUTER hands it over, from the connection `peer`.
  void receive(std::string_view peer, std::string_view payload) {
    const std::array<std::string_view, 3> frames{peer, "", payload};
    server.receive(frames);
  }
  void receive(std::string_view peer, const Letter& letter) { receive(peer, encode(letter)); }

  /// Calls a method under a fresh id.
  template <class... A>
  Channel call(const std::string& method, const A&... args) {
    return send({.name = method, .args = list(args...)});
  }
  /// Calls as `letter` says, but under a fresh id.
  Channel send(Letter letter, const std::string& peer = "alice") {
    letter.id = fresh_id();
    receive(peer, letter);
    return {peer, letter.id};
  }
  /// A later event of the client on that channel.
  template <class... A>
  void tell(const Channel& channel, const std::string& event, const A&... args) {
    receive(channel.peer,
            {.id = fresh_id(), .response_to = channel.id, .name = event, .args = list(args...)});
  }

  /// What was sent on the channel since it was asked last, "; " between events.
  std::string heard(const Channel& channel) {
    std::string lines;
    for (auto message = sink.messages.begin(); message != sink.messages.end();) {
      const wire::Event event = message->event();
      if (event.response_to != channel.id || message->peer != envelope(channel.peer)) {
        ++message;
        continue;
      }
      lines += (lines.empty() ? "" : "; ") + show(event);
      message = sink.messages.erase(message);
    }
    return lines;
  }
  /// How many STREAM items were sent on the channel since it was asked last.
  int items(const Channel& channel) {
    const std::string lines = heard(channel);
    int count = 0;
    for (auto at = lines.find("STREAM "); at != lines.npos; at = lines.find("STREAM ", at + 1)) ++count;
    return count;
  }

  void pass(core::Clock::duration duration) { test::pass(timers, duration); }
  /// One more turn of the loop, without a moment passing.
  void turn() { timers.advance_to(timers.now()); }

  std::string fresh_id() { return bin_id("call-" + std::to_string(++ids_)); }
  static wire::Envelope envelope(std::string_view peer) {
    wire::Envelope envelope;
    if (!envelope.push(peer)) throw std::length_error("an identity has 255 bytes at most");
    return envelope;
  }

  net::Timers timers{kStart};
  core::Clock::duration piece{0};  ///< So long each piece of the server's chores takes.
  RecordingSink sink;
  HandOffload offload;
  rpc::Server server;

 private:
  rpc::ServerOptions watched(rpc::ServerOptions options) {
    options.watch = [this] { return watch_ += piece; };
    return options;
  }

  core::TimePoint watch_ = kStart;
  int ids_ = 0;
};

/// What a method of the form `[&](Reply<T> reply)` was given, kept for later.
template <class T>
struct Kept {
  auto method() {
    return [this](rpc::Reply<T> its_reply) { reply.emplace(std::move(its_reply)); };
  }
  std::optional<rpc::Reply<T>> reply;
};

/// A server with one method whose items the test pushes, and one call to it.
struct StreamWriterRig : ServerRig {
  explicit StreamWriterRig(std::optional<std::int64_t> timeout_ms = {}) {
    server.method("watch", "", [this](rpc::StreamWriter<std::string> its_feed) {
      its_feed.on_lost([this] { ++lost; });
      writer.emplace(std::move(its_feed));
    });
    wire::Context extra;
    if (timeout_ms) extra.add("timeout_ms", *timeout_ms);
    channel = send({.name = "watch", .extra = &extra});
  }

  void grant(int items) { tell(channel, "_zpc_more", items); }
  std::string heard() { return ServerRig::heard(channel); }
  bool open() const { return server.stats().channels > 0; }

  std::optional<rpc::StreamWriter<std::string>> writer;
  int lost = 0;
  Channel channel;
};

}  // namespace zerosuite::test
