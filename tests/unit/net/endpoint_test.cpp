#include <doctest/doctest.h>

#include <string>

#include "net/offload_names.hpp"

namespace zerosuite::test::endpoint_test {

using net::named_endpoint;

TEST_CASE("a host's name is found in an endpoint, and a numeric address takes its place") {
  const auto plain = named_endpoint("tcp://db.example:4243");
  REQUIRE(plain);
  CHECK(plain->host == "db.example");
  CHECK(plain->at("10.0.0.1") == "tcp://10.0.0.1:4243");
  CHECK(plain->at("fe80::1") == "tcp://[fe80::1]:4243");
  const auto from = named_endpoint("tcp://10.0.0.7:0;db.example:4243");
  REQUIRE(from);
  CHECK(from->host == "db.example");
  CHECK(from->at("10.0.0.1") == "tcp://10.0.0.7:0;10.0.0.1:4243");
  CHECK(named_endpoint("tcp://localhost:1"));
  CHECK(named_endpoint("tcp://[localhost]:1"));
}

TEST_CASE("what has no name, and what is no endpoint, has nothing to look up") {
  for (const std::string endpoint :
       {"tcp://127.0.0.1:4243", "tcp://[::1]:4243", "tcp://10.0.0.7:0;127.0.0.1:4243", "ipc:///run/math:1",
        "inproc://name:1", "tcp://name", "tcp://name:", "tcp://name:0", "tcp://name:65536", "tcp://name:4x",
        "tcp://:1", "tcp://*:1", "name:1", "", "tcp://"}) {
    CAPTURE(endpoint);
    CHECK_FALSE(named_endpoint(endpoint));
  }
}

}  // namespace zerosuite::test::endpoint_test
