#include "proxy/route_table.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "support/fakes.hpp"

namespace zerosuite::test::channels_test {

using namespace std::chrono_literals;
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

  net::Timers timers{test::kStart};
  Keeper keeper;
  proxy::RouteTable channels;
};

TEST_CASE("an open channel is found by its client and its id, and by nothing else") {
  Table table;
  Route& one = table.open({"alice"}, "1");
  Route& two = table.open({"alice"}, "2");
  Route& other = table.open({"bob"}, "1");
  CHECK(table.find({"alice"}, "1") == &one);
  CHECK(table.find({"alice"}, "2") == &two);
  CHECK(table.find({"bob"}, "1") == &other);
  CHECK(table.find({"bob"}, "2") == nullptr);
  CHECK(table.find({"carol"}, "1") == nullptr);
  CHECK(table.channels.size() == 3);
  CHECK(one.id() == "1");
  CHECK(one.name() == "add");
}

TEST_CASE("clients behind one gate are told apart by their whole envelopes") {
  Table table;
  Route& alice = table.open({"gate", "alice"}, "1");
  Route& bob = table.open({"gate", "bob"}, "1");
  Route& gate = table.open({"gate"}, "1");
  CHECK(table.find({"gate", "alice"}, "1") == &alice);
  CHECK(table.find({"gate", "bob"}, "1") == &bob);
  CHECK(table.find({"gate"}, "1") == &gate);
  CHECK(table.channels.client("gate")->channels.size() == 3);
}

TEST_CASE("a connection is known while it has a call open") {
  Table table;
  CHECK(table.channels.client("alice") == nullptr);
  Route& one = table.open({"alice"}, "1");
  Route& two = table.open({"alice"}, "2");
  table.open({"bob"}, "1");
  REQUIRE(table.channels.client("alice") != nullptr);
  CHECK(table.channels.client("alice")->channels.size() == 2);
  CHECK(one.connection == two.connection);
  table.channels.close(one);
  CHECK(table.channels.client("alice")->channels.first() == &two);
  table.channels.close(two);
  CHECK(table.channels.client("alice") == nullptr);
  CHECK(table.channels.client("bob") != nullptr);
}

TEST_CASE("a channel that was closed is not found, and its name may be used again") {
  Table table;
  table.channels.close(table.open({"alice"}, "1"));
  CHECK(table.find({"alice"}, "1") == nullptr);
  CHECK(table.channels.size() == 0);
  CHECK(table.channels.any() == nullptr);
  Route& again = table.open({"alice"}, "1");
  CHECK(table.find({"alice"}, "1") == &again);
  CHECK(table.channels.any() == &again);
}

TEST_CASE("a channel may be closed inside its own timer") {
  Table table;
  Route& first = table.open({"alice"}, "1");
  Route& second = table.open({"alice"}, "2");
  table.keeper.on_due = [&](Route& route) { table.channels.close(route); };
  first.timer.after(1ms);
  second.timer.after(1ms);
  test::pass(table.timers, 20ms);
  CHECK(table.channels.size() == 0);
  CHECK(table.channels.client("alice") == nullptr);
  CHECK_FALSE(table.timers.next());
}

TEST_CASE("every open channel is shown once") {
  Table table;
  for (const std::string id : {"1", "2", "3"}) table.open({"alice"}, id);
  std::string ids;
  table.channels.for_each([&](const Route& route) { ids += route.id(); });
  CHECK(ids.size() == 3);
  for (const char id : {'1', '2', '3'}) CHECK(ids.find(id) != ids.npos);
}

}  // namespace zerosuite::test::channels_test
