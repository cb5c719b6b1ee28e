// Messages as the proxy passes them on: `[room for an address][client's identities …][empty][payload]`.
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

/// The payload of a call under another name.
net::Frame renamed(const net::Frame& payload, std::string_view name, const wire::Limits& limits);

/// What stands for a call's first argument where calls with the same one belong together; empty when there is
/// none. Text is the same however it is encoded. Nothing behind the argument is read.
std::string first_argument(const wire::Event& event, const wire::Limits& limits);

/// The payload once more: the bytes of small ones, and a reference on large ones. A reference on a small one
/// would keep the 8 KiB alive in which libzmq received it and its neighbours.
net::Frame kept_copy(net::Frame& payload);

/// A whole message on the channel of `client`.
std::vector<net::Frame> follow_up(const wire::Envelope& client, net::Frame payload);

/// A payload that tells a worker that nobody waits for `id` any more.
net::Frame cancel_event(wire::IdSource& ids, std::string_view id);

}  // namespace zerosuite::proxy
