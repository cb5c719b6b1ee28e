// A proxy's relay on a fake clock, with clients and workers that are mere names: bytes in, lines of text out.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/admission.hpp"
#include "proxy/router.hpp"
#include "support/fakes.hpp"

namespace zerosuite::test {

/// The line of an ERR as clients from version 2 on get it.
inline std::string err(const std::string& name, const std::string& message) {
  return "ERR [\"" + name + "\", \"" + message + "\", \"" + name + ": " + message + "\n\"]";
}

/// A message that was passed on, without its address and its delimiter.
struct Passed {
  std::string peer;  ///< The identities with "/" between them.
  std::string payload;

  wire::Event event() const { return wire::decode(payload, {}); }
};

inline std::string path_of(std::span<const net::Frame> identities) {
  std::string path;
  for (const net::Frame& frame : identities) path.append(path.empty() ? "" : "/").append(frame.to_string());
  return path;
}

/// What went to the clients. Those whose connection is in `gone` are not there any more.
class RecordingFront final : public proxy::ClientSink {
 public:
  rpc::Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override {
    std::string path;
    peer.for_each([&](std::string_view frame) { path.append(path.empty() ? "" : "/").append(frame); });
    return keep({path, text_of(payload)}, std::string(peer.outermost()));
  }
  rpc::Delivery forward(std::span<net::Frame> frames) override {
    const Passed message{path_of(frames.first(frames.size() - 2)), frames.back().to_string()};
    if (frames[frames.size() - 2].size() != 0) ++malformed;
    const rpc::Delivery result = keep(message, frames.front().to_string());
    if (result != rpc::Delivery::kGone) std::for_each(frames.begin(), frames.end(), empty);
    return result;
  }

  std::deque<Passed> messages;
  std::set<std::string> gone;
  rpc::Delivery delivery = rpc::Delivery::kSent;
  int malformed = 0;  ///< Without an empty delimiter.

 private:
  static void empty(net::Frame& frame) { frame.rebuild(); }
  rpc::Delivery keep(Passed message, const std::string& connection) {
    if (gone.contains(connection)) return rpc::Delivery::kGone;
    messages.push_back(std::move(message));
    return delivery;
  }
};

/// What a worker is and offers.
struct Offer {
  std::string service = "math";
  std::vector<std::string> methods = {"add", "sub", "count"};
  bool idempotent = false;  ///< All of them.
  bool relief = false;      ///< All of them.
  bool sticky = false;
  bool bare_names = false;
  std::uint32_t max_inflight = 65'536;
  std::string version = {};
  std::string key = {};
  rpc::State state = {};
};

inline rpc::Registration registration(const std::string& id, const Offer& offer) {
  rpc::Registration said;
  said.id = id;
  said.service = offer.service;
  said.version = offer.version;
  for (const std::string& name : offer.methods)
    said.methods.push_back(
        {name, {wire::Dict{{{std::string("doc")}, {name}}}}, offer.idempotent, offer.relief});
  said.max_inflight = offer.max_inflight;
  said.sticky = offer.sticky;
  said.key = offer.key;
  said.state = offer.state;
  return said;
}

/// The way to a worker: keeps what goes there, and is full or gone when told so.
class FakeOutlet final : public proxy::WorkerConnection {
 public:
  net::Sent attempt(std::span<net::Frame> frames) override {
    ++attempts;
    if (sent == net::Sent::kYes) keep(frames);
    return sent;
  }
  rpc::Delivery forward(std::span<net::Frame> frames) override {
    if (sent == net::Sent::kGone) return rpc::Delivery::kGone;
    keep(frames);
    return rpc::Delivery::kSent;
  }
  rpc::Delivery send_heartbeat() override {
    return sent == net::Sent::kGone ? rpc::Delivery::kGone : rpc::Delivery::kSent;
  }
  void read_up() override {
    if (unread) std::exchange(unread, nullptr)();
  }
  void lost(std::string_view reason) override {
    lost_for = reason;
    worker = nullptr;
  }

  /// What came since it was asked last, "; " between events.
  std::string took() {
    std::string lines;
    for (const Passed& message : std::exchange(messages, {}))
      lines += (lines.empty() ? "" : "; ") + show(message.event());
    return lines;
  }

  proxy::Worker* worker = nullptr;  ///< Null once it was lost.
  std::deque<Passed> messages;
  net::Sent sent = net::Sent::kYes;
  int attempts = 0;
  int malformed = 0;  ///< Without room for an address or an empty delimiter.
  std::string lost_for;
  std::function<void()> unread;  ///< Hands over what it has sent and nobody has read.

 private:
  void keep(std::span<net::Frame> frames) {
    if (frames.front().size() != 0 || frames[frames.size() - 2].size() != 0) ++malformed;
    messages.push_back({path_of(frames.subspan(1, frames.size() - 3)), frames.back().to_string()});
    for (net::Frame& frame : frames) frame.rebuild();
  }
};

class RouterRig {
 public:
  /// A call that was made.
  struct Call {
    std::string peer;
    std::string id;       ///< Encoded.
    std::string payload;  ///< As the client sent it.
  };

  /// Of a proxy that has been up for longer than it waits for workers, unless told otherwise.
  explicit RouterRig(const proxy::RouterOptions& options = {.dispatch = {}, .settle = core::milliseconds(-1)})
      : router(timers, front, registry, options) {}

  FakeOutlet& join(const std::string& id, const Offer& offer = {}) {
    FakeOutlet& connection = *outlets_.emplace_back(std::make_unique<FakeOutlet>());
    auto worker = std::make_unique<proxy::Worker>();
    worker->id = id;
    worker->version = offer.version;
    worker->connection = &connection;
    worker->bare_names = offer.bare_names;
    worker->load.max_inflight = offer.max_inflight;
    connection.worker = &registry.add(std::move(worker), registration(id, offer));
    router.dispatcher().worker_added(*connection.worker);
    return connection;
  }
  /// The same if the proxy takes it; null when it refuses, with the reason in `refusal`.
  FakeOutlet* apply(const std::string& id, const Offer& offer = {},
                    const proxy::AdmissionOptions& options = {}) {
    const auto why =
        proxy::Admission(router.dispatcher(), registry, options).refusal(registration(id, offer));
    refusal = why ? why->name + ": " + why->message : std::string();
    return why ? nullptr : &join(id, offer);
  }
  void lose(FakeOutlet& connection) {
    router.dispatcher().lose(*connection.worker, "it is silent");
    turn();
  }

  /// One message of a client as a ROUTER hands it over; true when the relay took it.
  bool receive(const std::string& peer, std::string_view payload, std::string_view delimiter = {}) {
    std::vector<net::Frame> frames = identities(peer);
    frames.emplace_back(delimiter.data(), delimiter.size());
    frames.emplace_back(payload.data(), payload.size());
    return router.receive(frames);
  }
  /// Calls as `letter` says, but under a fresh id.
  Call send(Letter letter, const std::string& peer = "alice") {
    letter.id = fresh_id();
    Call call{peer, letter.id, encode(letter)};
    taken = receive(peer, call.payload);
    return call;
  }
  template <class... A>
  Call call(const std::string& method, const A&... args) {
    return send({.name = method, .args = list(args...)});
  }
  /// A later event of the client on that channel.
  template <class... A>
  std::string tell(const Call& call, const std::string& event, const A&... args) {
    const Letter letter{.id = fresh_id(), .response_to = call.id, .name = event, .args = list(args...)};
    taken = receive(call.peer, encode(letter));
    turn();
    return encode(letter);
  }
  /// What a worker says on a channel, args encoded; answers the payload.
  std::string answer(FakeOutlet& connection, const Call& call, const std::string& event,
                     const std::string& args) {
    const std::string payload =
        encode({.id = fresh_id(), .response_to = call.id, .name = event, .args = args});
    answer(connection, call.peer, payload);
    return payload;
  }
  void answer(FakeOutlet& connection, const std::string& peer, std::string_view payload) {
    std::vector<net::Frame> frames = identities(peer);
    frames.emplace(frames.begin(), std::string_view("address"));
    frames.emplace_back();
    frames.emplace_back(payload.data(), payload.size());
    router.on_worker(*connection.worker, frames);
    turn();
  }
  void ok(FakeOutlet& connection, const Call& call) { answer(connection, call, "OK", list(7)); }
  void unavailable(FakeOutlet& connection, const Call& call) {
    answer(connection, call, "ERR", list("Unavailable", "no", "no"));
  }

  /// What the client was sent on the channel since it was asked last, "; " between events.
  std::string heard(const Call& call) {
    std::string lines;
    std::erase_if(front.messages, [&](const Passed& message) {
      const wire::Event event = message.event();
      if (event.response_to != call.id || message.peer != call.peer) return false;
      lines += (lines.empty() ? "" : "; ") + show(event);
      return true;
    });
    return lines;
  }
  /// The id of the worker that has the call; empty when none has.
  std::string holder(const Call& call) const {
    std::string id;
    router.dispatcher().routes().for_each([&](const proxy::Route& route) {
      if (route.id() == call.id && route.worker != nullptr) id = route.worker->id;
    });
    return id;
  }
  std::size_t open() const { return router.dispatcher().routes().size(); }
  const proxy::Counters& counters() const { return router.dispatcher().counters(); }
  /// The end of a turn of the loop, without a moment passing.
  void turn() { timers.advance_to(timers.now()); }
  void pass(core::Clock::duration duration) { test::pass(timers, duration); }
  std::string fresh_id() { return bin_id("call-" + std::to_string(++ids_)); }

  net::Timers timers{kStart};
  RecordingFront front;
  proxy::ServiceRegistry registry;
  proxy::Router router;
  std::string refusal;  ///< What apply() was told last; empty when it was taken.
  bool taken = false;   ///< Whether the relay took the last message, or left it to the server.

 private:
  static std::vector<net::Frame> identities(const std::string& peer) {
    std::vector<net::Frame> frames;
    for (std::size_t at = 0; at <= peer.size();) {
      const std::size_t end = std::min(peer.find('/', at), peer.size());
      frames.emplace_back(peer.data() + at, end - at);
      at = end + 1;
    }
    return frames;
  }

  std::vector<std::unique_ptr<FakeOutlet>> outlets_;
  int ids_ = 0;
};

}  // namespace zerosuite::test
