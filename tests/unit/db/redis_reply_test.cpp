#include "db/redis_reply.hpp"

#include <doctest/doctest.h>

#include <string>

namespace redis_reply_test {

using namespace zerosuite;
using db::RedisReply;

TEST_CASE("error replies are named by whether the server could not do it, could not keep it, or refused it") {
  for (const char* code :
       {"LOADING", "READONLY", "MASTERDOWN", "NOREPLICAS", "BUSY", "TRYAGAIN", "CLUSTERDOWN"})
    CHECK(db::redis_error(std::string(code) + " some words").name == "Unavailable");
  for (const char* code : {"MISCONF", "OOM"})
    CHECK(db::redis_error(std::string(code) + " some words").name == "StorageError");
  for (const char* code : {"ERR", "WRONGTYPE", "NOSCRIPT", "LOADINGS", "OO"})
    CHECK(db::redis_error(std::string(code) + " some words").name == "InternalError");
  CHECK(db::redis_error("READONLY").name == "Unavailable");
  CHECK(db::redis_error("").name == "InternalError");
  CHECK(db::redis_error("ERR some words").message == "Redis: ERR some words");
}

TEST_CASE("an error reply is told from others by its first word as a whole") {
  const core::Error error = db::redis_error("NOSCRIPT No matching script.");
  CHECK(db::is_redis_error(error, "NOSCRIPT"));
  CHECK_FALSE(db::is_redis_error(error, "NO"));
  CHECK_FALSE(db::is_redis_error({"InternalError", "NOSCRIPT No matching script."}, "NOSCRIPT"));
}

TEST_CASE("reading a reply as what it is not is an error by name") {
  const RedisReply nil;
  const RedisReply integer(std::int64_t{7});
  const RedisReply text(std::string("7"));
  CHECK_THROWS_AS(nil.text(), core::Failure);
  CHECK_THROWS_AS(nil.integer(), core::Failure);
  CHECK_THROWS_AS(integer.text(), core::Failure);
  CHECK_THROWS_AS(text.integer(), core::Failure);
  CHECK_THROWS_AS(text.list(), core::Failure);
  CHECK_THROWS_AS(RedisReply(RedisReply::List{}).at(0), core::Failure);
  CHECK_THROWS_AS(text.at(0), core::Failure);
  CHECK(RedisReply(RedisReply::List{integer}).at(0) == integer);
}

}  // namespace redis_reply_test
