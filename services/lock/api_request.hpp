// From a client's arguments to a Request.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lock/broker.hpp"
#include "wire/value.hpp"

namespace zerosuite::lock {

/// The arguments that all acquires have.
struct Wanted {
  std::vector<std::string> names;
  std::optional<std::string> owner;
  std::int64_t lease_ms = 0;  ///< Zero = as long as the session lasts.
  std::int64_t wait_ms = 0;
  wire::Value opts = {};  ///< nil or a dict.
};

/// Throws core::Failure: InvalidArgument for unknown options and impossible values, TypeError for an option
/// of the wrong type, Unsupported for a hold without a lease that the engine cannot keep.
Request request_of(Wanted wanted, const Broker& broker);

/// The request_id among the options of a release; empty when there is none. Throws as request_of().
std::string request_id_of(const wire::Value& opts);

/// The [[name, token], …] of a batch. Throws core::Failure(TypeError).
std::vector<Ticketed> held_of(const wire::Value& list);

}  // namespace zerosuite::lock
