#include "proxy/frames.hpp"

#include <functional>
#include <utility>

#include "rpc/transport/receive_loop.hpp"

namespace zerosuite::proxy {

net::Frame renamed(const net::Frame& payload, std::string_view name, const wire::Limits& limits) {
  wire::Buffer buffer = wire::renamed(view(payload), wire::peek(view(payload), limits), name);
  return rpc::to_frame(buffer);
}

std::string first_argument(const wire::Event& event, const wire::Limits& limits) {
  constexpr std::size_t kLongestKept = 64;
  wire::Reader in(event.args);
  if (in.array().value_or(0) == 0) return {};
  const auto text = in.text();
  const std::string_view argument = text ? *text : in.skip(limits);
  if (argument.size() <= kLongestKept) return (text ? "t" : "v") + std::string(argument);
  return "h" + std::to_string(std::hash<std::string_view>()(argument));
}

net::Frame kept_copy(net::Frame& payload) {
  constexpr std::size_t kSmall = 4096;
  if (payload.size() <= kSmall) return {payload.data(), payload.size()};
  net::Frame reference;
  reference.copy(payload);
  return reference;
}

std::vector<net::Frame> follow_up(const wire::Envelope& client, net::Frame payload) {
  std::vector<net::Frame> frames;
  frames.reserve(4);
  frames.emplace_back();
  rpc::append_identities(frames, client);
  frames.emplace_back();
  frames.push_back(std::move(payload));
  return frames;
}

net::Frame cancel_event(wire::IdSource& ids, std::string_view id) {
  wire::Buffer buffer;
  wire::begin_event(buffer, {ids.next(), id, wire::kCancel, nullptr});
  wire::Packer(buffer).pack_array(0);
  return rpc::to_frame(buffer);
}

}  // namespace zerosuite::proxy
