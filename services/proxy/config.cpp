#include "proxy/config.hpp"

#include <set>
#include <utility>

#include "core/error.hpp"
#include "ops/app.hpp"
#include "ops/config/text.hpp"
#include "rpc/worker/registration.hpp"

namespace zerosuite::proxy {
namespace {

using ops::Option;
using ops::Scope;
using ops::Type;

std::vector<Option> own_options() {
  const RouterOptions usual;
  const DispatcherOptions& dispatch = usual.dispatch;
  const AdmissionOptions admission;
  Option bytes =
      ops::own_count("queue_bytes", dispatch.queue_bytes, 1024, "Their size together; the same beyond it.");
  bytes.unit = "bytes";
  Option retry =
      ops::own_count("retry_bytes", dispatch.retry_bytes, 0,
                     "Idempotent calls kept for a second worker; those beyond it are not asked again.");
  retry.unit = "bytes";
  return {{.name = "back",
           .type = Type::kEndpoints,
           .scope = Scope::kOwn,
           .initial = std::vector<std::string>{"tcp://127.0.0.1:4244"},
           .argument = "ENDPOINT",
           .help = "Waits for workers at ENDPOINT; may be repeated."},
          ops::own_count("queue_calls", dispatch.queue_calls, 0,
                         "Calls of one service that wait for room at a worker; ERR Overloaded beyond it."),
          bytes,
          ops::own_time("queue_ms", dispatch.queue_for, 0, "How long they wait; then ERR Overloaded."),
          ops::own_time("no_worker_ms", dispatch.no_worker_for, 0,
                        "How long a call waits for the first worker of its service; then ERR Unavailable."),
          retry,
          ops::own_time(
              "settle_ms", usual.settle, 0,
              "After the start, names that no worker offers yet are Unavailable, not unknown, for so long."),
          ops::own_time("slow_start_ms", dispatch.balance.slow_start, 0,
                        "A new worker's share of the calls grows for so long."),
          ops::own_count(
              "eject_after", dispatch.balance.eject_after, 1,
              "Answers of Unavailable in a row that set a worker aside for a second, then two, up to 30."),
          ops::own_time("channel_idle_ms", dispatch.channel_idle, 0,
                        "An open call of which neither side was heard for so long gets ERR WorkerLost."),
          ops::own_time(
              "channel_age_ms", dispatch.channel_age, 0,
              "The same from the call on, for clients of protocol version 1, which send no heartbeats."),
          ops::own_time("forget_ms", dispatch.forget_for, 0,
                        "A service that has had no worker for so long is not known any more."),
          ops::own_count("max_workers", admission.max_workers, 1,
                         "Workers that may be registered at a time; one more is refused."),
          ops::own_count("max_services", admission.max_services, 1,
                         "Services that may be known at a time; one more is refused.")};
}

std::vector<Option> upstream_columns() {
  const rpc::Registration usual;
  const UpstreamOptions server;
  Option bytes =
      ops::own_count("max_answer_bytes", server.max_answer_bytes, 1024,
                     "An answer up to this long is refused with ERR TooLarge alone; a longer one ends its "
                     "connection.");
  bytes.unit = "bytes";
  return {{.name = "name",
           .type = Type::kService,
           .initial = std::string(),
           .help = "The service it answers for."},
          {.name = "endpoint",
           .type = Type::kEndpoints,
           .initial = std::vector<std::string>(),
           .help = "Where a stock zerorpc server listens; a list stands for several."},
          ops::own_count("weight", usual.weight, 1, "Its share of the calls, in proportion."),
          ops::own_count("max_inflight", usual.max_inflight, 1, "Calls it gets at a time."),
          {.name = "methods",
           .type = Type::kTexts,
           .initial = std::vector<std::string>(),
           .help = "What it offers, where it cannot tell itself; it is asked when there are none."},
          ops::own_count("max_connections", server.max_connections, 1,
                         "Connections at most: each carries 150 calls or 300 stream items on their way."),
          bytes,
          ops::own_time(
              "wedged_ms", server.wedged_after, 0,
              "It is given up when it leaves a ping unanswered for so long and is not busy; 0 = never.")};
}

const std::vector<Option> kOptions = own_options();
const std::vector<Option> kColumns = upstream_columns();
const std::vector<ops::TableOption> kTables = {{"upstream", kColumns}};
const ops::Program kProgram{.name = "proxy",
                            .summary = "One door for zerorpc clients, any number of workers behind it.",
                            .bind = "tcp://127.0.0.1:4243",
                            .worker = false,
                            .options = kOptions,
                            .tables = kTables};

}  // namespace

const ops::Program& program() { return kProgram; }

RouterOptions router_options(const ops::Config& config) {
  RouterOptions options;
  options.max_channels = config.size("max_channels");
  options.max_channels_per_peer = config.size("max_channels_per_peer");
  options.max_credit = static_cast<std::uint32_t>(config.integer("max_credit"));
  options.stalled_bytes = config.size("max_held_bytes") / 2;
  options.settle = config.duration("settle_ms");
  DispatcherOptions& dispatch = options.dispatch;
  dispatch.queue_calls = config.size("queue_calls");
  dispatch.queue_bytes = config.size("queue_bytes");
  dispatch.retry_bytes = config.size("retry_bytes");
  dispatch.queue_for = config.duration("queue_ms");
  dispatch.no_worker_for = config.duration("no_worker_ms");
  dispatch.channel_idle = config.duration("channel_idle_ms");
  dispatch.channel_age = config.duration("channel_age_ms");
  dispatch.forget_for = config.duration("forget_ms");
  dispatch.heartbeat = config.duration("heartbeat_ms");
  dispatch.limits = ops::limits_of(config);
  dispatch.balance.slow_start = config.duration("slow_start_ms");
  dispatch.balance.eject_after = static_cast<std::uint32_t>(config.integer("eject_after"));
  return options;
}

AdmissionOptions admission_options(const ops::Config& config) {
  return {.max_workers = config.size("max_workers"), .max_services = config.size("max_services")};
}

std::vector<UpstreamOptions> upstreams(const ops::Config& config, const net::SocketOptions& socket) {
  std::vector<UpstreamOptions> all;
  std::set<std::pair<std::string, std::string>> known;
  const ops::TableOption& table = kTables.front();
  for (std::size_t row = 0; row < config.rows(table); ++row) {
    const auto cell = [&](std::string_view column) { return ops::cell_name(table.name, row, column); };
    for (const std::string& endpoint : config.list(cell("endpoint"))) {
      if (!known.emplace(config.text(cell("name")), endpoint).second)
        throw core::Failure(core::kInvalidArgument, "[[proxy.upstream]] " + config.text(cell("name")) +
                                                        " has " + endpoint + " twice");
      all.push_back({.service = config.text(cell("name")),
                     .endpoint = endpoint,
                     .weight = static_cast<std::uint32_t>(config.integer(cell("weight"))),
                     .max_inflight = static_cast<std::uint32_t>(config.integer(cell("max_inflight"))),
                     .methods = config.list(cell("methods")),
                     .max_connections = config.size(cell("max_connections")),
                     .max_answer_bytes = config.size(cell("max_answer_bytes")),
                     .wedged_after = config.duration(cell("wedged_ms")),
                     .socket = socket,
                     .max_held_bytes = config.size("max_held_bytes"),
                     .limits = ops::limits_of(config)});
    }
  }
  return all;
}

}  // namespace zerosuite::proxy
