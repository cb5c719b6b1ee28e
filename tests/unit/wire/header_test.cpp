#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <limits>

#include "support/golden.hpp"
#include "wire/event.hpp"

namespace zerosuite::wire::header_test {

using test::from_hex;
using test::to_hex;

const std::string kId = "aa6d6573736167655f6964 c40101 ";      // message_id
const std::string kTo = "ab726573706f6e73655f746f a3616263 ";  // response_to: "abc"
const std::string kVersion3 = "a176 03 ";                      // v
const std::string kHeartbeat = "ac6865617274626561745f6d73 ";  // heartbeat_ms, without a value
const std::string kTimeout = "aa74696d656f75745f6d73 ";        // timeout_ms, without a value
const std::string kExtra = "a474657374 92 81 05 c0 d40100 ";   // test: [{5: nil}, an ext]
const std::string kTail = "a16d 90";                           // "m", []

// The event m() with these header pairs, in hexadecimal.
std::string payload(std::size_t pairs, const std::string& header) {
  return from_hex("93 de00" + to_hex(std::string(1, static_cast<char>(pairs))) + header + kTail);
}

std::string repeated(std::size_t count, const std::string& byte) {
  std::string hex;
  for (std::size_t i = 0; i < count; ++i) hex += byte;
  return hex;
}

TEST_CASE("whatever a peer takes for an id travels back as it came") {
  struct Row {
    std::string encoded, text;
  };
  const std::string hex32 = repeated(32, "61"), hex36 = repeated(36, "61"), hex255 = repeated(255, "61");
  for (const Row& row : {Row{"c420" + hex32, hex32},
                         {"d924" + hex36, hex36},
                         {"da0024" + hex36, hex36},
                         {"db00000024" + hex36, hex36},
                         {"c50020" + hex32, hex32},
                         {"c600000020" + hex32, hex32},
                         {"a3616263", "616263"},
                         {"c4ff" + hex255, hex255},
                         {"d9ff" + hex255, hex255},
                         {"c404ff00fe80", "ff00fe80"},
                         {"05", ""},
                         {"ff", ""},
                         {"00", ""},
                         {"ccff", ""},
                         {"cfffffffffffffffff", ""},
                         {"d38000000000000000", ""},
                         {"a0", ""},
                         {"c400", ""},
                         {"c2", ""},
                         {"c3", ""},
                         {"ca3f800000", ""},
                         {"cb3ff0000000000000", ""},
                         {"cb7ff8000000000000", ""},
                         {"d40100", ""},
                         {"c50100" + repeated(256, "61"), repeated(256, "61")},
                         {"da3000" + repeated(12288, "61"), repeated(12288, "61")}}) {
    CAPTURE(row.encoded);
    const std::string bytes = payload(1, "aa6d6573736167655f6964" + row.encoded);
    const Event event = decode(bytes, Limits{});
    CHECK(event.fault == Fault::kNone);
    CHECK(to_hex(event.id) == row.encoded);
    CHECK(to_hex(id_text(event.id)) == row.text);

    Buffer answer;
    begin_event(answer, {.id = event.id, .response_to = event.id, .name = kOk});
    answer.write("\x90", 1);
    const Event echoed = decode({answer.data(), answer.size()}, Limits{});
    CHECK(echoed.id == event.id);
    CHECK(echoed.response_to == event.id);
  }
}

TEST_CASE("nil, a list and a map are no ids, and there is nobody to answer") {
  for (const std::string encoded : {"c0", "90", "9105", "80", "81a16105"}) {
    CAPTURE(encoded);
    const std::string bytes = payload(2, "aa6d6573736167655f6964" + encoded + kVersion3);
    const Event event = decode(bytes, Limits{});
    CHECK(event.fault == Fault::kNoId);
    CHECK(event.id.empty());
    CHECK_FALSE(event.answerable());
  }
}

TEST_CASE("a header above its limit is refused, and its sender can be told") {
  const std::string bytes = payload(2, kId + "a1 70 da0400" + repeated(1024, "61"));
  const std::size_t size = decode(bytes, Limits{}).header.size();
  CHECK(decode(bytes, {.max_header_bytes = size}).fault == Fault::kNone);
  const Event event = decode(bytes, {.max_header_bytes = size - 1});
  CHECK(event.fault == Fault::kLongHeader);
  CHECK(event.answerable());
  CHECK(id_text(event.id) == "\1");
  const std::string nameless = payload(1, "a1 70 da0400" + repeated(1024, "61"));
  CHECK(decode(nameless, {.max_header_bytes = 100}).fault == Fault::kNoId);
}

TEST_CASE("the limit of an id's length is the configured one") {
  const std::string bytes = payload(1, "aa6d6573736167655f6964 a3616263");
  CHECK(decode(bytes, {.max_id_bytes = 3}).fault == Fault::kNone);
  CHECK(decode(bytes, {.max_id_bytes = 2}).fault == Fault::kNoId);
}

TEST_CASE("an event without an id is refused") {
  CHECK(decode(payload(0, ""), Limits{}).fault == Fault::kNoId);
  CHECK(decode(payload(2, kVersion3 + kTo), Limits{}).fault == Fault::kNoId);
}

TEST_CASE("header keys come in any order") {
  std::array<std::string, 5> pairs{kId, kTo, kVersion3, kTimeout + "2a ", kExtra};
  std::sort(pairs.begin(), pairs.end());
  std::size_t orders = 0;
  do {
    std::string header;
    for (const std::string& pair : pairs) header += pair;
    const std::string bytes = payload(pairs.size(), header);
    const Event event = decode(bytes, Limits{});
    CAPTURE(header);
    REQUIRE(event.fault == Fault::kNone);
    CHECK(id_text(event.id) == "\1");
    CHECK(id_text(event.response_to) == "abc");
    CHECK(event.version == 3);
    CHECK(event.timeout_ms == 42);
    ++orders;
  } while (std::next_permutation(pairs.begin(), pairs.end()));
  CHECK(orders == 120);
}

TEST_CASE("encodings longer than they need to be mean the same") {
  const std::string body = "c6 00000001 01";  // the id as bin32
  for (const std::string key : {"aa", "d90a", "da000a", "db0000000a", "c40a", "c5000a", "c60000000a"}) {
    for (const std::string outer : {"93", "dc0003", "dd00000003"}) {
      for (const std::string map : {"81", "de0001", "df00000001"}) {
        for (const std::string tail : {"a16d 90", "d9016d dc0000", "da00016d dd00000000", "c4016d 90"}) {
          const std::string hex = outer + map + key + "6d6573736167655f6964" + body + tail;
          CAPTURE(hex);
          const std::string bytes = from_hex(hex);
          const Event event = decode(bytes, Limits{});
          REQUIRE(event.fault == Fault::kNone);
          CHECK(id_text(event.id) == "\1");
          CHECK(event.name == "m");
        }
      }
    }
  }
}

TEST_CASE("unknown header keys of any type, with values of any type, are stepped over") {
  const std::array<const char*, 18> values{"c0",
                                           "c3",
                                           "05",
                                           "ff",
                                           "d3ffffffffffffffff",
                                           "ca3f800000",
                                           "cb3ff0000000000000",
                                           "a0",
                                           "a3616263",
                                           "d9026162",
                                           "c400",
                                           "c4026162",
                                           "90",
                                           "9301a16192c0c2",
                                           "80",
                                           "82a161010281a16202",
                                           "d6ff00000000",
                                           "c7030d010203"};
  for (const std::string key : values) {
    for (const std::string value : values) {
      CAPTURE(key);
      CAPTURE(value);
      const std::string bytes = payload(3, key + value + kId + key + value);
      const Event event = decode(bytes, Limits{});
      CHECK(event.fault == Fault::kNone);
      CHECK(event.id.size() == 3);
      CHECK(event.response_to.empty());
      CHECK(event.version == 1);
      CHECK_FALSE(event.timeout_ms);
    }
  }
}

TEST_CASE("the version is 1 unless it is a positive integer, be it as a float") {
  CHECK(decode(payload(1, kId), Limits{}).version == 1);
  for (const std::string odd :
       {"00", "ff", "d38000000000000000", "c0", "c3", "a133", "cbc008000000000000", "cb3fe0000000000000",
        "cb7ff0000000000000", "cb7ff8000000000000", "9103", "80"}) {
    CAPTURE(odd);
    const Event event = decode(payload(2, "a176" + odd + kId), Limits{});
    CHECK(event.fault == Fault::kNone);
    CHECK(event.version == 1);
  }
  CHECK(decode(payload(2, "a176 02" + kId), Limits{}).version == 2);
  CHECK(decode(payload(2, "a176 cb4008000000000000" + kId), Limits{}).version == 3);
  CHECK(decode(payload(2, "a176 ca40400000" + kId), Limits{}).version == 3);
  CHECK(decode(payload(2, "a176 cc02" + kId), Limits{}).version == 2);
  CHECK(decode(payload(2, "a176 d002" + kId), Limits{}).version == 2);
  CHECK(decode(payload(2, "a176 cfffffffffffffffff" + kId), Limits{}).version ==
        std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("a response_to of nil opens a channel, as none does") {
  const std::string bytes = payload(2, "ab726573706f6e73655f746f c0" + kId);
  const Event event = decode(bytes, Limits{});
  CHECK(event.fault == Fault::kNone);
  CHECK(event.response_to.empty());
  CHECK(event.answerable());
}

TEST_CASE("timeout_ms and heartbeat_ms are integers or floats, and anything else counts as none") {
  struct Row {
    std::string encoded;
    std::optional<std::int64_t> timeout_ms;
  };
  constexpr std::int64_t kLongest = std::int64_t{1} << 53;
  for (const Row& row : {Row{"00", 0},
                         {"cd1388", 5000},
                         {"ff", -1},
                         {"d1ec78", -5000},
                         {"cf0020000000000000", kLongest},
                         {"cf0020000000000001", {}},
                         {"cfffffffffffffffff", {}},
                         {"d3ffe0000000000000", -kLongest},
                         {"d38000000000000000", {}},
                         {"cb40b3880000000000", 5000},  // 5000.0
                         {"cb40b3888000000000", 5000},  // 5000.5
                         {"cbbfe0000000000000", 0},     // -0.5
                         {"ca459c4000", 5000},          // float32
                         {"cb4340000000000000", kLongest},
                         {"cb4340000000000001", {}},  // the next float
                         {"cb7fefffffffffffff", {}},  // 1.8e308
                         {"cb7ff0000000000000", {}},  // infinity
                         {"cbfff0000000000000", {}},
                         {"cb7ff8000000000000", {}},  // not a number
                         {"ca7fc00000", {}},
                         {"c0", {}},
                         {"c3", {}},
                         {"a435303030", {}},
                         {"9105", {}}}) {
    CAPTURE(row.encoded);
    const std::string bytes = payload(2, kId + kTimeout + row.encoded);
    const Event event = decode(bytes, Limits{});
    CHECK(event.fault == Fault::kNone);
    CHECK(event.timeout_ms == row.timeout_ms);
    CHECK_FALSE(event.heartbeat_ms);
    CHECK(decode(payload(2, kId + kHeartbeat + row.encoded), Limits{}).heartbeat_ms == row.timeout_ms);
  }
}

TEST_CASE("one header key's text is found among others, and only text") {
  const std::string traceparent = "ab7472616365706172656e74 ";
  const std::string key = "traceparent";
  const auto text_in = [&key](std::size_t pairs, const std::string& header) {
    const std::string bytes = payload(pairs, header);
    return std::string(header_text(decode(bytes, Limits{}).header, key));
  };
  CHECK(text_in(3, kId + kExtra + traceparent + "a3616263") == "abc");
  CHECK(text_in(3, traceparent + "a3616263" + kExtra + kId) == "abc");
  CHECK(text_in(3, "05 06" + kId + traceparent + "a3616263") == "abc");
  CHECK(text_in(2, kId + kExtra) == "");
  CHECK(text_in(2, kId + traceparent + "2a") == "");
  CHECK(text_in(2, kId + traceparent + "c0") == "");
  CHECK(header_text("", key) == "");
}

TEST_CASE("a header key is found behind values that only a raised limit let in") {
  const std::string deep = "a164" + repeated(100, "91") + "c0";
  const std::string bytes = payload(3, kId + deep + "a174 a3616263");
  const Event event = decode(bytes, {.max_nesting = 100});
  REQUIRE(event.fault == Fault::kNone);
  CHECK(header_text(event.header, "t") == "abc");
}

TEST_CASE("of a header that is kept only the trace stays, and of that only what W3C asks to carry") {
  const std::string parent = "ab7472616365706172656e74 a3616263";
  const std::string state = "aa 74726163657374617465 ";
  const auto kept = [](std::size_t pairs, const std::string& header) {
    const std::string bytes = payload(pairs, header);
    return trace_keys(decode(bytes, Limits{}).header);
  };
  CHECK(kept(3, kId + kVersion3 + kExtra).empty());
  const std::string both = kept(4, kId + kExtra + state + "a178" + parent);
  CHECK(header_text(both, "traceparent") == "abc");
  CHECK(header_text(both, "tracestate") == "x");
  CHECK(both.size() < 40);
  const std::string long_state = kept(3, kId + state + "da0201" + repeated(513, "61") + parent);
  CHECK(header_text(long_state, "traceparent") == "abc");
  CHECK(header_text(long_state, "tracestate").empty());
  CHECK(kept(2, kId + state + "05").empty());
}

TEST_CASE("context keys travel between the version and response_to, where Python puts them") {
  Context context;
  context.add("trace_id", "<ABC123>");
  context.add("hops", 2);
  CHECK(context.count() == 2);
  Buffer out;
  const std::string id = from_hex("c40101");
  begin_event(out, {.id = id, .response_to = id, .name = kOk, .context = &context});
  CHECK(to_hex({out.data(), out.size()}) ==
        to_hex(from_hex("93 85" + kId + kVersion3 + "a8 74726163655f6964 a8 3c4142433132333e a4 686f7073 02" +
                        "ab726573706f6e73655f746f c40101 a24f4b")));
  context.clear();
  CHECK(context.count() == 0);
  CHECK(context.encoded().empty());
}

}  // namespace zerosuite::wire::header_test
