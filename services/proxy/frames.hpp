// Messages as the proxy forwards them: `[room for an address][client's identities …][empty][payload]`.
#pragma once

#include <string_view>
#include <vector>

#include "net/socket.hpp"
#include "proxy/route.hpp"
#include "wire/event.hpp"
#include "wire/id.hpp"
#include "wire/limits.hpp"

namespace zerosuite::proxy {

inline std::string_view view(const net::Frame& frame) { return {frame.data<char>(), frame.size()}; }

/// The call's payload with another method name.
net::Frame renamed(const net::Frame& payload, std::string_view name, const wire::Limits& limits);

/// A key for a call's first argument, the same for equal arguments; empty if there is none. Text gives the
/// same key in every encoding. Nothing after the argument is read.
std::string first_argument(const wire::Event& event, const wire::Limits& limits);

/// A copy of the payload: small ones are copied, large ones referenced. A reference to a small one would keep
/// alive the 8 KiB buffer in which libzmq received it and its neighbours.
net::Frame kept_copy(net::Frame& payload);

/// A whole message on the channel of `client`.
std::vector<net::Frame> follow_up(const wire::Envelope& client, net::Frame payload);

/// A payload that cancels the call `id` at its worker.
net::Frame cancel_event(wire::IdSource& ids, std::string_view id);

}  // namespace zerosuite::proxy
