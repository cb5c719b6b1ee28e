// An endpoint that ZeroMQ can connect to, taken apart as far as names go.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace zerosuite::net {

/// A tcp:// endpoint on a host that has to be looked up.
struct NamedEndpoint {
  std::string
      before;  ///< "tcp://", and an address of this machine's own where one is given: "tcp://10.0.0.1;".
  std::string host;
  std::string behind;  ///< ":4243"

  /// The endpoint at that numeric address.
  std::string at(const std::string& address) const;
};

/// nullopt when there is nothing to look up: on other transports, at numeric addresses, and in what ZeroMQ
/// refuses.
std::optional<NamedEndpoint> named_endpoint(std::string_view endpoint);

}  // namespace zerosuite::net
