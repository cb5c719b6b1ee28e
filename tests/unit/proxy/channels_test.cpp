#include "proxy/channels.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "support/fakes.hpp"

namespace channels_test {

using namespace std::chrono_literals;
using namespace zerosuite;
using proxy::Channel;

namespace {

struct Keeper final : proxy::Timekeeper {
  void due(Channel& channel) override { on_due(channel); }
  std::function<void(Channel&)> on_due;
};

struct Table {
  static wire::Envelope envelope(std::initializer_list<std::string_view> frames) {
    wire::Envelope envelope;
    for (const std::string_view frame : frames) REQUIRE(envelope.push(frame));
    return envelope;
  }
  Channel& open(std::initializer_list<std::string_view> client, const std::string& id) {
    auto channel = std::make_unique<Channel>(timers, keeper);
    channel->client = envelope(client);
    channel->text = id + "add";
    channel->id_size = id.size();
    channel->hash = proxy::Channels::Name(channel->client, channel->id()).hash;
    proxy::Client* const known = channels.client(channel->client.outermost());
    return channels.open(std::move(channel), known);
  }
  Channel* find(std::initializer_list<std::string_view> client, const std::string& id) const {
    return channels.find({envelope(client), id});
  }

  net::Timers timers{test::kStart};
  Keeper keeper;
  proxy::Channels channels;
};

}  // namespace

TEST_CASE("an open channel is found by its client and its id, and by nothing else") {
  Table table;
  Channel& one = table.open({"alice"}, "1");
  Channel& two = table.open({"alice"}, "2");
  Channel& other = table.open({"bob"}, "1");
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
  Channel& alice = table.open({"gate", "alice"}, "1");
  Channel& bob = table.open({"gate", "bob"}, "1");
  Channel& gate = table.open({"gate"}, "1");
  CHECK(table.find({"gate", "alice"}, "1") == &alice);
  CHECK(table.find({"gate", "bob"}, "1") == &bob);
  CHECK(table.find({"gate"}, "1") == &gate);
  CHECK(table.channels.client("gate")->channels.size() == 3);
}

TEST_CASE("a connection is known while it has a call open") {
  Table table;
  CHECK(table.channels.client("alice") == nullptr);
  Channel& one = table.open({"alice"}, "1");
  Channel& two = table.open({"alice"}, "2");
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
  Channel& again = table.open({"alice"}, "1");
  CHECK(table.find({"alice"}, "1") == &again);
  CHECK(table.channels.any() == &again);
}

TEST_CASE("a channel may be closed inside its own timer") {
  Table table;
  Channel& first = table.open({"alice"}, "1");
  Channel& second = table.open({"alice"}, "2");
  table.keeper.on_due = [&](Channel& channel) { table.channels.close(channel); };
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
  table.channels.for_each([&](const Channel& channel) { ids += channel.id(); });
  CHECK(ids.size() == 3);
  for (const char id : {'1', '2', '3'}) CHECK(ids.find(id) != ids.npos);
}

}  // namespace channels_test
