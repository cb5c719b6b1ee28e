#include "rpc/client/items.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <numeric>

#include "rpc/client/client.hpp"
#include "support/caller_rig.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::items_test {

// Counts the items of the stream it serves, and tells when the stream is let go of.
struct Counting {
  std::atomic<int> made = 0;
  std::promise<void> released;

  auto methods() {
    return [this](rpc::Server& server) {
      server.method("count", {"n"}, "", [this](int n) {
        const std::shared_ptr<void> token(nullptr, [this](void*) { released.set_value(); });
        return rpc::Stream<int>([this, token, n]() -> std::optional<int> {
          if (made == n) return std::nullopt;
          return made++;
        });
      });
      server.method("break_after", {"n"}, "", [](int n) {
        return rpc::Stream<int>([i = 0, n]() mutable -> std::optional<int> {
          if (i == n) throw core::Failure("Broken", "no more");
          return i++;
        });
      });
      server.method("mixed", "", [] {
        return rpc::Stream<wire::Value>([i = 0]() mutable {
          return std::optional(++i == 3 ? wire::Value{std::string("x")} : wire::Value{wire::Integer(i)});
        });
      });
      server.method("add", {"a", "b"}, "", [](int a, int b) { return a + b; });
    };
  }
  bool is_released() { return released.get_future().wait_for(kPatience) == std::future_status::ready; }
};

// How a stream ended, and the sum of its items.
template <class T>
std::pair<std::string, T> consume(rpc::Items<T> items) {
  T sum{};
  try {
    for (T& item : items) sum += item;
    return {"done", sum};
  } catch (...) {
    return {describe(std::current_exception()), sum};
  }
}

struct Served {
  Counting counting;
  LiveServer server{counting.methods()};
  rpc::Client client{server.endpoint()};
};

TEST_CASE("a stream brings all its items in order, few or many, and ends") {
  for (const int count : {0, 1, 2, 256, 257, 30'000}) {
    Counting counting;
    LiveServer server(counting.methods());
    rpc::Client client(server.endpoint());
    int expected = 0;
    for (const int item : client.stream<int>("count", count)) {
      if (item != expected) break;
      ++expected;
    }
    CHECK(expected == count);
  }
}

TEST_CASE("the server is never more than the window ahead of the program") {
  for (const std::uint32_t slots : {0U, 2U, 3U, 10U}) {
    Counting counting;
    LiveServer server(counting.methods());
    rpc::Client client(server.endpoint(), {.slots = slots, .caller = {}});
    const int window = static_cast<int>(std::max(slots, 2U));
    int taken = 0;
    int most_ahead = 0;
    for ([[maybe_unused]] const int item : client.stream<int>("count", 500)) {
      most_ahead = std::max(most_ahead, counting.made - taken);
      ++taken;
    }
    CHECK(taken == 500);
    CHECK(most_ahead <= window);
    CHECK(most_ahead >= 1);
  }
}

TEST_CASE_FIXTURE(Served, "letting go of a stream before its end cancels it on the server") {
  client.call<int>("add", 1, 2);  // connected: what ends before that is never sent
  SUBCASE("after some items") {
    int taken = 0;
    for ([[maybe_unused]] const int item : client.stream<int>("count", -1)) {
      if (++taken == 5) break;
    }
  }
  SUBCASE("before the first") {
    { const auto items = client.stream<int>("count", -1); }
    client.call<int>("add", 1, 2);
  }
  CHECK(counting.is_released());
  CHECK(client.call<int>("add", 1, 2) == 3);
}

TEST_CASE_FIXTURE(Served, "an error in mid-stream comes after the items before it") {
  CHECK(consume(client.stream<int>("break_after", 4)) ==
        std::pair(std::string("RemoteError Broken: no more"), 6));
}

TEST_CASE_FIXTURE(Served,
                  "an item of another type ends the stream with a ProtocolError after the good ones") {
  const auto [end, sum] = consume(client.stream<int>("mixed"));
  CHECK(end.starts_with("ProtocolError"));
  CHECK(sum == 3);
}

TEST_CASE_FIXTURE(Served, "a value where a stream was asked for is a ProtocolError") {
  CHECK(consume(client.stream<int>("add", 1, 2)).first ==
        "ProtocolError ProtocolError: the method answered with a value, not with a stream");
  CHECK(consume(client.stream<int>("nosuch")).first == "RemoteError NameError: nosuch");
}

TEST_CASE_FIXTURE(Served, "after its end a stream stays at its end") {
  auto items = client.stream<int>("count", 1);
  CHECK(items.next() == 0);
  CHECK_FALSE(items.next());
  CHECK_FALSE(items.next());
}

TEST_CASE("a stream that outlives its client ends with Cancelled, after what had come already") {
  Counting counting;
  LiveServer server(counting.methods());
  auto client = std::make_unique<rpc::Client>(server.endpoint());
  auto items = client->stream<int>("count", -1);
  CHECK(items.next() == 0);
  client.reset();
  CHECK(consume(std::move(items)).first == "Cancelled Cancelled: the client was closed");
  CHECK(counting.is_released());
}

TEST_CASE_FIXTURE(Served, "streams and calls of one client do not hold one another up") {
  auto one = client.stream<int>("break_after", 5000);
  auto two = client.stream<int>("break_after", 5000);
  int right = 0;
  for (int i = 0; i < 5000; ++i) {
    right += one.next() == i && two.next() == i ? 1 : 0;
    if (i % 1000 == 0) CHECK(client.call<int>("add", i, 1) == i + 1);
  }
  CHECK(right == 5000);
}

}  // namespace zerosuite::test::items_test
