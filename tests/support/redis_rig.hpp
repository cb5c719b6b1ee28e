// A Redis client on a real reactor, asked one thing at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "db/redis.hpp"
#include "net/reactor.hpp"
#include "support/fakes.hpp"
#include "support/wait.hpp"

namespace zerosuite::test {

class RedisRig {
 public:
  explicit RedisRig(db::RedisOptions options, net::NamesOptions how_names_are_found = {})
      : names(reactor, std::move(how_names_are_found)),
        redis(std::make_unique<db::Redis>(reactor, names, std::move(options))) {}

  /// False when it is not within kPatience.
  bool connect() {
    return turn_until(reactor, [this] { return redis->connected(); });
  }
  /// Turns until every command was answered; false when that does not happen.
  bool settle() {
    return turn_until(reactor, [this] { return redis->idle(); });
  }
  core::Result<db::RedisReply> ask(const std::vector<std::string>& words) {
    std::optional<core::Result<db::RedisReply>> answer;
    redis->command(words, [&answer](core::Result<db::RedisReply> reply) { answer = std::move(reply); });
    if (!turn_until(reactor, [&answer] { return answer.has_value(); }))
      return core::Error{"NoAnswer", words.front()};
    return *std::move(answer);
  }

  net::Reactor reactor;
  net::Names names;
  std::unique_ptr<db::Redis> redis;
};

}  // namespace zerosuite::test
