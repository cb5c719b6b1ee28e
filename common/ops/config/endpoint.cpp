#include "ops/config/endpoint.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstdint>
#include <string>

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

}  // namespace zerosuite::ops
