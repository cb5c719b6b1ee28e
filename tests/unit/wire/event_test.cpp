#include "wire/event.hpp"

#include <doctest/doctest.h>

#include <set>

#include "support/bytes.hpp"

namespace zerosuite::wire::event_test {
namespace {

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

}  // namespace
}  // namespace zerosuite::wire::event_test
