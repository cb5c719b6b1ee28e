// A client of one Redis server: one connection, made again whenever it is lost, and commands in a pipeline.
// The server is one that can be written to: a replica, or one that has become a replica, is left, and its
// name looked up and dialed again until it is, or leads to, a master.
//
// A command is never sent twice: only the caller can know whether that is harmless.
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
#include "net/offload_names.hpp"
#include "net/reactor.hpp"
#include "net/timers.hpp"

namespace zerosuite::db {

struct RedisOptions {
  std::string endpoint = {};                  ///< HOST:PORT, [ADDRESS]:PORT or unix:/PATH
  core::SecretText password = {};             ///< Of AUTH; empty when the server wants none.
  core::milliseconds connect_timeout{1'000};  ///< Until the server has answered for the first time.
  core::milliseconds command_timeout{1'000};
  core::milliseconds first_pause{50};       ///< After a failure; it doubles with each further one,
  core::milliseconds longest_pause{2'000};  ///< up to this; after a connection of that length it begins anew.
  std::size_t max_reply_bytes = 64 << 20;   ///< Of memory, about, for one reply; more ends the connection.
};

/// How long to wait after that number of failures in a row: somewhere in the upper half of first_pause ·
/// 2^(failures−1), at most longest_pause, so that not all clients of a server that was lost come back in the
/// same moment. `random` is any number.
core::milliseconds pause_after(std::uint32_t failures, const RedisOptions& options, std::uint64_t random);

/// Belongs to the loop's thread. May be destroyed at any moment, also in what it calls; it calls nothing
/// then.
class Redis {
 public:
  using Done = core::Done<RedisReply>;

  /// Connects in the next turn. Throws core::Failure InvalidArgument for an endpoint that is none.
  Redis(net::Reactor& reactor, net::Names& names, RedisOptions options);
  ~Redis();
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  /// Sends a command, e.g. {"SET", "key", "value"}; no SUBSCRIBE and no MONITOR, which are answered more than
  /// once. Answers come in the order of the commands, and never before the call returns. Errors: Unavailable
  /// with {"retry_after_ms"} while there is no connection, with the next turn, and those of redis_error():
  /// nothing was done. Indeterminate when the connection broke, or command_timeout passed, before the answer
  /// came. `done` must not throw.
  void command(const std::vector<std::string>& words, Done done);
  /// Runs a Lua script, as a command; by its hash where the server knows it (EVALSHA). If it does not, the
  /// script runs after the commands that were sent since. Scripts are kept: there should be few.
  void eval(const std::string& script, const std::vector<std::string>& keys,
            const std::vector<std::string>& arguments, Done done);

  /// Whether the server can be asked now: it has answered a PING since the connection was made, is no
  /// replica, and has not said since that it cannot be written to (must_redial()).
  bool connected() const { return !trouble_ && link_ && link_->open(); }
  /// Whether every command was answered.
  bool idle() const { return (!link_ || link_->idle()) && refused_.empty(); }
  /// Why it cannot: Unavailable with {"retry_after_ms"}; nullopt when it can.
  std::optional<core::Error> trouble() const;
  /// `changed` is told whenever the connection is there again (nullopt), was lost, or cannot be made for
  /// another reason than before.
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
  void refuse();
  const std::string& hash_of(const std::string& script);

  net::Reactor& reactor_;
  net::Names& names_;
  const RedisOptions options_;
  const RedisAddress address_;
  std::function<void(const std::optional<core::Error>&)> changed_;
  std::optional<std::string> trouble_ = "not connected yet";
  net::Names::Lookup lookup_;
  std::vector<std::string> found_;  // addresses of the host still to be tried
  std::uint32_t failures_ = 0;      // in a row
  core::TimePoint since_;           // the server has been there, while it is
  core::TimePoint due_;             // the next attempt
  net::Timer attempt_;
  struct Refused {
    Done done;
    core::Error error;
  };
  std::vector<Refused> refused_;  // asked while there was no connection
  net::Timer refuse_;
  std::map<std::string, std::string> hashes_;  // by script; empty while not known
  std::unique_ptr<RedisLink> link_;
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);
};

}  // namespace zerosuite::db
