// What a Redis server answers, as plain values.
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

/// A plain value type. What reads it knows what was asked for, and so which kind has to be there: to read
/// another throws core::Failure InternalError.
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

/// At most 200 characters of a text of the server's, with a question mark for every byte that is not
/// printable ASCII: it comes to logs and to clients.
std::string printable(std::string_view text);

/// What an error reply is called here: Unavailable with {"retry_after_ms"} (the server cannot do it now),
/// StorageError (it cannot keep it now), InternalError for the rest. Nothing was done. The message is "Redis:
/// " and the server's own text.
core::Error redis_error(std::string_view text);

/// Whether it is an error reply of a server that is not one to write to, now or any more, as a replica; the
/// one that is may be found by connecting anew.
bool must_redial(const core::Error& error);

/// Whether it is the error reply with that code, the first word of the server's text.
bool is_redis_error(const core::Error& error, std::string_view code);

/// The value of a reply; an error reply, also inside a list, is the error of the whole.
core::Result<RedisReply> read_redis_reply(const redisReply& reply);

}  // namespace zerosuite::db
