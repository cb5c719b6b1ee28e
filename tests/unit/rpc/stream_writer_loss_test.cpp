// How feeds lose their clients, and how their owners learn of it.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>

#include "rpc/server/stream_writer.hpp"
#include "support/stream_writer_rig.hpp"

namespace zerosuite::test::feed_loss_test {

using namespace std::chrono_literals;
using Rig = test::StreamWriterRig;

TEST_CASE("an item that cannot be sent ends the feed with an ERR in its place, and tells its owner") {
  Rig rig;
  rig.writer->push("a");
  rig.grant(5);
  CHECK_FALSE(rig.writer->push("\xff"));
  CHECK(rig.heard().starts_with("STREAM \"a\"; ERR [\"ValueError\""));
  CHECK(rig.lost == 0);  // not inside the push
  rig.turn();
  CHECK(rig.lost == 1);
  CHECK(rig.server.stats().lost == 0);
  CHECK_FALSE(rig.writer->wanted());
  CHECK_FALSE(rig.writer->push("b"));
  CHECK(rig.heard().empty());
}

TEST_CASE("the owner is told once when nobody listens any more, and what it pushes goes nowhere") {
  Rig rig;
  rig.writer->push("a");
  SUBCASE("by silence") { rig.pass(16s); }
  SUBCASE("by cancelling") { rig.tell(rig.channel, "_zpx_cancel", 0); }
  SUBCASE("by the server's abort") { rig.server.abort(); }
  CHECK(rig.lost == 1);
  CHECK_FALSE(rig.writer->wanted());
  rig.heard();
  CHECK_FALSE(rig.writer->push("b"));
  rig.writer->end();
  CHECK(rig.heard().empty());
  bool told = false;
  rig.writer->on_lost([&] { told = true; });
  CHECK(told);
  CHECK(rig.lost == 1);
}

TEST_CASE("an owner that has ended its feed is told of no loss") {
  Rig rig;
  rig.writer->push("a");
  SUBCASE("with an end") { rig.writer->end(); }
  SUBCASE("with an error") { rig.writer->fail({"Broken", "no more"}); }
  rig.writer->on_lost([&rig] { ++rig.lost; });
  rig.tell(rig.channel, "_zpx_cancel", 0);
  CHECK_FALSE(rig.open());
  CHECK(rig.lost == 0);
}

TEST_CASE("of a push that finds its client gone the owner hears after it, and may let go of the feed then") {
  Rig rig;
  bool lost = false;
  rig.writer->on_lost([&] {
    rig.writer.reset();
    lost = true;
  });
  rig.sink.delivery = rpc::Delivery::kGone;
  CHECK_FALSE(rig.writer->push("a"));
  CHECK_FALSE(lost);
  rig.turn();
  CHECK(lost);
  CHECK_FALSE(rig.open());
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

TEST_CASE("an open feed keeps the server from being idle until its owner ends it") {
  Rig rig;
  bool idle = false;
  rig.server.drain([&] { idle = true; });
  CHECK_FALSE(idle);
  CHECK(rig.writer->push("a"));
  rig.grant(1);
  rig.writer->end();
  CHECK(idle);
  CHECK(rig.heard() == "STREAM \"a\"; STREAM_DONE nil");
}

}  // namespace zerosuite::test::feed_loss_test
