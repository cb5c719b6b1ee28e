#include "db/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <span>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::db {
namespace {

constexpr std::string_view kPrefix = "Redis: ";

// The server is not ready, not the master, cut off from its replicas, or busy with a long script.
constexpr std::string_view kNotNow[] = {"LOADING", "READONLY", "MASTERDOWN", "NOREPLICAS",
                                        "BUSY",    "TRYAGAIN", "CLUSTERDOWN"};
// Those among them after which reconnecting may find a server that works. The others come from the right
// server.
constexpr std::string_view kNotHere[] = {"LOADING", "READONLY", "MASTERDOWN"};
// The snapshot on disk failed, or the memory is full.
constexpr std::string_view kNotKept[] = {"MISCONF", "OOM"};

constexpr std::size_t kMostText = 200;
constexpr int kRetryAfterMs = 200;

// Before Redis 7 the error of a command in a script has the form "ERR Error running script (…): …: -READONLY
// …".
std::string_view code_of(std::string_view text) {
  constexpr std::string_view kInScript = ": -";
  const std::size_t inner = text.starts_with("ERR Error running script") ? text.find(kInScript) : text.npos;
  if (inner != text.npos) text.remove_prefix(inner + kInScript.size());
  return text.substr(0, text.find(' '));
}

bool is_among(std::string_view code, std::span<const std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

core::Failure other_kind(std::string_view wanted) {
  return {core::kInternalError, "Redis answered something that is not " + std::string(wanted)};
}

}  // namespace

std::int64_t RedisReply::integer() const {
  if (!is_integer()) throw other_kind("an integer");
  return integer_;
}

const std::string& RedisReply::text() const {
  if (!is_text()) throw other_kind("a text");
  return text_;
}

const RedisReply::List& RedisReply::list() const {
  if (!is_list()) throw other_kind("a list");
  return list_;
}

const RedisReply& RedisReply::at(std::size_t position) const {
  if (position >= list().size()) throw other_kind("a list of more than " + std::to_string(position));
  return list()[position];
}

std::string printable(std::string_view text) {
  std::string plain(text.substr(0, kMostText));
  std::ranges::replace_if(
      plain, [](char c) { return c < ' ' || c > '~'; }, '?');
  return plain;
}

core::Error redis_error(std::string_view text) {
  const std::string_view code = code_of(text);
  std::string message = std::string(kPrefix) + printable(text);
  if (is_among(code, kNotNow))
    return {core::kUnavailable, std::move(message), core::Json().add("retry_after_ms", kRetryAfterMs)};
  if (is_among(code, kNotKept)) return {core::kStorageError, std::move(message)};
  return {core::kInternalError, std::move(message)};
}

bool must_redial(const core::Error& error) {
  const std::string_view message = error.message;
  return message.starts_with(kPrefix) && is_among(code_of(message.substr(kPrefix.size())), kNotHere);
}

bool is_redis_error(const core::Error& error, std::string_view code) {
  return error.message.starts_with(std::string(kPrefix) + std::string(code) + " ");
}

core::Result<RedisReply> read_redis_reply(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_ERROR:
      return redis_error({reply.str, reply.len});
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      return RedisReply(std::string(reply.str, reply.len));
    case REDIS_REPLY_INTEGER:
      return RedisReply(std::int64_t{reply.integer});
    case REDIS_REPLY_ARRAY:
      break;
    default:
      return RedisReply();
  }
  RedisReply::List list;
  list.reserve(reply.elements);
  for (const redisReply* element : std::span(reply.element, reply.elements)) {
    core::Result<RedisReply> read = read_redis_reply(*element);
    if (!read) return read;
    list.push_back(*std::move(read));
  }
  return RedisReply(std::move(list));
}

}  // namespace zerosuite::db
