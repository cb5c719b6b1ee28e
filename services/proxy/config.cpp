#include "proxy/config.hpp"

#include <set>
#include <utility>

#include "core/error.hpp"
#include "ops/config.hpp"
#include "rpc/worker/registration.hpp"

namespace zerosuite::proxy {
namespace {

void describe_queue(ops::OptionTable& options, Config& config) {
  DispatcherOptions& dispatch = config.routing.dispatch;
  options.add("queue_calls", dispatch.queue_calls,
              "Maximum number of calls of one service that wait for a worker; ERR Overloaded beyond it.");
  options.add("queue_bytes", dispatch.queue_bytes, {1024},
              "Maximum size of them together; ERR Overloaded beyond it.");
  options.add("queue_ms", dispatch.queue_for, "How long they wait; then ERR Overloaded.");
  options.add("no_worker_ms", dispatch.no_worker_for,
              "How long a call waits while its service has no worker; then ERR Unavailable.");
  options.add(
      "retry_bytes", dispatch.retry_bytes,
      "Maximum size of the idempotent calls kept for a second worker; those beyond it are not retried.");
  options.add("settle_ms", config.routing.settle,
              "How long after the start a name that no worker offers yet is Unavailable, not unknown.");
}

void describe_services(ops::OptionTable& options, Config& config) {
  DispatcherOptions& dispatch = config.routing.dispatch;
  options.add("slow_start_ms", dispatch.balance.slow_start,
              "How long the share of calls of a new worker grows.");
  options.add("eject_after", dispatch.balance.eject_after, {1},
              "Replies of Unavailable or ShuttingDown in a row after which a worker gets no calls for a "
              "second, then two, up to 30.");
  options.add("channel_idle_ms", dispatch.channel_idle,
              "An open call of which neither side was heard for this long gets ERR WorkerLost.");
  options.add("channel_age_ms", dispatch.channel_age,
              "The same from the call on, for clients of protocol version 1, which send no heartbeats.");
  options.add("forget_ms", dispatch.forget_for,
              "A service that has had no worker for this long is forgotten.");
  options.add("max_workers", config.admission.max_workers, {1},
              "Maximum number of registered workers; one more is refused.");
  options.add("max_services", config.admission.max_services, {1},
              "Maximum number of known services; one more is refused.");
}

}  // namespace

void UpstreamRow::describe(ops::OptionTable& options) {
  const rpc::Registration registration;
  upstream.weight = registration.weight;
  options.add("name", upstream.service, "The service whose calls it gets.")
      .test(rpc::is_service_name,
            "a service's name: letters, digits, - and _, the first no _, and not proxy");
  options.add("endpoint", endpoints, "Where a stock zerorpc server listens; a list stands for several.")
      .not_empty()
      .argument("ENDPOINT")
      .test(ops::is_endpoint, "endpoints such as tcp://127.0.0.1:4301 or ipc:///run/math");
  options.add("weight", upstream.weight, {1}, "Its share of the calls, in proportion.");
  options.add("max_inflight", upstream.max_inflight, {1}, "Maximum number of calls that it gets at a time.");
  options.add("methods", upstream.methods,
              "The methods it offers, if it cannot list them itself; it is asked when none are given.");
  options.add("max_connections", upstream.max_connections, {1},
              "Maximum number of connections: each carries 150 calls or 300 stream items on their way.");
  options.add(
      "max_answer_bytes", upstream.max_answer_bytes, {1024},
      "A reply up to this size is refused with ERR TooLarge alone; a longer one ends its connection.");
  options.add("wedged_ms", upstream.wedged_after,
              "It is given up when it leaves a ping unanswered for this long and is not busy; 0 = never.");
}

void Config::describe(ops::OptionTable& options) {
  options.add("back", back, "Waits for workers at ENDPOINT; may be repeated.")
      .argument("ENDPOINT")
      .not_empty()
      .listening()
      .test(ops::is_endpoint, "endpoints such as tcp://127.0.0.1:4301 or ipc:///run/math");
  describe_queue(options, *this);
  describe_services(options, *this);
  options.add_rows("upstream", {"name", "endpoint"}, rows);
}

void Config::check() const {
  std::set<std::pair<std::string, std::string>> known;
  for (const UpstreamRow& row : rows) {
    for (const std::string& endpoint : row.endpoints) {
      if (known.emplace(row.upstream.service, endpoint).second) continue;
      throw core::Failure(core::kInvalidArgument,
                          "[[proxy.upstream]] " + row.upstream.service + " has " + endpoint + " twice");
    }
  }
}

RouterOptions Config::router_options() const {
  RouterOptions options = routing;
  options.max_channels = server.max_channels;
  options.max_channels_per_peer = server.max_channels_per_peer;
  options.max_credit = server.channel.max_credit;
  options.stalled_bytes = router.max_held_bytes / 2;
  options.dispatch.heartbeat = std::chrono::duration_cast<core::milliseconds>(server.channel.heartbeat);
  options.dispatch.limits = server.limits;
  return options;
}

std::vector<UpstreamOptions> Config::upstreams(const net::SocketOptions& socket) const {
  std::vector<UpstreamOptions> all;
  for (const UpstreamRow& row : rows) {
    for (const std::string& endpoint : row.endpoints) {
      UpstreamOptions& options = all.emplace_back(row.upstream);
      options.endpoint = endpoint;
      options.socket = socket;
      options.max_held_bytes = router.max_held_bytes;
      options.limits = server.limits;
    }
  }
  return all;
}

}  // namespace zerosuite::proxy
