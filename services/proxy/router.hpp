// Routes messages between clients and workers: each is parsed only up to its name, and forwarded unchanged.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "ops/interceptor.hpp"
#include "proxy/dispatcher.hpp"
#include "rpc/transport/router_transport.hpp"

namespace zerosuite::proxy {

/// Sends to clients over the program's own ROUTER.
class RouterSink final : public ClientSink {
 public:
  explicit RouterSink(rpc::RouterTransport& transport) : transport_(transport) {}

  rpc::Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override {
    return transport_.send(peer, payload);
  }
  rpc::Delivery forward(std::span<net::Frame> frames) override {
    return transport_.send_queue().forward(frames);
  }

 private:
  rpc::RouterTransport& transport_;
};

struct RouterOptions {
  DispatcherOptions dispatch;
  std::size_t max_channels = 262'144;
  std::size_t max_channels_per_peer = 65'536;
  std::uint32_t max_credit = 1'000'000;  ///< Maximum number of events that a client may grant in advance.
  /// Maximum bytes kept of one client for workers that do not read: half of what is kept for a worker.
  std::size_t stalled_bytes = 16 << 20;
  core::milliseconds settle{3500};  ///< How long after the start calls of unknown names wait for a worker.
};

/// Loop thread only; does not use a socket.
class Router final : public ops::Interceptor {
 public:
  Router(net::Timers& timers, ClientSink& front, ServiceRegistry& registry, const RouterOptions& options);

  /// Handles calls of workers' methods and their follow-up events. Returns false for the rest, which is for
  /// the proxy's own server: its calls, events of unknown channels, and messages that are not events.
  bool receive(std::vector<net::Frame>& frames) override;
  /// Handles a message of a worker: `[address or room for one][client's identities …][empty][payload]`.
  void on_worker(Worker& worker, std::span<net::Frame> frames);

  void lose_client(std::string_view identity) override { dispatcher_.lose_client(identity); }
  void drain(std::function<void()> idle) override;
  void abort() override;
  ops::InterceptorTotals totals() const override;
  bool draining() const { return draining_; }

  Dispatcher& dispatcher() { return dispatcher_; }
  const Dispatcher& dispatcher() const { return dispatcher_; }

 private:
  void on_call(const wire::Event& event, std::vector<net::Frame>& frames);
  std::unique_ptr<Route> make_route(const wire::Event& event);
  void on_follow_up(Route& route, const wire::Event& event, std::vector<net::Frame>& frames);
  void pass_on(Route& route, std::vector<net::Frame>& frames);
  void on_reply(Route& route, const wire::Event& event, std::span<net::Frame> frames);
  void on_too_large(Worker& worker, const wire::Event& event, std::span<net::Frame> frames);
  void refuse(const wire::Event& event, const core::Error& error);
  void make_room(std::vector<net::Frame>& frames) const;
  bool settled() const;

  net::Timers& timers_;
  ClientSink& clients_out_;
  ServiceRegistry& registry_;
  RouterOptions options_;
  Dispatcher dispatcher_;
  core::TimePoint started_;
  bool draining_ = false;
  wire::Envelope envelope_;     // of the current message
  std::size_t identities_ = 0;  // likewise
};

}  // namespace zerosuite::proxy
