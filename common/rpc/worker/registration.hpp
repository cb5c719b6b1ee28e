// How a worker and a proxy speak of the worker itself (docs/proxy.md, "Workers"): ordinary events, in
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
inline constexpr std::string_view kDrain = "_zpx_drain";  ///< Send no new calls; answered by kDrained.
inline constexpr std::string_view kBye = "_zpx_bye";      ///< Gone, on purpose.
// From a proxy.
inline constexpr std::string_view kAccepted = "_zpx_ok";      ///< `[greeting]` or `[]`: calls may follow.
inline constexpr std::string_view kRefused = "_zpx_refused";  ///< `[name, message]`: not taken, and why.
inline constexpr std::string_view kUnknownWorker = "_zpx_stranger";  ///< Introduce yourself.
inline constexpr std::string_view kDrained = "_zpx_drained";         ///< No new call comes behind this.
// Both ways, every second.
inline constexpr std::string_view kWorkerHeartbeat = "_zpx_hb";

inline constexpr core::milliseconds kPulseEvery{1000};
inline constexpr core::milliseconds kPulseLimit{3000};  ///< Silence that ends a registration.

/// A method as it is described to the proxy.
struct OfferedMethod {
  std::string name;
  wire::Value description;  ///< As in `_zerorpc_inspect`.
  bool idempotent = false;  ///< As Method::idempotent.
  bool relief = false;      ///< As Method::relief.
};

/// What a worker's answers rest on beside its code: a data folder, or what is kept in a Redis.
struct State {
  std::string id;     ///< Made with the data and kept with them; empty = the worker keeps nothing.
  std::string where;  ///< For people: the machine and the folder.
  /// The lock that its owner holds, the same for nobody else's on any machine: of two workers with the same,
  /// the one that came first has ended. Empty where there is none.
  std::string lock = {};
  bool shared = false;  ///< Several workers may serve it at a time.
};

/// What a worker says of itself.
struct Registration {
  std::string id;  ///< Names the process. Without an @.
  /// Shows that a second registration under the same id is the same process, and nobody else's; told to
  /// nobody. Empty from workers of before.
  std::string key = {};
  std::string service;  ///< The prefix of its methods: letters, digits, `_` and `-`.
  std::string version;
  std::vector<OfferedMethod> methods;
  std::uint32_t weight = 100;           ///< Its share of the calls, compared with the other workers'.
  std::uint32_t max_inflight = 65'536;  ///< Calls it takes at a time.
  bool sticky = false;                  ///< Calls with the same first argument go to the same worker.
  State state = {};
};

/// What a proxy says of itself to a worker it has taken.
struct Greeting {
  std::string name;                ///< "HOST, process 4711"
  std::vector<std::string> front;  ///< Where its clients dial.
};

/// Whether a service may be called so. "proxy" is the proxy's own.
bool is_service_name(std::string_view name);

/// The methods of a map from names to descriptions, without those that start with `_`.
/// Throws core::Failure(InvalidArgument) that says what is wrong with which.
std::vector<OfferedMethod> read_methods(const wire::Value& map);

wire::Value to_value(const Registration& registration);
/// Reads the args of kReady. Throws core::Failure(InvalidArgument) that says what is wrong.
Registration read_introduction(std::string_view args);

wire::Value to_value(const Greeting& greeting);
/// Reads the args of kAccepted; what is missing or of another type is left empty.
Greeting read_greeting(std::string_view args);

/// The payload of one such event.
net::Frame control_event(wire::IdSource& ids, std::string_view name, const wire::List& args = {});

}  // namespace zerosuite::rpc
