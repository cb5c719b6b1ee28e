// Converts a client's arguments into a Request.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lock/broker/broker.hpp"
#include "rpc/server/options.hpp"
#include "wire/codec.hpp"

namespace zerosuite::lock {

/// A list argument that is not decoded yet: its size is checked first, since a message has room for a million
/// elements. A view of the call's message.
struct ListArgument {
  std::uint32_t size = 0;
  std::string_view elements;  ///< Encoded, one after the other.
};

/// The arguments common to all acquires.
struct AcquireArgs {
  std::vector<std::string> names;
  std::optional<std::string> owner;
  std::int64_t lease_ms = 0;  ///< Zero = until the session ends.
  std::int64_t wait_ms = 0;
  rpc::Options opts = {};
  std::string client = {};  ///< rpc::CallInfo::client().
};

/// Throws core::Failure: InvalidArgument for unknown options and impossible values, TypeError for an option
/// of the wrong type, Unsupported for a hold without a lease if the engine does not support them.
Request request_of(AcquireArgs wanted, const Broker& broker);

/// The request_id among the options of a release; empty if there is none. Throws as request_of().
std::string request_id_of(const rpc::Options& opts);

/// The names of a set. Throws core::Failure: InvalidArgument if there are more than Limits::max_names,
/// TypeError if they are not all text.
std::vector<std::string> names_of(const ListArgument& list, const Limits& limits);

/// The [[name, token], …] of a batch. Throws core::Failure: InvalidArgument if there are more than
/// Limits::max_batch, TypeError if they have another form.
std::vector<Ticketed> held_of(const ListArgument& list, const Limits& limits);

}  // namespace zerosuite::lock

namespace zerosuite::wire {

template <>
struct Foreign<lock::ListArgument> {
  static lock::ListArgument read(Reader& in);
};

}  // namespace zerosuite::wire
