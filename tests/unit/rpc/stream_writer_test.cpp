#include "rpc/server/stream_writer.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "support/stream_writer_rig.hpp"

namespace zerosuite::test::feed_test {

using namespace std::chrono_literals;
using Rig = test::StreamWriterRig;

const std::string kBroken = R"(ERR ["Broken", "no more", "Broken: no more
"])";

TEST_CASE("a writer says nothing until something is pushed, and then says it at once") {
  Rig rig;
  CHECK(rig.heard().empty());
  CHECK(rig.writer->wanted());
  CHECK(rig.writer->call().method == "watch");
  CHECK(rig.writer->push("a"));
  CHECK(rig.heard() == "STREAM \"a\"");
}

TEST_CASE("what is pushed without credit waits, in its order") {
  Rig rig;
  for (const std::string item : {"a", "b", "c", "d"}) CHECK(rig.writer->push(item));
  CHECK(rig.heard() == "STREAM \"a\"");
  rig.grant(2);
  CHECK(rig.heard() == "STREAM \"b\"; STREAM \"c\"");
  CHECK(rig.writer->push("e"));
  CHECK(rig.heard().empty());
  rig.grant(5);
  CHECK(rig.heard() == "STREAM \"d\"; STREAM \"e\"");
}

TEST_CASE("credit granted before there is anything to send is kept for it, and no more than that") {
  Rig rig;
  rig.grant(1);
  for (const std::string item : {"a", "b", "c"}) rig.writer->push(item);
  CHECK(rig.heard() == "STREAM \"a\"; STREAM \"b\"");
}

TEST_CASE("a writer ends behind its last item, for a credit") {
  Rig rig;
  rig.writer->push("a");
  rig.writer->push("b");
  rig.writer->end();
  CHECK_FALSE(rig.writer->wanted());
  CHECK_FALSE(rig.writer->push("c"));
  rig.grant(1);
  CHECK(rig.heard() == "STREAM \"a\"; STREAM \"b\"");
  CHECK(rig.open());
  rig.grant(1);
  CHECK(rig.heard() == "STREAM_DONE nil");
  CHECK_FALSE(rig.open());
}

TEST_CASE("a writer without an item is a lone end") {
  Rig rig;
  SUBCASE("that was asked for") {
    rig.writer->end();
    CHECK(rig.heard() == "STREAM_DONE nil");
  }
  SUBCASE("with an error") {
    rig.writer->fail({"Broken", "no more"});
    CHECK(rig.heard() == kBroken);
  }
  CHECK_FALSE(rig.open());
  CHECK(rig.lost == 0);
}

TEST_CASE("an error ends a writer behind its last item, for a credit") {
  Rig rig;
  rig.writer->push("a");
  rig.writer->push("b");
  rig.writer->fail({"Broken", "no more"});
  rig.grant(1);
  CHECK(rig.heard() == "STREAM \"a\"; STREAM \"b\"");
  rig.grant(1);
  CHECK(rig.heard() == kBroken);
  CHECK_FALSE(rig.open());
  CHECK(rig.lost == 0);
}

TEST_CASE("the first end of a writer counts") {
  Rig rig;
  rig.writer->push("a");
  rig.writer->end();
  rig.writer->fail({"Broken", "no more"});
  rig.grant(5);
  CHECK(rig.heard() == "STREAM \"a\"; STREAM_DONE nil");
}

TEST_CASE("a writer ends when its last copy goes, behind what waits") {
  Rig rig;
  std::optional copy = rig.writer;
  rig.writer.reset();
  CHECK(copy->push("a"));
  CHECK(copy->push("b"));
  copy.reset();
  CHECK(rig.open());
  rig.grant(2);
  CHECK(rig.heard() == "STREAM \"a\"; STREAM \"b\"; STREAM_DONE nil");
  CHECK_FALSE(rig.open());
  CHECK(rig.lost == 0);
}

TEST_CASE("a writer whose queue is full drops the item, and takes more when there is room") {
  Rig rig;
  CHECK(rig.writer->push("first"));
  for (std::size_t i = 0; i < rpc::kFeedCapacity; ++i) CHECK(rig.writer->push("waits"));
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

TEST_CASE("items may be pushed, and the writer ended, inside the method") {
  ServerRig rig;
  rig.server.method("greet", {"n"}, "", [](rpc::StreamWriter<int> writer, int n) {
    for (int i = 0; i < n; ++i) CHECK(writer.push(i));
    writer.end();
  });
  const Channel channel = rig.call("greet", 2);
  CHECK(rig.heard(channel) == "STREAM 0");
  rig.tell(channel, "_zpc_more", 5);
  CHECK(rig.heard(channel) == "STREAM 1; STREAM_DONE nil");
  CHECK(rig.heard(rig.call("greet", 0)) == "STREAM_DONE nil");
}

TEST_CASE("a method that throws after taking its writer ends it with the error behind its items") {
  ServerRig rig;
  std::optional<rpc::StreamWriter<int>> kept;
  rig.server.method("raise", {"n"}, "", [&](const rpc::StreamWriter<int>& writer, int n) {
    kept = writer;
    for (int i = 0; i < n; ++i) writer.push(i);
    throw core::Failure("Broken", "no more");
  });
  CHECK(rig.heard(rig.call("raise", 0)) == kBroken);
  const Channel channel = rig.call("raise", 1);
  rig.tell(channel, "_zpc_more", 1);
  CHECK(rig.heard(channel) == "STREAM 0; " + kBroken);
  CHECK_FALSE(kept->wanted());
  CHECK_FALSE(kept->push(1));
}

TEST_CASE("heartbeats go on while a writer is silent, and a beating client stays") {
  Rig rig;
  rig.writer->push("a");
  rig.heard();
  for (int i = 0; i < 20; ++i) {
    rig.pass(5s);
    CHECK(rig.heard().starts_with("_zpc_hb [0]"));
    rig.tell(rig.channel, "_zpc_hb", 0);
  }
  rig.heard();
  rig.grant(1);
  rig.writer->push("b");
  CHECK(rig.heard() == "STREAM \"b\"");
}

TEST_CASE("a writer waits while its client does not read, and goes on after it") {
  Rig rig;
  rig.grant(10);
  rig.sink.delivery = rpc::Delivery::kHeld;
  rig.writer->push("a");
  rig.writer->push("b");
  rig.grant(1);
  CHECK(rig.heard() == "STREAM \"a\"");
  rig.sink.delivery = rpc::Delivery::kSent;
  rig.pass(20ms);
  CHECK(rig.heard() == "STREAM \"b\"");
  rig.writer->push("c");
  CHECK(rig.heard() == "STREAM \"c\"");
}

}  // namespace zerosuite::test::feed_test
