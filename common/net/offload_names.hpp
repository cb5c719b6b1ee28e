// Resolves host names. A lookup may hang in the system's resolver for any length of time, so each has its own
// thread and blocks neither the loop, nor libzmq's thread, nor disk work in the pool.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/function.hpp"
#include "core/result.hpp"
#include "net/offload.hpp"
#include "net/reactor.hpp"

namespace zerosuite::net {

/// A tcp:// endpoint on a host that has to be looked up.
struct NamedEndpoint {
  std::string before;  ///< "tcp://", with the local source address if given: "tcp://10.0.0.1;".
  std::string host;
  std::string behind;  ///< ":4243"

  /// The endpoint with `address`, which is numeric, as its host.
  std::string at(const std::string& address) const;
};

/// Splits the host name out of a ZeroMQ endpoint. nullopt when there is nothing to look up: other transports,
/// numeric addresses, and endpoints ZeroMQ refuses.
std::optional<NamedEndpoint> named_endpoint(std::string_view endpoint);

/// Numeric addresses in the order in which to try them, at least one; or Unavailable with the name and the
/// reason.
using Addresses = core::Result<std::vector<std::string>>;

/// Parses a numeric IPv4 or IPv6 address; Unavailable for any other name. Never blocks. Any thread.
Addresses numeric_address(const std::string& host);
/// Asks the system's resolver (getaddrinfo(3)); may block for long. Any thread.
Addresses ask_system(const std::string& host);

struct NamesOptions {
  core::milliseconds patience{5000};  ///< After this the lookup fails.
  std::size_t threads = 8;            ///< Maximum number of concurrent lookups; further ones wait.
  std::function<Addresses(const std::string&)> ask = ask_system;  ///< Runs on a thread of its own.
};

/// Created and destroyed on the loop's thread. Starts a thread only when a name is looked up. Nothing is
/// cached: an address is as fresh as its lookup.
///
///   lookup_ = names.look_up("db.example", [this](const net::Addresses& found) { … });
class Names {
 public:
  /// Called once, in a later turn of the reactor. It may destroy the Lookup, but not the Names.
  using Then = core::MoveFunction<void(const Addresses&)>;
  /// Destroying it ends the lookup: its callback is not called.
  class Lookup;

  explicit Names(Reactor& reactor, NamesOptions options = {});
  /// Does not wait for running lookups; their results are discarded.
  ~Names();
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  /// Looks the host up. Concurrent requests for the same name share one lookup.
  [[nodiscard]] Lookup look_up(const std::string& host, Then then);

 private:
  struct Wish;
  struct Desk;

  bool start(const std::string& host);
  void found(const std::string& host, const Addresses& addresses);

  Reactor& reactor_;
  NamesOptions options_;
  std::shared_ptr<Desk> desk_;  // shared with the threads
  std::optional<Mailbox> answers_;
  std::map<std::string, std::vector<std::weak_ptr<Wish>>, std::less<>> asked_;  // by host, while looked up
};

class Names::Lookup {
 public:
  Lookup() = default;

 private:
  friend class Names;
  explicit Lookup(std::shared_ptr<Wish> wish) : wish_(std::move(wish)) {}

  std::shared_ptr<Wish> wish_;
};

}  // namespace zerosuite::net
