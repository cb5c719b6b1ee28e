// What there is to be told, with its defaults and its words.
#include "net/gate.hpp"
#include "ops/config/program.hpp"
#include "ops/log.hpp"
#include "rpc/transport/router_transport.hpp"
#include "rpc/worker/registration.hpp"
#include "wire/limits.hpp"

namespace zerosuite::ops {
namespace {

using List = std::vector<std::string>;

constexpr std::int64_t kHour = 3'600'000;
constexpr std::string_view kBack = "tcp://127.0.0.1:4244";  // where a proxy of the same machine waits

std::int64_t count(std::size_t value) { return static_cast<std::int64_t>(value); }

std::vector<Option> command_options() {
  return {
      {.name = "config",
       .type = Type::kText,
       .scope = Scope::kCommand,
       .initial = std::string(),
       .argument = "FILE",
       .help = "Reads the configuration file FILE; without it no file is read."},
      {.name = "check",
       .type = Type::kSwitch,
       .scope = Scope::kCommand,
       .initial = false,
       .help = "Validates the configuration and exits."},
      {.name = "help",
       .type = Type::kSwitch,
       .scope = Scope::kCommand,
       .initial = false,
       .help = "Prints this."},
      {.name = "version",
       .type = Type::kSwitch,
       .scope = Scope::kCommand,
       .initial = false,
       .help = "Prints the version."},
  };
}

std::vector<Option> own_options(const Program& program) {
  const std::string_view data_help =
      program.data.empty() ? "Keeps no data; taken so that every program of the suite has the same flags."
                           : "Keeps its data in the folder DIR, which one process at a time may use.";
  return {{.name = "bind",
           .type = Type::kEndpoints,
           .scope = Scope::kOwn,
           .initial = List{std::string(program.bind)},
           .argument = "ENDPOINT",
           .help = "Serves on ENDPOINT (tcp://HOST:PORT or ipc://PATH); may be repeated."},
          {.name = "data",
           .type = Type::kText,
           .scope = Scope::kOwn,
           .initial = std::string(program.data.empty() ? "none" : program.data),
           .argument = "DIR",
           .help = data_help}};
}

std::vector<Option> worker_options() {
  const rpc::Registration usual;
  return {{.name = "weight",
           .type = Type::kInteger,
           .scope = Scope::kOwn,
           .initial = std::int64_t{usual.weight},
           .least = 1,
           .most = 1'000'000,
           .help = "Takes a share of a proxy's calls in proportion to it."},
          {.name = "max_inflight",
           .type = Type::kInteger,
           .scope = Scope::kOwn,
           .initial = std::int64_t{usual.max_inflight},
           .least = 1,
           .most = kMany,
           .help = "Takes so many calls at a time from each proxy; more wait there."}};
}

std::vector<Option> shared_options(const Program& program) {
  return {
      {.name = "proxy",
       .type = Type::kProxies,
       .initial = List{std::string(program.worker ? kBack : "none")},
       .argument = "ENDPOINT",
       .help = program.worker ? "Serves behind the proxy at ENDPOINT as well, or none; may be repeated."
                              : "Stands behind no other; taken so that every program has the same flags."},
      {.name = "log_level",
       .type = Type::kChoice,
       .initial = std::string("info"),
       .argument = "LEVEL",
       .choices = level_names(),
       .help = "Logs what is at least this grave: error, warn, info or debug. Read again on SIGHUP."},
      {.name = "insecure",
       .type = Type::kSwitch,
       .initial = false,
       .help = "Allows a bind that other machines can reach, without encryption or authentication."},
      {.name = "heartbeat_ms",
       .type = Type::kInteger,
       .initial = std::int64_t{5000},
       .unit = "ms",
       .least = 100,
       .most = kHour,
       .help = "Heartbeats every open call this often; a client silent for twice that is lost."},
      {.name = "passive_limit_ms",
       .type = Type::kInteger,
       .initial = std::int64_t{300'000},
       .unit = "ms",
       .least = 1000,
       .most = kHour,
       .help = "Lets a call of protocol version 1, which brings no heartbeats, wait for so long."},
      {.name = "drain_ms",
       .type = Type::kInteger,
       .initial = std::int64_t{10000},
       .unit = "ms",
       .most = kHour,
       .help = "Lets calls in flight finish for so long after SIGTERM or SIGINT."},
      {.name = "blocking_threads",
       .type = Type::kInteger,
       .initial = std::int64_t{0},
       .most = 1024,
       .help = "Runs so many blocking methods of one client at once; 0 = one for each core."},
      {.name = "blocking_queue",
       .type = Type::kInteger,
       .initial = std::int64_t{10000},
       .least = 1,
       .most = kMany,
       .help = "Lets so many calls of blocking methods wait; one more is answered ERR Overloaded."},
      {.name = "high_water",
       .type = Type::kInteger,
       .initial = std::int64_t{4000},
       .most = kMany,
       .help = "Queues so many messages for each peer that does not read them; 0 = no limit."},
      {.name = "keepalive_ms",
       .type = Type::kInteger,
       .initial = std::int64_t{30000},
       .unit = "ms",
       .most = kHour,
       .help = "Lets the kernel ask a peer that was silent for so long whether it is there; 0 = never."},
  };
}

Option limit(std::string_view name, std::int64_t initial, std::int64_t least, std::string_view help) {
  return {
      .name = name, .type = Type::kInteger, .initial = initial, .least = least, .most = kMany, .help = help};
}

std::vector<Option> limits() {
  const wire::Limits wire;
  const net::GateLimits gate;
  Option frame =
      limit("max_frame_bytes", count(wire.max_frame_bytes), 1024, "One payload; ERR TooLarge beyond it.");
  frame.unit = "bytes";
  Option header = limit("max_header_bytes", count(wire.max_header_bytes), 256,
                        "The header of an event; ERR TooLarge beyond it.");
  header.unit = "bytes";
  Option id = limit("max_id_bytes", count(wire.max_id_bytes), 36, "A message id; a longer one is dropped.");
  id.unit = "bytes";
  Option frames =
      limit("max_envelope_frames", count(wire.max_envelope_frames), 1, "Identity frames, one for each hop.");
  frames.most = count(wire.max_envelope_frames);
  Option nesting = limit("max_nesting", count(wire.max_nesting), 4, "Arrays and maps inside one another.");
  nesting.most = count(wire::kMostNesting);
  const rpc::RouterOptions usual;
  Option held = limit("max_held_bytes", count(usual.max_held_bytes), 64 << 10,
                      "On their way to one connection; beyond it the connection counts as gone.");
  held.unit = "bytes";
  Option held_total = limit("max_held_total_bytes", count(usual.max_held_total_bytes), 4096,
                            "On their way to all; beyond it the connection with the most counts as gone.");
  held_total.unit = "bytes";
  held_total.most = std::int64_t{1} << 40;
  Option unread =
      limit("max_unread_bytes", count(usual.max_unread_bytes), 1 << 16,
            "Memory for what came of one connection and waits; beyond it the connection is ended.");
  unread.unit = "bytes";
  Option unread_total =
      limit("max_unread_total_bytes", count(usual.max_unread_total_bytes), 1 << 18,
            "Memory for what came of all and waits; beyond it the one with the most is ended.");
  unread_total.unit = "bytes";
  unread_total.most = std::int64_t{1} << 40;
  return {frame,
          frames,
          header,
          id,
          nesting,
          limit("max_elements", count(wire.max_elements), 16, "Values in one payload."),
          held,
          held_total,
          unread,
          unread_total,
          limit("max_credit", 1'000'000, 1, "Stream items a client may ask for in advance."),
          limit("max_channels_per_peer", 65'536, 1, "Open calls of one client; ERR Overloaded beyond it."),
          limit("max_channels", 262'144, 1, "Open calls of all clients; ERR Overloaded beyond it."),
          limit("max_connections", count(gate.connections), 1,
                "Connections at a time; one more is ended at once."),
          limit("max_per_address", count(gate.per_address), 1,
                "Connections of one address, or of one user over ipc.")};
}

}  // namespace

std::vector<Option> options_of(const Program& program) {
  std::vector<Option> all = command_options();
  const auto add = [&all](std::span<const Option> group) {
    all.insert(all.end(), group.begin(), group.end());
  };
  add(own_options(program));
  if (program.worker) add(worker_options());
  add(program.options);
  add(shared_options(program));
  add(limits());
  return all;
}

}  // namespace zerosuite::ops
