#include "db/redis_reply.hpp"

#include <doctest/doctest.h>

#include <string>

namespace zerosuite::test::redis_reply_test {

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
  CHECK(db::redis_error("ERR some words").text() == "Redis: ERR some words");
}

TEST_CASE("what the server cannot do now comes with the time to wait") {
  for (const char* code : {"LOADING", "READONLY", "BUSY", "CLUSTERDOWN"})
    CHECK(db::redis_error(std::string(code) + " some words").text() ==
          "Redis: " + std::string(code) + " some words {\"retry_after_ms\":200}");
}

TEST_CASE("the error of a command in a script is known by its own name, also as Redis 6 tells it") {
  const auto told = [](const std::string& text) { return db::redis_error(text).name; };
  CHECK(told("READONLY You can't write against a read only replica. script: 5f0a, on @user_script:1.") ==
        "Unavailable");
  const std::string before = "ERR Error running script (call to f_5f0a): @user_script:1: @user_script: 1: ";
  CHECK(told(before + "-READONLY You can't write against a read only replica.") == "Unavailable");
  CHECK(told(before + "-OOM command not allowed when used memory > 'maxmemory'.") == "StorageError");
  CHECK(told(before + "-WRONGTYPE Operation against a key") == "InternalError");
  CHECK(told("ERR Error running script") == "InternalError");
  CHECK(told("ERR nothing: -READONLY in it") == "InternalError");
}

TEST_CASE("a server that is not the one to write to is told by its error") {
  for (const char* code : {"LOADING", "READONLY", "MASTERDOWN"}) {
    CHECK(db::must_redial(db::redis_error(code)));
    CHECK(db::must_redial(db::redis_error(std::string(code) + " some words")));
  }
  for (const char* code : {"BUSY", "NOREPLICAS", "TRYAGAIN", "CLUSTERDOWN", "OOM", "ERR", "LOADINGS", ""})
    CHECK_FALSE(db::must_redial(db::redis_error(code)));
  CHECK_FALSE(db::must_redial({"Unavailable", "READONLY"}));
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

}  // namespace zerosuite::test::redis_reply_test
