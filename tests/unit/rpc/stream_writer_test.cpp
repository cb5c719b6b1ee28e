#include "rpc/server/stream_writer.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>

#include "support/server_rig.hpp"

namespace zerosuite::test::feed_test {

using Rig = StreamWriterRig;

const std::string kBroken = R"(ERR ["Broken", "no more", "Broken: no more
"])";

TEST_CASE_FIXTURE(Rig, "a writer says nothing until something is pushed, and then says it at once") {
  CHECK(heard().empty());
  CHECK(writer->wanted());
  CHECK(writer->call().method == "watch");
  CHECK(writer->push("a"));
  CHECK(heard() == "STREAM \"a\"");
}

TEST_CASE_FIXTURE(Rig, "what is pushed without credit waits, in its order") {
  for (const std::string item : {"a", "b", "c", "d"}) CHECK(writer->push(item));
  CHECK(heard() == "STREAM \"a\"");
  grant(2);
  CHECK(heard() == "STREAM \"b\"; STREAM \"c\"");
  CHECK(writer->push("e"));
  CHECK(heard().empty());
  grant(5);
  CHECK(heard() == "STREAM \"d\"; STREAM \"e\"");
}

TEST_CASE_FIXTURE(Rig,
                  "credit granted before there is anything to send is kept for it, and no more than that") {
  grant(1);
  for (const std::string item : {"a", "b", "c"}) writer->push(item);
  CHECK(heard() == "STREAM \"a\"; STREAM \"b\"");
}

TEST_CASE_FIXTURE(Rig, "a writer ends behind its last item, for a credit") {
  writer->push("a");
  writer->push("b");
  writer->end();
  CHECK_FALSE(writer->wanted());
  CHECK_FALSE(writer->push("c"));
  grant(1);
  CHECK(heard() == "STREAM \"a\"; STREAM \"b\"");
  CHECK(open());
  grant(1);
  CHECK(heard() == "STREAM_DONE nil");
  CHECK_FALSE(open());
}

TEST_CASE_FIXTURE(Rig, "a writer without an item is a lone end") {
  SUBCASE("that was asked for") {
    writer->end();
    CHECK(heard() == "STREAM_DONE nil");
  }
  SUBCASE("with an error") {
    writer->fail({"Broken", "no more"});
    CHECK(heard() == kBroken);
  }
  CHECK_FALSE(open());
  CHECK(lost == 0);
}

TEST_CASE_FIXTURE(Rig, "an error ends a writer behind its last item, for a credit") {
  writer->push("a");
  writer->push("b");
  writer->fail({"Broken", "no more"});
  grant(1);
  CHECK(heard() == "STREAM \"a\"; STREAM \"b\"");
  grant(1);
  CHECK(heard() == kBroken);
  CHECK_FALSE(open());
  CHECK(lost == 0);
}

TEST_CASE_FIXTURE(Rig, "the first end of a writer counts") {
  writer->push("a");
  writer->end();
  writer->fail({"Broken", "no more"});
  grant(5);
  CHECK(heard() == "STREAM \"a\"; STREAM_DONE nil");
}

TEST_CASE_FIXTURE(Rig, "a writer ends when its last copy goes, behind what waits") {
  std::optional copy = writer;
  writer.reset();
  CHECK(copy->push("a"));
  CHECK(copy->push("b"));
  copy.reset();
  CHECK(open());
  grant(2);
  CHECK(heard() == "STREAM \"a\"; STREAM \"b\"; STREAM_DONE nil");
  CHECK_FALSE(open());
  CHECK(lost == 0);
}

TEST_CASE("a writer whose queue is full drops the item, and takes more when there is room") {
  Rig rig;
  CHECK(rig.writer->push("first"));
  for (std::size_t i = 0; i < rpc::ChannelOptions().max_pending_items; ++i) CHECK(rig.writer->push("waits"));
  CHECK_FALSE(rig.writer->push("dropped"));
  CHECK(rig.writer->wanted());
  CHECK(rig.items(rig.channel) == 1);
  rig.grant(1);
  CHECK(rig.writer->push("overflow"));
  CHECK_FALSE(rig.writer->push("dropped"));
  rig.heard();
  rig.grant(2000);
  rig.pass(1s);
  const std::string heard = rig.heard();
  CHECK(heard.ends_with("STREAM \"waits\"; STREAM \"overflow\""));
  CHECK(heard.find("dropped") == heard.npos);
  CHECK(rig.lost == 0);
}

TEST_CASE("how many items may wait is an option of the server") {
  ServerRig rig({.name = "math", .limits = {}, .channel = {.max_pending_items = 2}});
  rig.server.method("watch", "", [](const rpc::StreamWriter<int>& writer) {
    for (int i = 0; i < 4; ++i) CHECK(writer.push(i) == (i < 3));  // the first needs no credit
  });
  rig.send({.name = "watch"});
}

TEST_CASE_FIXTURE(ServerRig, "items may be pushed, and the writer ended, inside the method") {
  server.method("greet", {"n"}, "", [](rpc::StreamWriter<int> writer, int n) {
    for (int i = 0; i < n; ++i) CHECK(writer.push(i));
    writer.end();
  });
  const Channel channel = call("greet", 2);
  CHECK(heard(channel) == "STREAM 0");
  tell(channel, "_zpc_more", 5);
  CHECK(heard(channel) == "STREAM 1; STREAM_DONE nil");
  CHECK(heard(call("greet", 0)) == "STREAM_DONE nil");
}

TEST_CASE_FIXTURE(ServerRig,
                  "a method that throws after taking its writer ends it with the error behind its items") {
  std::optional<rpc::StreamWriter<int>> kept;
  server.method("raise", {"n"}, "", [&](const rpc::StreamWriter<int>& writer, int n) {
    kept = writer;
    for (int i = 0; i < n; ++i) writer.push(i);
    throw core::Failure("Broken", "no more");
  });
  CHECK(heard(call("raise", 0)) == kBroken);
  const Channel channel = call("raise", 1);
  tell(channel, "_zpc_more", 1);
  CHECK(heard(channel) == "STREAM 0; " + kBroken);
  CHECK_FALSE(kept->wanted());
  CHECK_FALSE(kept->push(1));
}

TEST_CASE_FIXTURE(Rig, "heartbeats go on while a writer is silent, and a beating client stays") {
  writer->push("a");
  heard();
  for (int i = 0; i < 20; ++i) {
    pass(5s);
    CHECK(heard().starts_with("_zpc_hb [0]"));
    tell(channel, "_zpc_hb", 0);
  }
  heard();
  grant(1);
  writer->push("b");
  CHECK(heard() == "STREAM \"b\"");
}

TEST_CASE_FIXTURE(Rig, "a writer waits while its client does not read, and goes on after it") {
  grant(10);
  sink.delivery = rpc::Delivery::kHeld;
  writer->push("a");
  writer->push("b");
  grant(1);
  CHECK(heard() == "STREAM \"a\"");
  sink.delivery = rpc::Delivery::kSent;
  pass(20ms);
  CHECK(heard() == "STREAM \"b\"");
  writer->push("c");
  CHECK(heard() == "STREAM \"c\"");
}

// How feeds lose their clients, and how their owners learn of it.

TEST_CASE_FIXTURE(Rig,
                  "an item that cannot be sent ends the feed with an ERR in its place, and tells its owner") {
  writer->push("a");
  grant(5);
  CHECK_FALSE(writer->push("\xff"));
  CHECK(heard().starts_with("STREAM \"a\"; ERR [\"ValueError\""));
  CHECK(lost == 0);  // not inside the push
  turn();
  CHECK(lost == 1);
  CHECK(server.stats().lost == 0);
  CHECK_FALSE(writer->wanted());
  CHECK_FALSE(writer->push("b"));
  CHECK(heard().empty());
}

TEST_CASE_FIXTURE(Rig,
                  "the owner is told once when nobody listens any more, and what it pushes goes nowhere") {
  writer->push("a");
  SUBCASE("by silence") { pass(16s); }
  SUBCASE("by cancelling") { tell(channel, "_zpx_cancel", 0); }
  SUBCASE("by the server's abort") { server.abort(); }
  CHECK(lost == 1);
  CHECK_FALSE(writer->wanted());
  heard();
  CHECK_FALSE(writer->push("b"));
  writer->end();
  CHECK(heard().empty());
  bool told = false;
  writer->on_lost([&] { told = true; });
  CHECK(told);
  CHECK(lost == 1);
}

TEST_CASE_FIXTURE(Rig, "an owner that has ended its feed is told of no loss") {
  writer->push("a");
  SUBCASE("with an end") { writer->end(); }
  SUBCASE("with an error") { writer->fail({"Broken", "no more"}); }
  writer->on_lost([this] { ++lost; });
  tell(channel, "_zpx_cancel", 0);
  CHECK_FALSE(open());
  CHECK(lost == 0);
}

TEST_CASE_FIXTURE(
    Rig, "of a push that finds its client gone the owner hears after it, and may let go of the feed then") {
  bool told = false;
  writer->on_lost([&] {
    writer.reset();
    told = true;
  });
  sink.delivery = rpc::Delivery::kGone;
  CHECK_FALSE(writer->push("a"));
  CHECK_FALSE(told);
  turn();
  CHECK(told);
  CHECK_FALSE(open());
}

TEST_CASE("a feed that is kept by its own on_lost is let go of with its client") {
  Rig rig;
  const auto token = std::make_shared<int>(1);
  rig.writer->on_lost([writer = *rig.writer, token] {});
  rig.writer.reset();
  CHECK(rig.open());
  SUBCASE("lost") { rig.pass(16s); }
  SUBCASE("cancelled") { rig.tell(rig.channel, "_zpx_cancel", 0); }
  CHECK_FALSE(rig.open());
  CHECK(token.use_count() == 1);
}

TEST_CASE("a feed that is kept by its own on_lost is let go of at its end") {
  Rig rig;
  const auto token = std::make_shared<int>(1);
  rig.writer->on_lost([writer = *rig.writer, token] {});
  rig.writer->end();
  CHECK(token.use_count() == 1);
}

TEST_CASE("a feed may outlive its server, and the server's end tells its owner") {
  std::optional<Rig> rig(std::in_place);
  const rpc::StreamWriter<std::string> writer = *rig->writer;
  int lost = 0;
  writer.on_lost([&] { ++lost; });
  writer.push("a");
  rig.reset();
  CHECK(lost == 1);
  CHECK_FALSE(writer.wanted());
  CHECK_FALSE(writer.push("b"));
  writer.end();
}

TEST_CASE("the deadline of a feed's call is for its first item") {
  Rig rig(1000);
  SUBCASE("without one, the call ends at it") {
    rig.pass(1s);
    CHECK(rig.heard().starts_with("ERR [\"DeadlineExceeded\""));
    CHECK(rig.lost == 1);
  }
  SUBCASE("after one, it means nothing") {
    rig.writer->push("a");
    rig.pass(2s);
    CHECK(rig.heard() == "STREAM \"a\"");
    CHECK(rig.lost == 0);
  }
}

TEST_CASE_FIXTURE(Rig, "an open feed keeps the server from being idle until its owner ends it") {
  bool idle = false;
  server.drain([&] { idle = true; });
  CHECK_FALSE(idle);
  CHECK(writer->push("a"));
  grant(1);
  writer->end();
  CHECK(idle);
  CHECK(heard() == "STREAM \"a\"; STREAM_DONE nil");
}

}  // namespace zerosuite::test::feed_test
