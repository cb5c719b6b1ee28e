// One connection to a Redis server from its attempt to its end: hiredis' asynchronous context, fed by the
// reactor.
//
// hiredis calls back in the middle of its own work, where neither exceptions nor freeing it are allowed. So
// its callbacks only do bookkeeping; replies are delivered after hiredis has returned.
//
// hiredis also trusts the server: it aborts at an unexpected reply (async.c, redisProcessCallbacks()) and
// allocates whatever a reply announces. Both are prevented here.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "db/redis_reply.hpp"
#include "net/reactor.hpp"
#include "net/timers.hpp"

struct redisAsyncContext;

namespace zerosuite::db {

/// Where to connect to; nothing is looked up here.
struct RedisTarget {
  std::string path = {};     ///< Of a unix socket; empty for TCP.
  std::string address = {};  ///< Numeric.
  int port = 0;
};

/// Belongs to the loop's thread. May be destroyed at any moment, also in what it calls; it calls nothing
/// then.
class RedisLink {
 public:
  using Done = core::Done<RedisReply>;
  using Unanswered = std::deque<Done>;
  /// Called once when the connection failed or ended, with the reason and the callbacks still waiting.
  using Ended = std::function<void(std::string why, Unanswered unanswered)>;

  /// Starts to connect. A reply that needs more than about max_reply_bytes of memory ends the connection.
  RedisLink(net::Reactor& reactor, const RedisTarget& target, std::size_t max_reply_bytes, Ended ended);
  ~RedisLink();
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  /// False when the connection has ended, even if Ended has not been called yet, and when it only waits for
  /// outstanding replies because the server has reported that it cannot be written to (redis_reply.hpp,
  /// must_redial()).
  bool open() const { return context_ != nullptr && why_.empty(); }
  /// Whether every command has its reply.
  bool idle() const { return waiting_.empty() && answers_.empty(); }
  /// Sends a command in one of the next turns, as soon as the link is connected. A reply later than `timeout`
  /// ends the connection, since the replies after it could not be assigned any more. Only when open().
  void send(const std::vector<std::string>& words, core::milliseconds timeout, Done done);

 private:
  struct Hooks;
  struct Waiting {
    Done done;
    core::TimePoint deadline;
    core::milliseconds timeout;
  };
  struct Answer {
    Done done;
    core::Result<RedisReply> reply;
  };

  void adopt(redisAsyncContext* context);
  void hear();
  void work(void (*handle)(redisAsyncContext*));
  bool afford(std::size_t bytes);
  std::string too_large() const;
  void end(std::string why);
  void time_out();
  void settle();
  void finish();
  void watch_first();

  net::Reactor& reactor_;
  const std::size_t max_reply_bytes_;
  Ended ended_;
  net::Timer limit_;                      // deadline of the oldest command
  redisAsyncContext* context_ = nullptr;  // hiredis frees it when the connection ends
  std::optional<net::Reactor::Watch> readable_;
  std::optional<net::Reactor::Watch> writable_;
  std::deque<Waiting> waiting_;  // in order of sending, which is the order of the replies
  std::deque<Answer> answers_;   // received, not yet delivered
  std::size_t reply_bytes_ = 0;  // memory of the reply being read
  std::string why_;              // why the link ended or is about to; empty while open
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);
};

}  // namespace zerosuite::db
