// A Redis server's replies, as plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/result.hpp"

struct redisReply;

namespace zerosuite::db {

/// A plain value type. A reader knows which kind its command returns; reading another kind throws
/// core::Failure InternalError.
class RedisReply {
 public:
  using List = std::vector<RedisReply>;

  RedisReply() = default;
  RedisReply(std::int64_t integer) : kind_(Kind::kInteger), integer_(integer) {}
  RedisReply(std::string text) : kind_(Kind::kText), text_(std::move(text)) {}
  RedisReply(List list) : kind_(Kind::kList), list_(std::move(list)) {}

  bool is_nil() const { return kind_ == Kind::kNil; }
  bool is_integer() const { return kind_ == Kind::kInteger; }
  bool is_text() const { return kind_ == Kind::kText; }
  bool is_list() const { return kind_ == Kind::kList; }

  std::int64_t integer() const;
  /// A bulk string or a status, as "OK".
  const std::string& text() const;
  const List& list() const;
  /// An element of the list; counts from 0.
  const RedisReply& at(std::size_t position) const;

  friend bool operator==(const RedisReply&, const RedisReply&) = default;

 private:
  enum class Kind : std::uint8_t { kNil, kInteger, kText, kList };

  Kind kind_ = Kind::kNil;
  std::int64_t integer_ = 0;
  std::string text_;
  List list_;
};

/// At most 200 characters of a text from the server, for logs and clients, with a question mark for every
/// byte that is not printable ASCII.
std::string printable(std::string_view text);

/// Converts an error reply: to Unavailable with {"retry_after_ms"} (the server cannot execute it now),
/// StorageError (it cannot store it now), or InternalError for the rest. In all cases nothing was done. The
/// message is "Redis: " and the server's own text.
core::Error redis_error(std::string_view text);

/// Whether it is the error reply of a server that cannot be written to, such as a replica; reconnecting may
/// find the one that can.
bool must_redial(const core::Error& error);

/// Whether it is the error reply with that code, which is the first word of the server's text.
bool is_redis_error(const core::Error& error, std::string_view code);

/// The value of a reply; an error reply, even inside a list, makes the whole an error.
core::Result<RedisReply> read_redis_reply(const redisReply& reply);

}  // namespace zerosuite::db
