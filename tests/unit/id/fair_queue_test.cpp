// Whose turn it is when clients ask for more than there is.
#include "id/snowflake/fair_queue.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace zerosuite::test::fair_line_test {

struct Request {
  id::Client client;
  std::int64_t left;
};
using Line = id::FairQueue<Request>;

void push(Line& line, id::Client client, std::int64_t cost) { line.push(client, cost, {client, cost}); }

// Gives out so much; answers the clients whose requests were done, in turn.
std::string serve(Line& line, std::int64_t amount) {
  std::string done;
  while (amount > 0 && !line.empty()) {
    Request& first = line.first();
    const std::int64_t part = std::min(amount, first.left);
    first.left -= part;
    amount -= part;
    line.served(part);
    if (line.first().left == 0) done += std::to_string(line.pop_first().client);
  }
  return done;
}

TEST_CASE("one client's requests are served in the order they came") {
  Line line(100);
  for (const std::int64_t cost : {1000, 1, 500}) push(line, 1, cost);
  CHECK(line.first().left == 1000);
  CHECK(serve(line, 1001) == "11");
  CHECK(line.first().left == 500);
}

TEST_CASE("a small request does not wait for a large one of another client, whenever it comes") {
  for (const std::int64_t before : {0, 1, 500'000, 999'000}) {
    CAPTURE(before);
    Line line(100);
    push(line, 1, 1'000'000);
    push(line, 1, 1'000'000);
    push(line, 2, 1'000'000);
    serve(line, before);
    push(line, 3, 5);
    CHECK(line.first().client == 3);
    CHECK(serve(line, 5) == "3");
  }
}

TEST_CASE("it does not wait either when the large one should have been done by now") {
  Line line(100);
  push(line, 1, 1'000'000);
  push(line, 2, 1'000'000);
  CHECK(serve(line, 1'900'000) == "1");
  push(line, 3, 5);
  CHECK(line.first().client == 3);
}

TEST_CASE("large requests of two clients are done one after the other, not both at the end") {
  Line line(100);
  push(line, 1, 1'000);
  push(line, 2, 1'000);
  CHECK(serve(line, 1'000) == "1");
  CHECK(serve(line, 1'000) == "2");
}

TEST_CASE("who asks for more gets no more than another while both wait") {
  Line line(10'000);
  std::map<id::Client, std::int64_t> got;
  for (int i = 0; i < 1'000; ++i) push(line, 1, 10);
  for (int i = 0; i < 100; ++i) push(line, 2, 10);
  for (int i = 0; i < 200; ++i) {
    const id::Client client = line.first().client;
    serve(line, 10);
    got[client] += 10;
  }
  CHECK(got[1] == got[2]);
}

TEST_CASE("whoever waits is served in time, whatever others ask for") {
  std::mt19937_64 random(5);
  Line line(10'000);
  std::int64_t waited = 0;
  for (int i = 0; i < 2'000; ++i) {
    push(line, 1 + random() % 8, static_cast<std::int64_t>(1 + random() % 100));
    if (i % 50 == 0) push(line, 99, 20);
    const auto waits = [&] {
      bool there = false;
      line.for_each([&](const Request& request) { there |= request.client == 99; });
      return there;
    };
    serve(line, 45);
    waited = waits() ? waited + 1 : 0;
    REQUIRE(waited < 10);  // 9 clients, 20 for each of them
  }
}

TEST_CASE("no client can fill the line, and a newcomer finds room") {
  Line line(1'000);
  const auto fill = [&](id::Client client) {
    int count = 0;
    for (; line.has_room(client) && count < 2'000; ++count) push(line, client, 1);
    return count;
  };
  CHECK(fill(1) > 400);
  CHECK(line.size() < 600);
  CHECK(fill(2) > 100);
  CHECK(fill(3) > 50);
  for (id::Client client = 4; client < 10; ++client) CHECK(line.has_room(client));
  CHECK(line.has_room(100));
}

TEST_CASE("what was asked for and not given is not counted against a client") {
  Line line(100);
  push(line, 1, 1'000'000);
  push(line, 1, 1'000);
  push(line, 2, 1'000);
  push(line, 3, 999);
  line.pop_oldest();
  CHECK(serve(line, 2'999) == "312");
}

TEST_CASE("those who came first can be sent away, and their shares with them") {
  Line line(100);
  push(line, 1, 1'000'000);
  push(line, 2, 10);
  push(line, 1, 5);
  CHECK(line.oldest().client == 1);
  line.pop_oldest();
  CHECK(line.size() == 2);
  CHECK(serve(line, 15) == "12");
  CHECK(line.empty());
  push(line, 2, 10);
  push(line, 1, 10);
  CHECK(line.first().client == 2);
}

}  // namespace zerosuite::test::fair_line_test
