// The life of every call: given to a worker, queued until one has room, asked of another when the first has
// died, ended.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/call_queues.hpp"
#include "proxy/counters.hpp"
#include "proxy/retry_copies.hpp"
#include "proxy/route_table.hpp"
#include "proxy/service_expiry.hpp"
#include "proxy/service_registry.hpp"
#include "rpc/server/event_writer.hpp"
#include "wire/limits.hpp"

namespace zerosuite::proxy {

/// The way to the clients.
class ClientSink : public rpc::Sink {
 public:
  /// A whole message, `[client's identities …][empty][payload]`, as it is.
  virtual rpc::Delivery forward(std::span<net::Frame> frames) = 0;
};

struct DispatcherOptions {
  std::size_t queue_calls = 1000;              ///< Of one service.
  std::size_t queue_bytes = 64 << 20;          ///< Of one service.
  std::size_t retry_bytes = 64 << 20;          ///< Payloads of idempotent calls, kept to ask another worker.
  core::milliseconds queue_for{2000};          ///< While workers are there but have no room.
  core::milliseconds no_worker_for{500};       ///< While there is none.
  core::milliseconds channel_idle{3'600'000};  ///< Nothing heard of either side: ERR WorkerLost.
  core::milliseconds channel_age{3'600'000};   ///< The same for clients of version 1, which do not beat.
  core::milliseconds forget_for{
      3'600'000};  ///< A service that has been without a worker for this long is forgotten.
  core::milliseconds heartbeat{5000};
  wire::Limits limits;
  BalanceOptions balance;
};

/// Belongs to the loop's thread.
class Dispatcher final : private RouteTimers {
 public:
  Dispatcher(net::Timers& timers, ClientSink& front, ServiceRegistry& registry,
             const DispatcherOptions& options);

  std::unique_ptr<Route> make_route() {
    RouteTimers& keeper = *this;
    return std::make_unique<Route>(timers_, keeper);
  }
  /// Says what the call is for: its service, its method, and what these ask for.
  void resolve(Route& route, const ServiceRegistry::Target& target, net::Frame& payload);
  /// A reply event has passed: nobody else will be asked.
  void drop_retry_copy(Route& route) { copies_.drop(route); }
  /// Gives a call that was just opened to a worker, or queues it, or answers that neither can be.
  /// `frames` have room for an address in front.
  void place(Route& route, std::vector<net::Frame>& frames);
  /// The same for a name that nobody offers yet.
  void place_unknown(Route& route, std::vector<net::Frame>& frames);

  /// The conversation is over.
  void finish(Route& route);
  /// Ends it with an ERR.
  void fail(Route& route, const core::Error& error);
  /// As fail(), and tells the worker that nobody waits any more: what it answered cannot be passed on.
  void refuse_answer(Route& route, const core::Error& error);
  /// Ends it without a word to the client, and tells the worker that nobody waits any more.
  void abandon(Route& route);
  /// The client has beaten on the channel: from now on its own interval tells whether it still waits.
  void on_heartbeat(Route& route);
  /// The client granted credit or beat while no worker had the call.
  void on_client_event(Route& route, bool beat);
  /// Abandons every call of a connection that is gone, also one whose answer has just come for nobody.
  void lose_client(std::string_view identity);

  /// A worker has come: its service's queue may move.
  void worker_added(Worker& worker);
  /// Takes a worker out: its calls go to another where that is allowed, and get ERR WorkerLost otherwise.
  void lose(Worker& worker, std::string_view reason);
  /// One of a worker's ways has ended, and this call of it with it: as the calls of lose().
  void lose_call(Route& route, std::string_view reason);
  /// A worker takes no new calls any more: if it was its service's last, what is queued waits no longer than
  /// for a first one.
  void shorten_deadlines(Service& service);
  /// As lose(), at the end of the turn and once everything that the worker has sent is read.
  void lose_later(Worker& worker);
  /// As ServiceExpiry::forget_oldest().
  bool forget_oldest() { return expiry_.forget_oldest(); }
  /// A worker's OK, ERR or end of a stream was passed on.
  void answered(Worker& worker, bool unavailable);

  /// Calls `empty` when no channel is open any more; at once when none is.
  void when_empty(std::function<void()> empty);
  /// Ends every call with that error.
  void fail_all(const core::Error& error);

  RouteTable& routes() { return routes_; }
  const RouteTable& routes() const { return routes_; }
  rpc::EventWriter& writer() { return writer_; }
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }
  std::size_t queued() const;

 private:
  void due(Route& route) override;
  void due_pending(Route& route);
  void rearm(Route& route);
  core::TimePoint expiry(const Route& route) const;
  core::TimePoint silence_limit(const Route& route) const;
  bool give(Route& route, std::vector<net::Frame>& frames);
  Worker* choose(const Route& route);
  net::Sent attempt(Worker& worker, const Route& route, std::vector<net::Frame>& frames);
  void assign(Route& route, Worker& worker);
  void wait(Route& route, std::vector<net::Frame>& frames);
  void set_aside(Route& route, core::TimePoint until);
  void serve(Service& service);
  void serve_all();
  void expire(Route& route);
  void give_up(Route& route);
  void leave_worker(Route& route);
  void retry(Route& route);
  void orphan(Route& route, std::string_view reason);
  void lose_those_due();
  void tell_cancelled(const Route& route);
  static core::Error overloaded(const Route& route);
  rpc::CallInfo info(const Route& route) const;
  core::TimePoint now() const { return timers_.now(); }

  net::Timers& timers_;
  ServiceRegistry& registry_;
  DispatcherOptions options_;
  RouteTable routes_;
  Balance balance_;
  rpc::EventWriter writer_;
  RetryCopies copies_;
  CallQueues queues_;
  ServiceExpiry expiry_;
  Counters counters_;
  wire::IdSource ids_;
  std::vector<Worker*> to_lose_;
  net::Timer lose_later_;
  net::Timer serve_;  // workers have room again
  net::Timer room_;   // pipes that were full may have room again
  std::function<void()> empty_;
};

}  // namespace zerosuite::proxy
