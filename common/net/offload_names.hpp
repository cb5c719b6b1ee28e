// Host names into addresses. A lookup may hang for as long as the system's resolver likes, so each has a
// thread of its own: it holds up neither the loop, nor libzmq's thread, nor what waits for the disk in the
// pool.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/function.hpp"
#include "core/result.hpp"
#include "net/offload_mailbox.hpp"
#include "net/reactor.hpp"

namespace zerosuite::net {

/// Numeric addresses in the order in which to try them, one at least; or Unavailable with the name and the
/// reason.
using Addresses = core::Result<std::vector<std::string>>;

/// Reads a numeric IPv4 or IPv6 address; any other name is not found. Never blocks. Any thread.
Addresses numeric_address(const std::string& host);
/// Asks whatever the system asks (getaddrinfo(3)), and may block for long. Any thread.
Addresses ask_system(const std::string& host);

struct NamesOptions {
  core::milliseconds patience{5000};  ///< Then the name counts as not found, for now.
  std::size_t threads = 8;            ///< Lookups at a time; further ones wait.
  std::function<Addresses(const std::string&)> ask = ask_system;  ///< On a thread of its own.
};

/// Made and destroyed on the loop's thread. Starts a thread when a name is first looked up, and none for what
/// is numeric. Nothing is remembered: an address is as fresh as its lookup.
///
///   lookup_ = names.look_up("db.example", [this](const net::Addresses& found) { … });
class Names {
 public:
  /// Called once, in a later turn of the reactor. It may let the Lookup go, but
  /// not the Names.
  using Then = core::MoveFunction<void(const Addresses&)>;
  /// Letting it go ends the lookup: nothing is called any more.
  class Lookup;

  explicit Names(Reactor& reactor, NamesOptions options = {});
  /// Waits for nobody: a lookup that hangs is left to itself, and what it finds to nobody.
  ~Names();
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  /// Looks the host up. Who asks for a name while it is being looked up shares that lookup.
  [[nodiscard]] Lookup look_up(const std::string& host, Then then);

 private:
  struct Wish;
  struct Desk;

  bool start(const std::string& host);
  void found(const std::string& host, const Addresses& addresses);

  Reactor& reactor_;
  NamesOptions options_;
  std::shared_ptr<Desk> desk_;  // what the threads share with us
  std::optional<Mailbox> answers_;
  std::map<std::string, std::vector<std::weak_ptr<Wish>>, std::less<>> asked_;  // by host, while on its way
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
