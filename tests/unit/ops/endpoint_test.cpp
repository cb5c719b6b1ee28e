#include "ops/config/endpoint.hpp"

#include <doctest/doctest.h>

namespace zerosuite::ops::endpoint_test {

TEST_CASE("tcp and ipc endpoints are told from what is none") {
  for (const char* good : {"tcp://127.0.0.1:4301", "tcp://127.0.0.1:*", "tcp://*:0", "tcp://[::1]:65535",
                           "tcp://lo:1", "ipc:///run/math", "ipc://@math"}) {
    CAPTURE(good);
    CHECK(is_endpoint(good));
  }
  for (const char* bad :
       {"", "4301", "127.0.0.1:4301", "tcp://127.0.0.1", "tcp://:4301",
        "tcp://127.0.0.1:", "tcp://127.0.0.1:65536", "tcp://127.0.0.1:43o1", "tcp://127.0.0.1:-1", "ipc://",
        "udp://127.0.0.1:1", "inproc://x", "tcp://127.0.0.1:1,tcp://127.0.0.1:2", "ipc://a b"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_endpoint(bad));
  }
}

TEST_CASE("only loopback and ipc endpoints are local") {
  for (const char* local : {"tcp://127.0.0.1:4301", "tcp://127.8.9.1:*", "tcp://[::1]:4301",
                            "tcp://localhost:4301", "tcp://lo:4301", "ipc:///run/math"}) {
    CAPTURE(local);
    CHECK(is_local(local));
  }
  for (const char* open : {"tcp://*:4301", "tcp://0.0.0.0:4301", "tcp://[::]:4301", "tcp://eth0:4301",
                           "tcp://10.0.0.1:4301", "tcp://127.0.0.1.example:4301", "tcp://1270.0.0.1:1"}) {
    CAPTURE(open);
    CHECK_FALSE(is_local(open));
  }
}

}  // namespace zerosuite::ops::endpoint_test
