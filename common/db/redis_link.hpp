// One connection to a Redis server from its attempt to its end: hiredis' asynchronous context, fed by the
// reactor.
//
// hiredis calls back in the middle of its own work, where it bears neither exceptions nor being freed. So
// nothing but bookkeeping is done there; who waits for a reply is called when hiredis has returned.
//
// It also trusts the server: it aborts at a reply that nobody waits for (async.c, redisProcessCallbacks())
// and takes as much memory as a reply says that it will need. Both are seen to here before it comes to that.
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

/// Where to connect to: nothing here is looked up.
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
  /// Told once that the connection failed or ended, why, and who still waits.
  using Ended = std::function<void(std::string why, Unanswered unanswered)>;

  /// Begins to connect. A reply that would take more than about max_reply_bytes of memory ends the
  /// connection.
  RedisLink(net::Reactor& reactor, const RedisTarget& target, std::size_t max_reply_bytes, Ended ended);
  ~RedisLink();
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  /// False when the connection has ended, though Ended may still have to be called, and when it only waits
  /// for what was sent: the server has answered that it is not one to write to (redis_reply.hpp,
  /// must_redial()).
  bool open() const { return context_ != nullptr && why_.empty(); }
  /// Whether every command was answered.
  bool idle() const { return waiting_.empty() && answers_.empty(); }
  /// Sends a command in one of the next turns, as soon as it is connected. An answer that comes later than
  /// `timeout` ends the connection: the replies after it could not be told apart any more. Only when open().
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
  net::Timer limit_;                      // of the command that has waited longest
  redisAsyncContext* context_ = nullptr;  // hiredis frees it when the connection ends
  std::optional<net::Reactor::Watch> readable_;
  std::optional<net::Reactor::Watch> writable_;
  std::deque<Waiting> waiting_;  // in order of sending, which is that of the replies
  std::deque<Answer> answers_;   // come, not yet told
  std::size_t reply_bytes_ = 0;  // what the reply that is being read takes
  std::string why_;              // it ended, or is about to
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);
};

}  // namespace zerosuite::db
