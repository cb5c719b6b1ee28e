#include "proxy/route_table.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "support/fakes.hpp"

namespace zerosuite::test::channels_test {

using proxy::Route;

struct Keeper final : proxy::RouteTimers {
  void due(Route& route) override { on_due(route); }
  std::function<void(Route&)> on_due;
};

struct Table {
  static wire::Envelope envelope(std::initializer_list<std::string_view> frames) {
    wire::Envelope envelope;
    for (const std::string_view frame : frames) REQUIRE(envelope.push(frame));
    return envelope;
  }
  Route& open(std::initializer_list<std::string_view> client, const std::string& id) {
    auto route = std::make_unique<Route>(timers, keeper);
    route->client = envelope(client);
    route->text = id + "add";
    route->id_size = id.size();
    route->hash = proxy::RouteTable::Name(route->client, route->id()).hash;
    proxy::Client* const known = channels.client(route->client.outermost());
    return channels.open(std::move(route), known);
  }
  Route* find(std::initializer_list<std::string_view> client, const std::string& id) const {
    return channels.find({envelope(client), id});
  }

  net::Timers timers{kStart};
  Keeper keeper;
  proxy::RouteTable channels;
};

TEST_CASE_FIXTURE(Table, "an open channel is found by its client and its id, and by nothing else") {
  Route& one = open({"alice"}, "1");
  Route& two = open({"alice"}, "2");
  Route& other = open({"bob"}, "1");
  CHECK(find({"alice"}, "1") == &one);
  CHECK(find({"alice"}, "2") == &two);
  CHECK(find({"bob"}, "1") == &other);
  CHECK(find({"bob"}, "2") == nullptr);
  CHECK(find({"carol"}, "1") == nullptr);
  CHECK(channels.size() == 3);
  CHECK(one.id() == "1");
  CHECK(one.name() == "add");
}

TEST_CASE_FIXTURE(Table, "clients behind one gate are told apart by their whole envelopes") {
  Route& alice = open({"gate", "alice"}, "1");
  Route& bob = open({"gate", "bob"}, "1");
  Route& gate = open({"gate"}, "1");
  CHECK(find({"gate", "alice"}, "1") == &alice);
  CHECK(find({"gate", "bob"}, "1") == &bob);
  CHECK(find({"gate"}, "1") == &gate);
  CHECK(channels.client("gate")->channels.size() == 3);
}

TEST_CASE_FIXTURE(Table, "a connection is known while it has a call open") {
  CHECK(channels.client("alice") == nullptr);
  Route& one = open({"alice"}, "1");
  Route& two = open({"alice"}, "2");
  open({"bob"}, "1");
  REQUIRE(channels.client("alice") != nullptr);
  CHECK(channels.client("alice")->channels.size() == 2);
  CHECK(one.connection == two.connection);
  channels.close(one);
  CHECK(channels.client("alice")->channels.first() == &two);
  channels.close(two);
  CHECK(channels.client("alice") == nullptr);
  CHECK(channels.client("bob") != nullptr);
}

TEST_CASE_FIXTURE(Table, "a channel that was closed is not found, and its name may be used again") {
  channels.close(open({"alice"}, "1"));
  CHECK(find({"alice"}, "1") == nullptr);
  CHECK(channels.size() == 0);
  CHECK(channels.any() == nullptr);
  Route& again = open({"alice"}, "1");
  CHECK(find({"alice"}, "1") == &again);
  CHECK(channels.any() == &again);
}

TEST_CASE_FIXTURE(Table, "a channel may be closed inside its own timer") {
  Route& first = open({"alice"}, "1");
  Route& second = open({"alice"}, "2");
  keeper.on_due = [&](Route& route) { channels.close(route); };
  first.timer.after(1ms);
  second.timer.after(1ms);
  test::pass(timers, 20ms);
  CHECK(channels.size() == 0);
  CHECK(channels.client("alice") == nullptr);
  CHECK_FALSE(timers.next());
}

TEST_CASE_FIXTURE(Table, "every open channel is shown once") {
  for (const std::string id : {"1", "2", "3"}) open({"alice"}, id);
  std::string ids;
  channels.for_each([&](const Route& route) { ids += route.id(); });
  CHECK(ids.size() == 3);
  for (const char id : {'1', '2', '3'}) CHECK(ids.find(id) != ids.npos);
}

}  // namespace zerosuite::test::channels_test
