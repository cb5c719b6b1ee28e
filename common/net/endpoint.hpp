// Splits the host name out of a ZeroMQ endpoint.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace zerosuite::net {

/// A tcp:// endpoint on a host that has to be looked up.
struct NamedEndpoint {
  std::string before;  ///< "tcp://", with the local source address if given: "tcp://10.0.0.1;".
  std::string host;
  std::string behind;  ///< ":4243"

  /// The endpoint with `address`, which is numeric, as its host.
  std::string at(const std::string& address) const;
};

/// nullopt when there is nothing to look up: other transports, numeric addresses, and endpoints ZeroMQ
/// refuses.
std::optional<NamedEndpoint> named_endpoint(std::string_view endpoint);

}  // namespace zerosuite::net
