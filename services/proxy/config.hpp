// The configuration of zerosuite-proxy, beyond what all programs share.
#pragma once

#include <string>
#include <vector>

#include "ops/config.hpp"
#include "proxy/admission.hpp"
#include "proxy/router.hpp"
#include "proxy/upstream.hpp"

namespace zerosuite::proxy {

inline constexpr ops::Program kProgram{
    .name = "proxy",
    .summary = "One door for zerorpc clients, any number of workers behind it.",
    .bind = "tcp://127.0.0.1:4243",
    .worker = false};

/// One [[proxy.upstream]].
struct UpstreamRow {
  void describe(ops::OptionTable& options);

  std::vector<std::string> endpoints;
  UpstreamOptions upstream;  ///< Without an endpoint.
};

struct Config final : ops::Config {
  void describe(ops::OptionTable& options) override;
  /// Throws core::Failure InvalidArgument if a service has the same endpoint twice.
  void check() const override;

  RouterOptions router_options() const;
  /// One per endpoint of each row.
  std::vector<UpstreamOptions> upstreams(const net::SocketOptions& socket) const;

  std::vector<std::string> back{"tcp://127.0.0.1:4244"};
  RouterOptions routing;  ///< Only the fields that are keys; router_options() completes it.
  AdmissionOptions admission;
  std::vector<UpstreamRow> rows;
};

}  // namespace zerosuite::proxy
