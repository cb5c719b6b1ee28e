#include "ops/config.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>

#include "core/error.hpp"
#include "ops/config/command_line.hpp"
#include "ops/config/config_file.hpp"
#include "ops/config/text.hpp"
#include "rpc/worker/registration.hpp"

namespace zerosuite::ops {
namespace {

constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kIpc = "ipc://";

bool is_port(std::string_view text) {
  if (text == "*") return true;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_loopback(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) return (ntohl(address.s_addr) >> 24) == 127;
  return host == "[::1]" || host == "localhost" || host == "lo";
}

constexpr std::string_view kProxy = "tcp://127.0.0.1:4244";  // where a proxy on the same machine listens

/// The flags for a single start.
struct OneStart {
  std::optional<std::string> file;
  bool check = false;
  bool print_config = false;

  void describe(OptionTable& options) {
    options.add_command("config", file, "Reads the configuration file FILE; without it no file is read.")
        .argument("FILE");
    options.add_command("check", check, "Validates the configuration and exits.");
    options.add_command("print_config", print_config,
                        "Prints every value and who has set it, in the notation of the file, and exits.");
  }
};

void describe_program(OptionTable& options, Config& config) {
  const bool keeps_data = !options.program().data.empty();
  options.add("bind", config.bind, "Serves on ENDPOINT (tcp://HOST:PORT or ipc://PATH); may be repeated.")
      .argument("ENDPOINT")
      .not_empty()
      .listening()
      .test(is_endpoint, "endpoints such as tcp://127.0.0.1:4301 or ipc:///run/math");
  options
      .add("data", config.data,
           keeps_data ? "Keeps its data in the folder DIR, which one process at a time may use."
                      : "Keeps no data; accepted so that every program of the suite has the same flags.")
      .argument("DIR");
}

void describe_worker(OptionTable& options, Config& config) {
  options.add("weight", config.weight, {1, 1'000'000},
              "Its share of a proxy's calls, in proportion to the other workers'.");
  options.add("max_inflight", config.max_inflight, {1},
              "Maximum number of calls that it takes at a time from each proxy; more wait there.");
}

void describe_service(OptionTable& options, Config& config) {
  options
      .add_shared("proxy", config.proxies,
                  options.program().worker
                      ? "Serves behind the proxy at ENDPOINT as well, or none; may be repeated."
                      : "Stands behind no other; accepted so that every program has the same flags.")
      .argument("ENDPOINT")
      .not_empty()
      .empty_word("none")
      .test(is_endpoint, "none, or endpoints such as " + std::string(kProxy));
  options
      .add_shared_choice<Level>(
          "log_level", config.log_level,
          {{"error", Level::kError},
           {"warn", Level::kWarn},
           {"info", Level::kInfo},
           {"debug", Level::kDebug}},
          "The least severe events that are logged: error, warn, info or debug. Read again on SIGHUP.")
      .argument("LEVEL");
  options.add_shared("insecure", config.insecure,
                     "Allows a bind that other machines can reach, without encryption or authentication.");
  options.add_shared(
      "heartbeat_ms", config.server.channel.heartbeat, {100, kHourMs},
      "Interval of heartbeats on every open call; a client that is silent for twice that is lost.");
  options.add_shared("max_heartbeat_ms", config.server.channel.max_heartbeat, {100, kHourMs},
                     "Maximum interval of heartbeats that a client may announce in a call's header; it is "
                     "waited for three times as long.");
  options.add_shared("passive_limit_ms", config.server.channel.passive_limit, {1000, kHourMs},
                     "Maximum duration of a call of protocol version 1, which brings no heartbeats.");
  options.add_shared("drain_ms", config.drain, {0, kHourMs},
                     "How long calls in flight may take to finish after SIGTERM or SIGINT.");
  options.add_shared(
      "blocking_threads", config.pool.threads, {0, 1024},
      "Maximum number of blocking methods of one client that run at once; 0 = one for each core.");
  options.add_shared("blocking_queue", config.pool.max_queued, {1},
                     "Maximum number of calls of blocking methods that wait; ERR Overloaded beyond it.");
  options.add_shared("high_water", config.router.socket.high_water,
                     "Maximum number of messages queued for a peer that does not read; 0 = no limit.");
  options.add_shared("keepalive_ms", config.router.socket.keepalive, {0, kHourMs},
                     "Silence after which the kernel asks a peer whether it is still there; 0 = never.");
}

void describe_message_limits(OptionTable& options, wire::Limits& limits) {
  options.add_shared("max_frame_bytes", limits.max_frame_bytes, {1024},
                     "Maximum size of a payload; ERR TooLarge beyond it.");
  options.add_shared("max_envelope_frames", limits.max_envelope_frames,
                     {1, static_cast<std::int64_t>(limits.max_envelope_frames)},
                     "Maximum number of identity frames, one for each hop.");
  options.add_shared("max_header_bytes", limits.max_header_bytes, {256},
                     "Maximum size of an event's header; ERR TooLarge beyond it.");
  options.add_shared("max_id_bytes", limits.max_id_bytes, {36},
                     "Maximum size of a message id; an event with a longer one is dropped.");
  options.add_shared("max_nesting", limits.max_nesting, {4, static_cast<std::int64_t>(wire::kMostNesting)},
                     "Maximum depth of arrays and maps inside one another.");
  options.add_shared("max_elements", limits.max_elements, {16}, "Maximum number of values in one payload.");
}

void describe_connection_limits(OptionTable& options, Config& config) {
  constexpr std::int64_t kTebibyte = std::int64_t{1} << 40;
  rpc::RouterOptions& router = config.router;
  options.add_shared(
      "max_held_bytes", router.max_held_bytes, {64 << 10},
      "Maximum size of what waits to be sent to one connection; beyond it the connection counts as gone.");
  options.add_shared(
      "max_held_total_bytes", router.max_held_total_bytes, {4096, kTebibyte},
      "Maximum size of it for all connections together; beyond it the one with the most counts as gone.");
  options.add_shared(
      "max_unread_bytes", router.max_unread_bytes, {1 << 16},
      "Maximum memory for what one connection has sent and waits here; beyond it the connection "
      "is ended.");
  options.add_shared(
      "max_unread_total_bytes", router.max_unread_total_bytes, {1 << 18, kTebibyte},
      "Maximum memory of it for all connections together; beyond it the one with the most is ended.");
  options.add_shared("max_credit", config.server.channel.max_credit, {1},
                     "Maximum number of stream items that a client may ask for in advance.");
  options.add_shared("max_pending_items", config.server.channel.max_pending_items, {1},
                     "Maximum number of events of one stream that wait for their client; further ones are "
                     "dropped.");
  options.add_shared("max_channels_per_peer", config.server.max_channels_per_peer, {1},
                     "Maximum number of open calls of one client; ERR Overloaded beyond it.");
  options.add_shared("max_channels", config.server.max_channels, {1},
                     "Maximum number of open calls of all clients; ERR Overloaded beyond it.");
  options.add_shared("max_connections", config.gate.connections, {1},
                     "Maximum number of connections; one more is ended at once.");
  options.add_shared("max_per_address", config.gate.per_address, {1},
                     "Maximum number of connections of one address, or of one user over ipc.");
}

void check_binds(const OptionTable& options, const Config& config) {
  if (config.insecure) return;
  for (const Option& option : options.all()) {
    if (!option.listens()) continue;
    const auto origin = config.origins.find(option.name());
    for (const std::string& endpoint : option.list()) {
      if (is_local(endpoint)) continue;
      refuse((origin == config.origins.end() ? option.name() : origin->second) + " " +
             word_or_quoted(endpoint) +
             " can be reached from other machines, without encryption; bind to 127.0.0.1, or allow it with "
             "insecure = true");
    }
  }
}

void print_rows(const OptionTable& options, const std::string& file) {
  for (const OptionRows& rows : options.rows()) {
    rows.for_each([&](const OptionTable& columns) {
      std::printf("\n[[%s.%s]]  # %s\n", std::string(options.program().name).c_str(), rows.name.c_str(),
                  file.c_str());
      for (const Option& column : columns.all())
        std::printf("%s = %s\n", column.name().c_str(), column.to_toml().c_str());
    });
  }
}

void print(const OptionTable& options, const Origins& origins, const std::string& file) {
  const std::string own(options.program().name);
  for (const auto& [scope, table] :
       {std::pair(Scope::kShared, std::string("suite")), std::pair(Scope::kOwn, own)}) {
    std::printf("%s[%s]\n", scope == Scope::kOwn ? "\n" : "", table.c_str());
    for (const Option& option : options.all()) {
      const auto origin = origins.find(option.name());
      const char* const by = origin == origins.end() ? "default" : origin->second.c_str();
      if (option.scope() == scope)
        std::printf("%s = %s  # %s\n", option.name().c_str(), option.to_toml().c_str(), by);
      if (option.scope() == Scope::kSecret && scope == Scope::kOwn)
        std::printf("# %s is %s; it is not shown\n", option.name().c_str(),
                    origin == origins.end() ? "not set" : "set");
    }
  }
  print_rows(options, file);
}

}  // namespace

bool is_endpoint(std::string_view endpoint) {
  if (endpoint.find_first_of(", \t\r\n") != std::string_view::npos) return false;
  if (endpoint.starts_with(kIpc)) return endpoint.size() > kIpc.size();
  if (!endpoint.starts_with(kTcp)) return false;
  const std::string_view address = endpoint.substr(kTcp.size());
  const std::size_t colon = address.rfind(':');
  return colon != std::string_view::npos && colon > 0 && is_port(address.substr(colon + 1));
}

bool is_local(std::string_view endpoint) {
  if (endpoint.starts_with(kIpc)) return true;
  if (!endpoint.starts_with(kTcp)) return false;
  const std::string_view address = endpoint.substr(kTcp.size());
  return is_loopback(std::string(address.substr(0, address.rfind(':'))));
}

Config::Config() {
  const rpc::Registration registration;
  weight = registration.weight;
  max_inflight = registration.max_inflight;
  router.socket.high_water = 4000;
}

void describe(OptionTable& options, Config& config) {
  const Program& program = options.program();
  config.bind = {std::string(program.bind)};
  config.data = program.data.empty() ? "none" : std::string(program.data);
  if (program.worker) config.proxies = {std::string(kProxy)};
  config.server.name = std::string(program.name);

  describe_program(options, config);
  if (program.worker) describe_worker(options, config);
  config.describe(options);
  describe_service(options, config);
  describe_message_limits(options, config.server.limits);
  describe_connection_limits(options, config);
}

Command read(const Program& program, Config& config, const Start& start) {
  OneStart one;
  OptionTable options(program);
  one.describe(options);
  describe(options, config);
  CommandLine command_line(options);

  // Flags and environment are read first, since they name the file, and again last, since they override it.
  Origins ignored;
  if (!command_line.read(start.arguments, ignored)) return Command::kExit;
  const std::optional<std::string> by_flag = one.file;
  read_environment(options, start.environment, ignored);
  const std::optional<std::string> file = by_flag ? by_flag : one.file;

  Origins& origins = config.origins;
  if (file) read_file(options, *file, origins);
  read_environment(options, start.environment, origins);
  set_secrets(options, start.secrets, origins);
  command_line.read(start.arguments, origins);
  check_binds(options, config);
  config.check();
  if (one.print_config)
    print(options, origins, file.value_or(""));
  else if (one.check)
    std::puts("configuration ok");
  return one.print_config || one.check ? Command::kExit : Command::kServe;
}

Secrets take_secrets(const Program& program, Config& config) {
  OptionTable options(program);
  describe(options, config);
  return take_secrets(options);
}

}  // namespace zerosuite::ops
