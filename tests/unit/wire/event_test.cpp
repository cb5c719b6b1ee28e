#include "wire/event.hpp"

#include <doctest/doctest.h>

#include <set>

#include "support/events.hpp"
#include "support/golden.hpp"

namespace zerosuite::wire::event_test {

using test::from_hex;
using test::to_hex;

const std::string kId = "aa6d6573736167655f6964 05 ";  // message_id: 5

TEST_CASE("an event is an array of three with a map in front") {
  for (const std::string hex : {"90", "91 80", "92 80 a16d", "94 81 aa6d6573736167655f6964 05 a16d 90 c0",
                                "95 80 80 80 80 80", "83 01 02 03 04 05 06", "05", "c0", "a3616263",
                                "93 c0 a16d 90", "93 90 a16d 90", "93 a0 a16d 90", "93 05 a16d 90"}) {
    CAPTURE(hex);
    const Event event = decode(from_hex(hex), Limits{});
    CHECK(event.fault == Fault::kNotAnEvent);
    CHECK_FALSE(event.answerable());
  }
  for (const std::string hex : {"", "c1", "93", "dc", "dc00", "dd000000", "93 81", "93 81 aa6d6573"})
    CHECK(decode(from_hex(hex), Limits{}).fault == Fault::kNotMsgpack);
}

TEST_CASE("a name that is not text is refused, and its sender can be told") {
  for (const std::string name : {"05", "c0", "9105", "80", "cb3ff0000000000000", "c1"}) {
    CAPTURE(name);
    const std::string bytes = from_hex("93 81" + kId + name + "90");
    const Event event = decode(bytes, Limits{});
    CHECK(event.fault == Fault::kBadName);
    CHECK(event.answerable());
  }
}

TEST_CASE("args may be any value, for STREAM sends them bare") {
  for (const std::string args :
       {"c0", "c2", "05", "cb3ff0000000000000", "a0", "c400", "90", "80", "d6ff00000000"}) {
    CAPTURE(args);
    const std::string bytes = from_hex("93 81" + kId + "a16d" + args);
    const Event event = decode(bytes, Limits{});
    CHECK(event.fault == Fault::kNone);
    CHECK(to_hex(event.args) == args);
  }
}

TEST_CASE("every fault has a text of its own") {
  std::set<std::string_view> texts;
  for (std::size_t fault = 0; fault < kFaults; ++fault) texts.insert(describe(static_cast<Fault>(fault)));
  CHECK(texts.size() == kFaults);
  CHECK(texts.count("") == 0);
}

TEST_CASE("an answer of Python 2.7, bytes where text is meant, becomes one that a client of today can read") {
  const auto bytes = [](std::string_view text) { return test::bin_id(text); };
  const std::string three("\x93", 1);
  const std::string args = three + bytes("ValueError") + bytes("\xff") + "\xc0";
  const std::string old = "\x93\x83" + bytes("message_id") + bytes("i") + bytes("trace") + bytes("t") +
                          bytes("response_to") + test::packed(std::string("abc")) + bytes("ERR") + args;
  const Event event = peek(old, {});
  REQUIRE(event.fault == Fault::kNone);
  CHECK(names_in_bytes(event));
  const std::string payload = test::text_of(modernized(old, event, bytes("abc")));
  const Event modern = decode(payload, {});
  REQUIRE(modern.fault == Fault::kNone);
  CHECK_FALSE(names_in_bytes(modern));
  CHECK(modern.response_to == bytes("abc"));
  CHECK(modern.id == bytes("i"));
  CHECK(modern.name == "ERR");
  CHECK(modern.args == three + test::packed(std::string("ValueError")) + bytes("\xff") + "\xc0");
  CHECK(modern.header == "\x83" + test::packed(std::string("message_id")) + bytes("i") +
                             test::packed(std::string("trace")) + bytes("t") +
                             test::packed(std::string("response_to")) + bytes("abc"));
}

TEST_CASE("of other events only the id is put right, and their args stay byte for byte") {
  const std::string args = test::list(Bytes{"b"});
  const std::string answer =
      test::encode({.response_to = test::packed(std::string("abc")), .name = "OK", .args = args});
  const Event event = peek(answer, {});
  CHECK_FALSE(names_in_bytes(event));
  CHECK(test::text_of(modernized(answer, event, test::bin_id("abc"))) ==
        test::encode({.response_to = test::bin_id("abc"), .name = "OK", .args = args}));
}

}  // namespace zerosuite::wire::event_test
