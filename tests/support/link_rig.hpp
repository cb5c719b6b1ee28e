// A worker's link to a proxy on real sockets, with the test in the place of the proxy.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rpc/worker/proxy_link.hpp"
#include "support/events.hpp"
#include "support/wait.hpp"

namespace zerosuite::test {

/// Notes what it is told, "; " between lines.
struct RecordingHost final : rpc::ProxyLinkHost {
  rpc::Registration registration(const rpc::ProxyLink&) override {
    ++introductions;
    return {.id = "m1", .service = "math", .version = "1", .methods = {}};
  }
  void receive(rpc::ProxyLink&, std::span<const std::string_view> frames) override {
    std::string line;
    for (const std::string_view frame : frames) line += "[" + std::string(frame) + "]";
    note(line);
    for (const auto end = core::Clock::now() + each_takes; core::Clock::now() < end;) continue;
  }
  void linked(rpc::ProxyLink&, const rpc::Greeting& proxy) override {
    note("linked");
    greeting = proxy;
  }
  void unlinked(rpc::ProxyLink&, std::string_view reason) override {
    note("unlinked: " + std::string(reason));
  }
  void refused(rpc::ProxyLink&, const core::Error& why) override {
    note("refused " + why.name + ": " + why.message);
  }
  void not_found(rpc::ProxyLink&, const core::Error& why) override { note("not found: " + why.message); }
  void note(const std::string& line) { lines += (lines.empty() ? "" : "; ") + line; }

  std::string lines;
  core::Clock::duration each_takes{};  // of a client's messages
  int introductions = 0;
  rpc::Greeting greeting;
};

/// A link, and the test in the place of its proxy.
struct LinkRig {
  explicit LinkRig(const net::SocketOptions& socket = {}, std::size_t max_held_bytes = 1 << 20)
      : proxy(std::make_unique<net::Socket>(context, zmq::socket_type::router, socket)),
        endpoint(proxy->bind("tcp://127.0.0.1:*")),
        link({context, reactor, names}, host,
             {.endpoint = endpoint, .socket = socket, .max_held_bytes = max_held_bytes, .limits = {}}) {}

  /// The next message that reaches the proxy: the name of an event of the link's own, or a client's frames.
  std::string next() {
    std::vector<net::Frame> frames;
    if (!turn_until(reactor, [&] { return proxy->receive(frames) == net::Received::kMessage; }))
      return "nothing";
    address = frames.front().to_string();
    if (frames.size() == 3 && frames[1].size() == 0) {
      const std::string payload = frames.back().to_string();
      return std::string(wire::decode(payload, {}).name);
    }
    std::string line;
    for (std::size_t i = 1; i < frames.size(); ++i) line += "[" + frames[i].to_string() + "]";
    return line;
  }
  /// The next that is no pulse.
  std::string next_but_pulses() {
    std::string line;
    do line = next();
    while (line == rpc::kWorkerHeartbeat);
    return line;
  }
  void send(const std::vector<std::string>& texts) {
    std::vector<net::Frame> frames;
    frames.emplace_back(address.data(), address.size());
    for (const std::string& text : texts) frames.emplace_back(text.data(), text.size());
    require(proxy->send(frames) == net::Sent::kYes, "the proxy's message is sent");
  }
  void say(std::string_view event, const std::string& args = list()) {
    send({"", encode({.name = std::string(event), .args = args})});
  }
  /// What the host was told, once it was told something.
  std::string told() {
    turn_until(reactor, [&] { return !host.lines.empty(); });
    return std::exchange(host.lines, {});
  }
  void register_it() {
    require(next_but_pulses() == rpc::kReady, "the link introduces itself");
    say(rpc::kAccepted);
    require(told() == "linked", "the link takes yes for an answer");
  }
  /// Ends the proxy and all its connections, and starts another in its place.
  void restart_proxy() {
    proxy.reset();
    proxy = std::make_unique<net::Socket>(context, zmq::socket_type::router);
    const auto bound = [&] {
      try {
        proxy->bind(endpoint);
        return true;
      } catch (const core::Failure&) {
        return false;  // the old socket is not closed yet
      }
    };
    require(turn_until(reactor, bound), "the endpoint is free again");
  }
  /// Lets the link's time go by, and none for the test.
  void pass(core::Clock::duration duration) {
    reactor.timers().advance_to(reactor.timers().now() + duration);
  }
  rpc::Delivery answer(const std::string& client, const std::string& payload) {
    wire::Envelope peer;
    require(peer.push(client), "an identity has 255 bytes at most");
    wire::Buffer buffer;
    buffer.write(payload.data(), payload.size());
    return link.send(peer, buffer);
  }

  static void require(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(std::string("did not happen: ") + what);
  }

  net::Reactor reactor;
  net::Context context{reactor};
  net::Names names{reactor};
  std::unique_ptr<net::Socket> proxy;
  std::string endpoint;
  std::string address;
  RecordingHost host;
  rpc::ProxyLink link;
};

}  // namespace zerosuite::test
