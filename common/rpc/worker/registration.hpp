// The protocol of registration between a worker and a proxy (docs/proxy.md, "Workers"): ordinary events, in
// messages without a client's envelope.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "net/socket.hpp"
#include "wire/codec.hpp"
#include "wire/id.hpp"

namespace zerosuite::rpc {

// From a worker.
inline constexpr std::string_view kReady = "_zpx_ready";  ///< `[introduction]`
inline constexpr std::string_view kDrain = "_zpx_drain";  ///< Send no new calls; the reply is kDrained.
inline constexpr std::string_view kBye = "_zpx_bye";      ///< The worker leaves in good order.
// From a proxy.
inline constexpr std::string_view kAccepted = "_zpx_ok";      ///< `[greeting]` or `[]`: calls may follow.
inline constexpr std::string_view kRefused = "_zpx_refused";  ///< `[name, message]`: the reason.
inline constexpr std::string_view kUnknownWorker = "_zpx_stranger";  ///< The worker must register.
inline constexpr std::string_view kDrained = "_zpx_drained";         ///< No new call follows.
// Both ways, every second.
inline constexpr std::string_view kWorkerHeartbeat = "_zpx_hb";

inline constexpr core::milliseconds kPulseEvery{1000};
inline constexpr core::milliseconds kPulseLimit{3000};  ///< Silence that ends a registration.

/// A method as described to the proxy.
struct OfferedMethod {
  std::string name;
  wire::Value description;  ///< As in `_zerorpc_inspect`.
  bool idempotent = false;  ///< As Method::idempotent.
  bool relief = false;      ///< As Method::relief.
};

/// The data that a worker's replies depend on: a data folder, or data in a Redis.
struct State {
  std::string id;     ///< Created and stored with the data; empty = the worker keeps no data.
  std::string where;  ///< For operators: the machine and the folder.
  /// Identifies the lock that the owner holds, uniquely across machines: of two workers with the same lock,
  /// the earlier one has ended. Empty when there is none.
  std::string lock = {};
  bool shared = false;  ///< Several workers may serve it at once.
};

/// A worker's registration.
struct Registration {
  std::string id;  ///< Identifies the process. Contains no @.
  /// Proves that a second registration under the same id is from the same process; kept secret. Empty from
  /// older workers.
  std::string key = {};
  std::string service;  ///< The prefix of its methods: letters, digits, `_` and `-`.
  std::string version;
  std::vector<OfferedMethod> methods;
  std::uint32_t weight = 100;           ///< Its share of the calls, relative to the other workers.
  std::uint32_t max_inflight = 65'536;  ///< Maximum number of calls in flight.
  bool sticky = false;                  ///< Calls with the same first argument go to the same worker.
  State state = {};
};

/// A proxy's description of itself for a worker it has accepted.
struct Greeting {
  std::string name;                ///< "HOST, process 4711"
  std::vector<std::string> front;  ///< The endpoints that clients dial.
};

/// Whether a service may have that name. "proxy" is reserved.
bool is_service_name(std::string_view name);

/// The methods of a map from names to descriptions, without those that start with `_`. Throws
/// core::Failure(InvalidArgument) naming the method and the fault.
std::vector<OfferedMethod> read_methods(const wire::Value& map);

wire::Value to_value(const Registration& registration);
/// Reads the args of kReady. Throws core::Failure(InvalidArgument) with the reason.
Registration read_introduction(std::string_view args);

wire::Value to_value(const Greeting& greeting);
/// Reads the args of kAccepted; fields that are missing or of another type stay empty.
Greeting read_greeting(std::string_view args);

/// The payload of a registration event.
net::Frame control_event(wire::IdSource& ids, std::string_view name, const wire::List& args = {});

}  // namespace zerosuite::rpc
