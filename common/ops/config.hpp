// The configuration of a program, in layers: flag > environment > file > default; in the file, the program's
// own table above [suite].
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/options.hpp"
#include "ops/config/environment.hpp"
#include "ops/config/option_table.hpp"
#include "ops/log.hpp"
#include "rpc/server/server_options.hpp"
#include "rpc/transport/router_options.hpp"

namespace zerosuite::ops {

/// The keys that every program has; a program with keys of its own derives from it. Any thread, once read.
struct Config {
  Config();
  virtual ~Config() = default;
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;

  /// Adds the program's own rows; they bind fields of this object.
  virtual void describe(OptionTable&) {}
  /// Throws core::Failure InvalidArgument for values that only the program can recognise as invalid.
  virtual void check() const {}

  /// Whether the key has not been set.
  bool is_default(std::string_view key) const { return !origins.contains(key); }

  std::vector<std::string> bind;
  std::string data;  ///< The folder; "none" when the program keeps no data.
  std::vector<std::string> proxies;
  std::uint32_t weight;
  std::uint32_t max_inflight;
  Level log_level = Level::kInfo;
  bool insecure = false;
  core::milliseconds drain{10'000};
  rpc::ServerOptions server;  ///< Its name is the program's.
  rpc::RouterOptions router;
  net::PoolOptions pool;
  net::GateLimits gate;
  Origins origins;
};

/// The input to one start of a program.
struct Start {
  std::vector<std::string> arguments;
  Environment environment = {};
  Secrets secrets = {};
};

/// What the program does next.
enum class Command : std::uint8_t {
  kServe,
  kExit,  ///< The requested output was printed: --help, --version, --check or --print-config.
};

/// Sets the program's defaults and adds the rows of all its keys.
void describe(OptionTable& options, Config& config);

/// Fills in the configuration: defaults, file, environment, flags. Throws core::Failure InvalidArgument, one
/// line with the origin of the bad value.
Command read(const Program& program, Config& config, const Start& start);

/// Takes a program's secrets out of this process's environment; see take_secrets(OptionTable). `config` only
/// provides the rows.
Secrets take_secrets(const Program& program, Config& config);

/// Whether a server can bind `endpoint`, as ZeroMQ writes it: `tcp://HOST:PORT` (a port from 0 to 65535, or
/// `*` for any free one) or `ipc://PATH`.
bool is_endpoint(std::string_view endpoint);

/// Whether it can be reached only from this machine: ipc, or tcp on 127.0.0.0/8, [::1], localhost or the
/// interface lo.
bool is_local(std::string_view endpoint);

}  // namespace zerosuite::ops
