#include "db/redis_address.hpp"

#include <optional>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"

namespace zerosuite::db {
namespace {

constexpr std::string_view kUnix = "unix:";

std::optional<std::uint16_t> port_of(std::string_view text) {
  const auto port = core::parse<std::uint16_t>(text);
  return port && *port != 0 ? port : std::nullopt;
}

std::string_view without_brackets(std::string_view host) {
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

RedisAddress parse_redis_address(const std::string& endpoint) {
  const std::string_view text = endpoint;
  if (text.starts_with(kUnix) && text.size() > kUnix.size())
    return {.path = std::string(text.substr(kUnix.size()))};
  const std::size_t colon = text.rfind(':');
  const std::string_view host = without_brackets(text.substr(0, colon));
  const auto port = colon == text.npos ? std::nullopt : port_of(text.substr(colon + 1));
  // The last group of a bare IPv6 address would be taken for the port.
  const bool ambiguous = host.find(':') != host.npos && !text.starts_with('[');
  if (host.empty() || !port || ambiguous)
    throw core::Failure(
        core::kInvalidArgument,
        "a Redis server is HOST:PORT, [ADDRESS]:PORT or unix:/PATH, not \"" + endpoint + "\"");
  return {.host = std::string(host), .port = *port};
}

}  // namespace zerosuite::db
