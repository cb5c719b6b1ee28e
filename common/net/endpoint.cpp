#include "net/endpoint.hpp"

#include <cstdint>

#include "core/text.hpp"
#include "net/offload_names.hpp"

namespace zerosuite::net {
namespace {

constexpr std::string_view kTcp = "tcp://";

bool is_port(std::string_view text) { return core::parse<std::uint16_t>(text).value_or(0) != 0; }

std::string_view without_brackets(std::string_view host) {
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

std::string NamedEndpoint::at(const std::string& address) const {
  const bool v6 = address.find(':') != address.npos;
  return before + (v6 ? "[" + address + "]" : address) + behind;
}

std::optional<NamedEndpoint> named_endpoint(std::string_view endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  if (!endpoint.starts_with(kTcp) || colon < kTcp.size() || !is_port(endpoint.substr(colon + 1)))
    return std::nullopt;
  const std::size_t own = endpoint.substr(0, colon).rfind(';');
  const std::size_t start = own == endpoint.npos ? kTcp.size() : own + 1;
  const std::string host(without_brackets(endpoint.substr(start, colon - start)));
  if (host.empty() || host == "*" || numeric_address(host)) return std::nullopt;
  return NamedEndpoint{std::string(endpoint.substr(0, start)), host, std::string(endpoint.substr(colon))};
}

}  // namespace zerosuite::net
