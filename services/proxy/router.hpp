// The heart of the proxy: every message is read as far as its name, and passed on as it is.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "ops/interceptor.hpp"
#include "proxy/dispatcher.hpp"

namespace zerosuite::proxy {

struct RouterOptions {
  DispatcherOptions dispatch;
  std::size_t max_channels = 262'144;
  std::size_t max_channels_per_peer = 65'536;
  std::uint32_t max_credit = 1'000'000;  ///< Events that a client may have granted ahead.
  /// Of one client's messages, kept for workers that do not read: half of what is kept for a worker.
  std::size_t stalled_bytes = 16 << 20;
  core::milliseconds settle{3500};  ///< After the start, names that nobody offers yet are waited for.
};

/// Belongs to the loop's thread; knows no socket.
class Router final : public ops::Interceptor {
 public:
  Router(net::Timers& timers, ClientSink& front, ServiceRegistry& registry, const RouterOptions& options);

  /// Takes calls of workers' methods and what belongs to them. Calls of the proxy's own methods, and whatever
  /// is no event, are for its server.
  bool receive(std::vector<net::Frame>& frames) override;
  /// One message of a worker: `[address or room for one][client's identities …][empty][payload]`.
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
  wire::Envelope envelope_;     // of the message at hand
  std::size_t identities_ = 0;  // likewise
};

}  // namespace zerosuite::proxy
