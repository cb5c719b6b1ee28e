// A client of one Redis server: one connection, remade whenever it is lost, with pipelined commands. The
// server must be a master: from a replica, or a server that has become one, it disconnects, and looks its
// name up and dials again until a master is found.
//
// A command is never sent twice: only the caller knows whether that is harmless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "db/redis_address.hpp"
#include "db/redis_link.hpp"
#include "db/redis_reply.hpp"
#include "net/deferred.hpp"
#include "net/offload_names.hpp"
#include "net/reactor.hpp"
#include "net/timers.hpp"

namespace zerosuite::db {

struct RedisOptions {
  std::string endpoint = {};                  ///< HOST:PORT, [ADDRESS]:PORT or unix:/PATH
  core::SecretText password = {};             ///< For AUTH; empty when the server requires none.
  core::milliseconds connect_timeout{1'000};  ///< Until the server's first reply.
  core::milliseconds command_timeout{1'000};
  core::milliseconds first_pause{50};       ///< After a failure; doubles with each further one,
  core::milliseconds longest_pause{2'000};  ///< up to this; reset after a connection that lasted this long.
  std::size_t max_reply_bytes = 64 << 20;   ///< Approximate memory of one reply; more ends the connection.
};

/// The back-off after that number of consecutive failures: in the upper half of first_pause · 2^(failures−1),
/// at most longest_pause, so that the clients of a lost server do not all reconnect at the same moment.
/// `random` is any number.
core::milliseconds pause_after(std::uint32_t failures, const RedisOptions& options, std::uint64_t random);

/// Loop thread only. May be destroyed at any time, even inside its own callbacks; it calls none after that.
class Redis {
 public:
  using Done = core::Done<RedisReply>;

  /// Connects in the next turn. Throws core::Failure InvalidArgument for a malformed endpoint.
  Redis(net::Reactor& reactor, net::Names& names, RedisOptions options);
  ~Redis();
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  /// Sends a command, e.g. {"SET", "key", "value"}; not SUBSCRIBE or MONITOR, which have more than one reply.
  /// Replies come in the order of the commands, and never before the call returns. Errors: Unavailable with
  /// {"retry_after_ms"}, in the next turn, while there is no connection, and those of redis_error(): nothing
  /// was done. Indeterminate when the connection broke, or command_timeout passed, before the reply. `done`
  /// must not throw.
  void command(const std::vector<std::string>& words, Done done);
  /// Runs a Lua script as a command, by its hash if the server knows it (EVALSHA). If not, the script runs
  /// after the commands that were sent since. Every script is kept, so there should be few.
  void eval(const std::string& script, const std::vector<std::string>& keys,
            const std::vector<std::string>& arguments, Done done);

  /// Whether commands can be sent now: the server has replied to a PING on this connection, is not a replica,
  /// and has not since reported that it cannot be written to (must_redial()).
  bool connected() const { return !trouble_ && link_ && link_->open(); }
  /// Whether every command has its reply.
  bool idle() const { return (!link_ || link_->idle()) && refusals_.empty(); }
  /// Why not connected(): Unavailable with {"retry_after_ms"}; nullopt when connected.
  std::optional<core::Error> trouble() const;
  /// Calls `changed` whenever the connection is up again (nullopt), is lost, or fails for another reason than
  /// before.
  void on_change(std::function<void(const std::optional<core::Error>& trouble)> changed);

  const RedisOptions& options() const { return options_; }

 private:
  void attempt();
  void found(const net::Addresses& addresses);
  void connect(const RedisTarget& target);
  void greet();
  void ask_role();
  void greeted();
  void refused(const core::Error& error);
  void ended(const std::string& why, RedisLink::Unanswered unanswered);
  void retry();
  void change(std::optional<std::string> trouble);
  core::Error unavailable() const;
  void refuse_later(Done done);
  const std::string& hash_of(const std::string& script);

  net::Reactor& reactor_;
  net::Names& names_;
  const RedisOptions options_;
  const RedisAddress address_;
  std::function<void(const std::optional<core::Error>&)> changed_;
  std::optional<std::string> trouble_ = "not connected yet";
  net::Names::Lookup lookup_;
  std::vector<std::string> found_;  // addresses of the host still to be tried
  std::uint32_t failures_ = 0;      // consecutive
  core::TimePoint since_;           // when the connection came up, while it is up
  core::TimePoint due_;             // time of the next attempt
  net::Timer attempt_;
  net::Deferred refusals_;                     // of commands sent while there was no connection
  std::map<std::string, std::string> hashes_;  // by script; empty while not known
  std::unique_ptr<RedisLink> link_;
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);
};

}  // namespace zerosuite::db
