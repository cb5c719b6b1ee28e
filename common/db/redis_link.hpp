// One connection to a Redis server from its attempt to its end: hiredis' asynchronous context, fed by the
// reactor.
//
// hiredis calls back in the middle of its own work, where it bears neither exceptions nor being freed. So
// nothing but bookkeeping is done there; who waits for a reply is called when hiredis has returned.
#pragma once

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

  /// Begins to connect.
  RedisLink(net::Reactor& reactor, const RedisTarget& target, Ended ended);
  ~RedisLink();
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  /// False when the connection has ended, though Ended may still have to be called.
  bool open() const { return context_ != nullptr; }
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
  void work(void (*handle)(redisAsyncContext*));
  void time_out();
  void settle();
  void finish();
  void watch_first();

  net::Reactor& reactor_;
  Ended ended_;
  net::Timer limit_;                      // of the command that has waited longest
  redisAsyncContext* context_ = nullptr;  // hiredis frees it when the connection ends
  std::optional<net::Reactor::Watch> readable_;
  std::optional<net::Reactor::Watch> writable_;
  std::deque<Waiting> waiting_;  // in order of sending, which is that of the replies
  std::deque<Answer> answers_;   // come, not yet told
  std::string why_;              // it ended
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);
};

}  // namespace zerosuite::db
