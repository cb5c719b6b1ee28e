#include <doctest/doctest.h>

#include <limits>

#include "support/golden.hpp"
#include "wire/event.hpp"

namespace zerosuite::wire::limits_test {

using test::from_hex;

const std::string kId = from_hex("aa6d6573736167655f6964 05");  // message_id: 5
const std::string kTo = from_hex("ab726573706f6e73655f746f 06");
const std::string kCall = from_hex("93 81") + kId + from_hex("a16d");  // its args follow

constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

std::string repeated(std::size_t count, std::string_view bytes) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += bytes;
  return all;
}

// `depth` arrays inside one another, the innermost empty.
std::string arrays(std::size_t depth) { return repeated(depth - 1, "\x91") + "\x90"; }
// The same of maps, and of arrays and maps by turns, around nil.
std::string maps(std::size_t depth) { return repeated(depth, "\x81\xa1k") + "\xc0"; }
std::string mixed(std::size_t depth) { return repeated(depth / 2, "\x91\x81\x01") + "\xc0"; }

Damage damage_of(const std::string& bytes, const Limits& limits) {
  Reader in(bytes);
  const std::string_view value = in.skip(limits);
  CHECK(value.size() == (in.damage() == Damage::kNone ? bytes.size() : 0));
  CHECK(in.position() == bytes.data() + value.size());
  return in.damage();
}

TEST_CASE("nesting is let in up to the limit and refused one past it") {
  for (const std::size_t limit : {std::size_t{2}, std::size_t{64}, std::size_t{100}, kMostNesting}) {
    CAPTURE(limit);
    const Limits limits{.max_nesting = limit};
    for (const auto& nested : {arrays, maps, mixed}) {
      CHECK(damage_of(nested(limit), limits) == Damage::kNone);
      CHECK(damage_of(nested(limit + 2), limits) == Damage::kTooDeep);
    }
    CHECK(damage_of(arrays(limit + 1), limits) == Damage::kTooDeep);
    CHECK(damage_of(maps(limit + 1), limits) == Damage::kTooDeep);
  }
}

TEST_CASE("values deep inside are refused at once, and no limit raises what can be followed") {
  for (const std::size_t depth : {std::size_t{1000}, std::size_t{100'000}}) {
    for (const std::size_t limit : {std::size_t{64}, kMostNesting, kUnlimited}) {
      CHECK(damage_of(arrays(depth), {.max_nesting = limit}) == Damage::kTooDeep);
      CHECK(damage_of(maps(depth), {.max_nesting = limit}) == Damage::kTooDeep);
    }
  }
  CHECK(damage_of(arrays(kMostNesting + 1), {.max_nesting = kUnlimited}) == Damage::kTooDeep);
}

TEST_CASE("a limit of no nesting lets plain values through") {
  CHECK(damage_of("\x05", {.max_nesting = 0}) == Damage::kNone);
  CHECK(damage_of("\x90", {.max_nesting = 0}) == Damage::kTooDeep);
}

TEST_CASE("what the deepest limit lets in can be read and written again") {
  const std::string deep = arrays(kMostNesting);
  Reader in(deep);
  Buffer out;
  Packer packer(out);
  pack_value(packer, read_value(in));
  CHECK(std::string(out.data(), out.size()) == deep);
}

TEST_CASE("args too deep are answerable") {
  const std::string whole = kCall + arrays(64);
  CHECK(decode(whole, Limits{}).fault == Fault::kNone);
  const std::string deep = kCall + arrays(65);
  const Event event = decode(deep, Limits{});
  CHECK(event.fault == Fault::kTooDeep);
  CHECK(event.name == "m");
  CHECK(event.answerable());
}

TEST_CASE("a header too deep or of too many values says so, and is answerable behind its id") {
  for (const std::string& key : {std::string("\xa1k"), arrays(65)}) {
    const std::string deep = from_hex("93 82") + kId + key + arrays(65) + from_hex("a16d 90");
    const Event event = decode(deep, Limits{});
    CHECK(event.fault == Fault::kTooDeep);
    CHECK(event.answerable());
  }
  const std::string many = from_hex("93 82") + kId + from_hex("a16b 93010203 a16d 90");
  const Event event = decode(many, {.max_elements = 3});
  CHECK(event.fault == Fault::kTooMany);
  CHECK(event.answerable());
  const std::string before = from_hex("93 82 a16b") + arrays(65) + kId + from_hex("a16d 90");
  CHECK_FALSE(decode(before, Limits{}).answerable());
}

TEST_CASE("values are counted, keys and containers too, up to the limit") {
  struct Row {
    std::string encoded;
    std::size_t values;
  };
  for (const Row& row : {Row{"05", 1},
                         {"90", 1},
                         {"9401020304", 5},
                         {"82a16101a16202", 5},
                         {"93 9101 9101 8101c0", 8},
                         {"dc0003 c2c2c2", 4}}) {
    CAPTURE(row.encoded);
    CHECK(damage_of(from_hex(row.encoded), {.max_elements = row.values}) == Damage::kNone);
    CHECK(damage_of(from_hex(row.encoded), {.max_elements = row.values - 1}) == Damage::kTooMany);
  }
}

TEST_CASE("args of too many values are answerable") {
  const std::string bytes = kCall + from_hex("93010203");
  CHECK(decode(bytes, {.max_elements = 4}).fault == Fault::kNone);
  const Event event = decode(bytes, {.max_elements = 3});
  CHECK(event.fault == Fault::kTooMany);
  CHECK(event.answerable());
}

TEST_CASE("a payload longer than the frame limit is refused, and answerable") {
  const std::string bytes = kCall + from_hex("93010203");
  CHECK(decode(bytes, {.max_frame_bytes = bytes.size()}).fault == Fault::kNone);
  const Event event = decode(bytes, {.max_frame_bytes = bytes.size() - 1});
  CHECK(event.fault == Fault::kTooLarge);
  CHECK(event.answerable());
  CHECK(event.args.empty());
}

TEST_CASE("a length that no bytes back is refused, whatever it says") {
  for (const std::string encoded : {"dd ffffffff 0102030405",
                                    "df ffffffff 0102030405",
                                    "dc ffff 0102",
                                    "de ffff 0102",
                                    "9f 0102",
                                    "8f 0102",
                                    "de 0002 010203",
                                    "db ffffffff 6162",
                                    "db 00000003 6162",
                                    "da ffff 6162",
                                    "d9 ff 6162",
                                    "bf 6162",
                                    "c6 ffffffff 6162",
                                    "c5 ffff 6162",
                                    "c4 ff 6162",
                                    "c9 ffffffff 05 6162",
                                    "c8 ffff 05 6162",
                                    "c7 ff 05 6162",
                                    "c7 00",
                                    "d8 05 6162",
                                    "d4 05",
                                    "91 dd ffffffff",
                                    "81 a16b db ffffffff",
                                    "92 92 01"}) {
    CAPTURE(encoded);
    const std::string value = from_hex(encoded);
    CHECK(damage_of(value, Limits{}) == Damage::kMalformed);

    const std::string call = kCall + value;
    const Event event = decode(call, Limits{});
    CHECK(event.fault == Fault::kDamagedArgs);
    CHECK(event.answerable());

    Reader in(value);
    CHECK_FALSE(in.str());
    CHECK_FALSE(in.bin());
    CHECK_FALSE(in.ext());
    CHECK(in.position() == value.data());
  }
}

TEST_CASE("a header that declares more pairs than it has is refused") {
  for (const std::string map : {"df ffffffff", "de ffff", "8f"}) {
    CAPTURE(map);
    const std::string bytes = from_hex("93" + map) + kId + kTo;
    const Event event = decode(bytes, Limits{});
    CHECK(event.fault == Fault::kNotMsgpack);
    CHECK_FALSE(event.answerable());
  }
}

}  // namespace zerosuite::wire::limits_test
