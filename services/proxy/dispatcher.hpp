// The life cycle of calls: dispatched to a worker, queued until one has room, retried on another if the first
// is lost, ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/call_queues.hpp"
#include "proxy/retry_copies.hpp"
#include "proxy/route_table.hpp"
#include "proxy/service_registry.hpp"
#include "rpc/server/event_writer.hpp"
#include "wire/limits.hpp"

namespace zerosuite::proxy {

/// Counters of the proxy since its start.
struct Counters {
  std::uint64_t calls = 0;
  std::uint64_t retries = 0;       ///< Idempotent calls given to a second worker.
  std::uint64_t clients_lost = 0;  ///< Connections that were lost with calls open.
  std::uint64_t workers_lost = 0;  ///< Not counting those that deregistered.
  std::uint64_t abandoned = 0;     ///< Calls whose client was gone or had fallen silent.
  std::uint64_t expired = 0;       ///< Channels closed because a side was silent for too long.
  std::uint64_t duplicates = 0;    ///< Calls under an id that was in use.
  std::uint64_t strays = 0;        ///< Workers' events for channels they do not have, or no longer.
  std::uint64_t refused = 0;       ///< Registrations.
  std::map<std::string, std::uint64_t, std::less<>> errors;  ///< By name.

  void count_error(std::string_view name) {
    constexpr std::size_t kMostNames = 256;  // bounded, since the names come from workers
    auto found = errors.find(name);
    if (found == errors.end())
      found = errors.try_emplace(errors.size() < kMostNames ? std::string(name) : "other").first;
    ++found->second;
  }
};

/// Sends to clients.
class ClientSink : public rpc::Sink {
 public:
  /// Sends a whole message, `[client's identities …][empty][payload]`, unchanged.
  virtual rpc::Delivery forward(std::span<net::Frame> frames) = 0;
};

struct DispatcherOptions {
  std::size_t queue_calls = 1000;              ///< Of one service.
  std::size_t queue_bytes = 64 << 20;          ///< Of one service.
  std::size_t retry_bytes = 64 << 20;          ///< Payloads of idempotent calls, kept for a retry.
  core::milliseconds queue_for{2000};          ///< Queue timeout while workers have no room.
  core::milliseconds no_worker_for{500};       ///< Queue timeout while there is no worker.
  core::milliseconds channel_idle{3'600'000};  ///< Without an event of either side: ERR WorkerLost.
  core::milliseconds channel_age{3'600'000};   ///< Maximum age of calls of v1 clients without heartbeats.
  core::milliseconds forget_for{3'600'000};    ///< After this long without a worker, a service is forgotten.
  core::milliseconds heartbeat{5000};
  wire::Limits limits;
  BalanceOptions balance;
};

/// Loop thread only.
class Dispatcher final : private RouteTimers {
 public:
  Dispatcher(net::Timers& timers, ClientSink& front, ServiceRegistry& registry,
             const DispatcherOptions& options);

  std::unique_ptr<Route> make_route() {
    RouteTimers& keeper = *this;
    return std::make_unique<Route>(timers_, keeper);
  }
  /// Sets the call's service and method, and what these require of the call.
  void resolve(Route& route, const ServiceRegistry::Target& target, net::Frame& payload);
  /// Drops the retry copy: a reply event has passed, so the call will not be retried.
  void drop_retry_copy(Route& route) { copies_.drop(route); }
  /// Dispatches a new call to a worker, queues it, or replies with an error if neither is possible. `frames`
  /// must have room for an address in front.
  void place(Route& route, std::vector<net::Frame>& frames);
  /// The same for a name that no service offers yet.
  void place_unknown(Route& route, std::vector<net::Frame>& frames);

  /// The conversation is over.
  void finish(Route& route);
  /// Ends the call with an ERR.
  void fail(Route& route, const core::Error& error);
  /// As fail(), and cancels the call at the worker: the worker's reply cannot be passed on.
  void refuse_answer(Route& route, const core::Error& error);
  /// Ends the call without a reply to the client, and cancels it at the worker.
  void abandon(Route& route);
  /// The client has sent a heartbeat on the channel: from now on its own interval determines its timeout.
  void on_heartbeat(Route& route);
  /// The client granted credit or sent a heartbeat while no worker had the call.
  void on_client_event(Route& route, bool beat);
  /// Abandons all calls of a connection that is gone, also one whose reply could just not be delivered.
  void lose_client(std::string_view identity);

  /// A worker has joined: queued calls of its service may proceed.
  void worker_added(Worker& worker);
  /// Removes a worker: its calls are retried where that is allowed, and get ERR WorkerLost otherwise.
  void lose(Worker& worker, std::string_view reason);
  /// The connection of a worker that had this call has ended: the call is treated as by lose().
  void lose_call(Route& route, std::string_view reason);
  /// A worker takes no more new calls: if it was its service's last, the queued calls wait no longer than
  /// DispatcherOptions::no_worker_for.
  void shorten_deadlines(Service& service);
  /// As lose(), at the end of the turn, after everything that the worker has sent is read.
  void lose_later(Worker& worker);
  /// As ServiceExpiry::forget_oldest().
  bool forget_oldest() { return expiry_.forget_oldest(); }
  /// A worker's OK, ERR or end of a stream was passed on.
  void answered(Worker& worker, bool unavailable);

  /// Calls `empty` once no channel is open; at once if none is.
  void when_empty(std::function<void()> empty);
  /// Ends all calls with that error.
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
  net::Timer serve_;  // a worker has finished a call
  net::Timer room_;   // full pipes may have room again
  std::function<void()> empty_;
};

}  // namespace zerosuite::proxy
