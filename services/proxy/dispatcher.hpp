// The life of every call: given to a worker, queued until one has room, asked of another when the first has
// died, ended.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/route_table.hpp"
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
  core::milliseconds forget_for{3'600'000};    ///< Without a worker so long, a service is not known any more.
  core::milliseconds heartbeat{5000};
  wire::Limits limits;
  BalanceOptions balance;
};

/// Since the start.
struct Counters {
  std::uint64_t calls = 0;
  std::uint64_t retries = 0;       ///< Idempotent calls given to a second worker.
  std::uint64_t clients_lost = 0;  ///< Connections that were gone with calls open.
  std::uint64_t workers_lost = 0;  ///< Not counting those that said good-bye.
  std::uint64_t abandoned = 0;     ///< Calls whose client was gone, or of which nothing was heard any more.
  std::uint64_t expired = 0;       ///< Channels of which nothing was heard any more.
  std::uint64_t duplicates = 0;    ///< Calls under an id that was in use.
  std::uint64_t strays = 0;        ///< Workers' events for channels they do not have, or not any more.
  std::uint64_t refused = 0;       ///< Registrations.
  std::map<std::string, std::uint64_t, std::less<>> errors;  ///< By name.

  void count_error(std::string_view name);
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
  void drop_retry_copy(Route& route);
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
  /// As lose(), once whoever is at work now is done and everything the worker has sent is read.
  void lose_later(Worker& worker);
  /// Forgets the service that has been without a worker longest. False when each has one, or calls that wait.
  bool forget_oldest();
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
  void keep(Route& route, net::Frame& payload);
  void rearm(Route& route);
  core::TimePoint expiry(const Route& route) const;
  core::TimePoint silence_limit(const Route& route) const;
  bool give(Route& route, std::vector<net::Frame>& frames);
  Worker* choose(const Route& route);
  net::Sent attempt(Worker& worker, const Route& route, std::vector<net::Frame>& frames);
  void assign(Route& route, Worker& worker);
  void wait(Route& route, std::vector<net::Frame>& frames);
  bool make_room(Service& service, const Client& client, std::size_t bytes);
  void set_aside(Route& route, core::TimePoint until);
  void leave_queue(Route& route);
  void serve(Service& service);
  Route* first_known() const;
  void serve_all();
  template <class F>
  void end_many(F end_all);
  void expire(Route& route);
  void give_up(Route& route);
  void leave_worker(Route& route);
  void retry(Route& route);
  void orphan(Route& route, std::string_view reason);
  Service* longest_left() const;
  void forget_those_due();
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
  Counters counters_;
  wire::IdSource ids_;
  Service unknown_;  // holds the calls of names that nobody offers yet
  std::size_t kept_bytes_ = 0;
  bool many_end_ = false;  // queues are served when all of them have
  std::vector<Worker*> to_lose_;
  net::Timer lose_later_;
  net::Timer room_;    // pipes that were full may have room again
  net::Timer forget_;  // services that have gone for good
  std::function<void()> empty_;
};

}  // namespace zerosuite::proxy
