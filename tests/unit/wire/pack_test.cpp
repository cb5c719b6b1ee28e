// From C++ types to bytes: what a stock Python peer would have sent, and refusals of what it could not read.
#include <doctest/doctest.h>

#include <array>
#include <limits>

#include "unit/wire/coding.hpp"

namespace zerosuite::wire::pack_test {

constexpr Integer kLowest = std::numeric_limits<std::int64_t>::min();
constexpr Integer kHighest = std::numeric_limits<std::uint64_t>::max();

template <class T>
std::string refusal(const T& value) {
  return mismatch_of([&value] { packed(value); });
}

std::string text_of(std::size_t size) { return std::string(size, 'x'); }
std::string hex_of(std::size_t size) {
  std::string hex;
  for (std::size_t i = 0; i < size; ++i) hex += "78";
  return hex;
}

TEST_CASE("integers take the shortest form, as in Python") {
  struct Row {
    Integer value;
    std::string hex;
  };
  for (const Row& row : {Row{0, "00"},
                         {127, "7f"},
                         {128, "cc80"},
                         {255, "ccff"},
                         {256, "cd0100"},
                         {65535, "cdffff"},
                         {65536, "ce00010000"},
                         {4294967295, "ceffffffff"},
                         {4294967296, "cf0000000100000000"},
                         {kHighest, "cfffffffffffffffff"},
                         {-1, "ff"},
                         {-32, "e0"},
                         {-33, "d0df"},
                         {-128, "d080"},
                         {-129, "d1ff7f"},
                         {-32768, "d18000"},
                         {-32769, "d2ffff7fff"},
                         {-2147483648LL, "d280000000"},
                         {-2147483649LL, "d3ffffffff7fffffff"},
                         {kLowest, "d38000000000000000"}}) {
    CAPTURE(row.hex);
    CHECK(packed(row.value) == row.hex);
    CHECK(packed(Value{row.value}) == row.hex);
    CHECK(unpacked<Integer>(row.hex) == row.value);
  }
  CHECK(packed(std::uint8_t{200}) == "ccc8");
  CHECK(packed(std::int16_t{-200}) == "d1ff38");
}

TEST_CASE("integers beyond 64 bits do not leave") {
  for (const Integer value : {kLowest - 1, kHighest + 1, kHighest * 1000}) {
    CHECK(refusal(value) == "Integer value out of range");
    CHECK(refusal(Value{List{{value}}}) == "Integer value out of range");
  }
}

TEST_CASE("floats are float64, nil is nil, bools are bools") {
  CHECK(packed(1.5) == "cb3ff8000000000000");
  CHECK(packed(1.5F) == "cb3ff8000000000000");
  CHECK(packed(3.0) == "cb4008000000000000");
  CHECK(packed(-0.0) == "cb8000000000000000");
  CHECK(packed(std::numeric_limits<double>::infinity()) == "cb7ff0000000000000");
  CHECK(packed(std::numeric_limits<double>::quiet_NaN()) == "cb7ff8000000000000");
  CHECK(packed(nullptr) == "c0");
  CHECK(packed(std::monostate()) == "c0");
  CHECK(packed(std::nullopt) == "c0");
  CHECK(packed(Value{}) == "c0");
  CHECK(packed(true) == "c3");
  CHECK(packed(Value{false}) == "c2");
}

TEST_CASE("text is str and bytes are bin, with the shortest length field") {
  CHECK(packed("abc") == "a3616263");
  CHECK(packed(std::string_view()) == "a0");
  CHECK(packed(std::string("é")) == "a2c3a9");
  CHECK(packed(text_of(31)) == "bf" + hex_of(31));
  CHECK(packed(text_of(32)) == "d920" + hex_of(32));
  CHECK(packed(text_of(255)) == "d9ff" + hex_of(255));
  CHECK(packed(text_of(256)) == "da0100" + hex_of(256));
  CHECK(packed(text_of(65536)) == "db00010000" + hex_of(65536));
  CHECK(packed(Bytes{}) == "c400");
  CHECK(packed(Bytes{text_of(3)}) == "c403" + hex_of(3));
  CHECK(packed(Bytes{text_of(256)}) == "c50100" + hex_of(256));
  CHECK(packed(Bytes{text_of(65536)}) == "c600010000" + hex_of(65536));
  CHECK(packed(Bytes{"\xff"}) == "c401ff");
}

TEST_CASE("text that is not UTF-8 does not leave, wherever it stands") {
  const std::string refused = "text is not valid UTF-8; send it as bytes";
  for (const std::string text :
       {"\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xff"}) {
    CAPTURE(test::to_hex(text));
    CHECK(refusal(text) == refused);
    CHECK(refusal(Value{text}) == refused);
    CHECK(refusal(std::vector<std::string>{"a", text}) == refused);
    CHECK(refusal(std::map<std::string, int>{{text, 1}}) == refused);
    CHECK(refusal(std::pair(1, std::optional(text))) == refused);
    CHECK(refusal(Value{Dict{{{text}, {}}}}) == refused);
  }
}

TEST_CASE("containers are packed with what is in them") {
  CHECK(packed(std::vector<int>{}) == "90");
  CHECK(packed(std::vector<int>{1, 2, 3}) == "93010203");
  CHECK(packed(std::vector<bool>{true, false}) == "92c3c2");
  CHECK(packed(std::vector<int>(16)) == "dc0010" + std::string(32, '0'));
  CHECK(packed(std::pair(5, "a")) == "9205a161");
  CHECK(packed(std::array{1, 2, 3}) == "93010203");
  CHECK(packed(std::tuple(1, std::tuple(2, 3))) ==
        "92019"
        "20203");
  CHECK(packed(std::tuple()) == "90");
  CHECK(packed(std::map<std::string, int>{{"b", 2}, {"a", 1}}) == "82a16101a16202");
  CHECK(packed(std::unordered_map<std::string, Bytes>{{"k", {"v"}}}) == "81a16bc40176");
  CHECK(packed(std::optional<int>()) == "c0");
  CHECK(packed(std::vector<std::optional<int>>{5, std::nullopt}) == "9205c0");
  CHECK(packed(std::map<std::string, std::vector<std::pair<int, double>>>{{"a", {{1, 1.5}}}}) ==
        "81a161919201cb3ff8000000000000");
  CHECK(packed(std::variant<Integer, double>(2.0)) == "cb4000000000000000");
}

TEST_CASE("an unordered map of many keys comes back whole") {
  std::unordered_map<std::string, std::int64_t> many;
  for (std::int64_t i = 0; i < 100; ++i) many[std::to_string(i)] = i;
  CHECK(unpacked<decltype(many)>(packed(many)) == many);
}

TEST_CASE("a dict keeps its order, and keys that are text or bytes") {
  const Value dict{Dict{{{std::string("b")}, {Integer{1}}}, {{Bytes{"a"}}, {List{{}, {true}}}}}};
  CHECK(packed(dict) == "82a16201c4016192c0c3");
  CHECK(unpacked<Value>(packed(dict)) == dict);
}

TEST_CASE("a dict with other keys does not leave, for stock Python would drop the whole event") {
  struct Row {
    Value key;
    std::string type;
  };
  for (const Row& row : {Row{{Integer{1}}, "int"},
                         {{}, "NoneType"},
                         {{true}, "bool"},
                         {{1.5}, "float"},
                         {{List{}}, "list"},
                         {{Dict{}}, "dict"},
                         {{Ext{}}, "ExtType"}}) {
    CHECK(refusal(Value{Dict{{row.key, {}}}}) == "dict keys must be str or bytes, not " + row.type);
    CHECK(refusal(Value{List{{Dict{{{std::string("a")}, {Dict{{row.key, {}}}}}}}}}) ==
          "dict keys must be str or bytes, not " + row.type);
  }
}

TEST_CASE("refusals say why: the kind, the range or the text") {
  const auto why = [](const Value& value) {
    try {
      packed(value);
    } catch (const Mismatch& mismatch) {
      return static_cast<int>(mismatch.why());
    }
    return -1;
  };
  CHECK(why({kHighest + 1}) == static_cast<int>(Mismatch::Why::kRange));
  CHECK(why({std::string("\xff")}) == static_cast<int>(Mismatch::Why::kText));
  CHECK(why({Dict{{{}, {}}}}) == static_cast<int>(Mismatch::Why::kKind));
}

}  // namespace zerosuite::wire::pack_test
