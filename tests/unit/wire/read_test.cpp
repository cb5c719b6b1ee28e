// From bytes to C++ types: every row of the protocol's table of types, as stock peers send it.
#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "unit/wire/coding.hpp"

namespace zerosuite::wire::read_test {

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::uint64_t kHighest = std::numeric_limits<std::uint64_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
std::string refusal(std::string_view hex) {
  return mismatch_of([hex] { unpacked<T>(hex); });
}

TEST_CASE("integers are read in each of their encodings") {
  struct Row {
    std::string hex;
    Integer value;
  };
  for (const Row& row : {Row{"00", 0},
                         {"7f", 127},
                         {"e0", -32},
                         {"ff", -1},
                         {"cc05", 5},
                         {"ccff", 255},
                         {"cd0005", 5},
                         {"cdffff", 65535},
                         {"ce00000005", 5},
                         {"ce7fffffff", 2147483647},  // the largest that Node sends as an integer
                         {"ceffffffff", 4294967295},
                         {"cf0000000000000005", 5},
                         {"cf8000000000000000", -Integer{kLowest}},
                         {"cfffffffffffffffff", kHighest},
                         {"d0df", -33},
                         {"d080", -128},
                         {"d07f", 127},
                         {"d1ffff", -1},
                         {"d18000", -32768},
                         {"d2ffffffff", -1},
                         {"d280000000", -2147483648LL},
                         {"d3ffffffffffffffff", -1},
                         {"d38000000000000000", kLowest},
                         {"d37fffffffffffffff", -(Integer{kLowest} + 1)}}) {
    CAPTURE(row.hex);
    CHECK(unpacked<Integer>(row.hex) == row.value);
    const Value any = unpacked<Value>(row.hex);
    REQUIRE(any.as<Integer>());
    CHECK(*any.as<Integer>() == row.value);
  }
}

TEST_CASE("an integral float is an integer where one is meant, up to the very bounds of 64 bits") {
  CHECK(unpacked<std::int64_t>("cb41e65a0bc0000000") == 3'000'000'000);  // as Node sends it
  CHECK(unpacked<std::int64_t>("cb41e0000000000000") == 2'147'483'648);
  CHECK(unpacked<int>("ca40a00000") == 5);  // float32
  CHECK(unpacked<Integer>("cbc3e0000000000000") == kLowest);
  CHECK(unpacked<Integer>("cb43efffffffffffff") == kHighest - 2047);  // the last float below 2^64
  CHECK(unpacked<int>("cb8000000000000000") == 0);                    // -0.0
}

TEST_CASE("a float that is no integer of 64 bits is none") {
  for (const std::string hex :
       {"cb43f0000000000000", "cbc3e0000000000001", "cb3fe0000000000000", "cb7ff0000000000000",
        "cbfff0000000000000", "cb7ff8000000000000", "cb0000000000000001", "ca7fc00000"}) {
    CAPTURE(hex);
    CHECK(refusal<Integer>(hex) == "must be int, not float");
  }
}

TEST_CASE("a bool is an integer, as in Python, but an integer is no bool") {
  CHECK(unpacked<int>("c3") == 1);
  CHECK(unpacked<Integer>("c2") == 0);
  CHECK(unpacked<double>("c3") == 1.0);
  CHECK(unpacked<bool>("c3"));
  CHECK_FALSE(unpacked<bool>("c2"));
  CHECK(refusal<bool>("01") == "must be bool, not int");
}

TEST_CASE("an integer beyond the method's type is refused with its bounds") {
  CHECK(unpacked<std::uint8_t>("ccff") == 255);
  CHECK(refusal<std::uint8_t>("cd0100") == "must be from 0 to 255, not 256");
  CHECK(refusal<std::int8_t>("d17fff") == "must be from -128 to 127, not 32767");
  CHECK(refusal<std::uint64_t>("ff") == "must be from 0 to 18446744073709551615, not -1");
  CHECK(refusal<std::int64_t>("cf8000000000000000") ==
        "must be from -9223372036854775808 to 9223372036854775807, not 9223372036854775808");
  CHECK(refusal<std::int64_t>("cb43e0000000000000") ==
        "must be from -9223372036854775808 to 9223372036854775807, not 9223372036854775808");
}

TEST_CASE("floats are read with their bits, and integers where floats are meant") {
  CHECK(unpacked<double>("cb3ff8000000000000") == 1.5);
  CHECK(unpacked<double>("ca3fc00000") == 1.5);
  CHECK(unpacked<float>("ca3fc00000") == 1.5F);
  CHECK(unpacked<double>("cb7ff0000000000000") == kInfinity);
  CHECK(unpacked<double>("caff800000") == -kInfinity);
  CHECK(std::isnan(unpacked<double>("cb7ff8000000000000")));
  CHECK(std::signbit(unpacked<double>("cb8000000000000000")));
  CHECK(unpacked<double>("05") == 5.0);
  CHECK(unpacked<double>("d0df") == -33.0);
  CHECK(unpacked<double>("cfffffffffffffffff") == 18446744073709551616.0);
  CHECK(refusal<double>("a0") == "must be float, not str");
}

TEST_CASE("text is str of any length field, old raw strings, and bin where text is meant") {
  for (const std::string hex :
       {"a5 68656c6c6f", "d905 68656c6c6f", "da0005 68656c6c6f", "db00000005 68656c6c6f", "c405 68656c6c6f",
        "c50005 68656c6c6f", "c600000005 68656c6c6f"}) {
    CAPTURE(hex);
    CHECK(unpacked<std::string>(hex) == "hello");
    CHECK(unpacked<Bytes>(hex) == Bytes{"hello"});
  }
  CHECK(unpacked<std::string>("a2c3a9") == "é");
  CHECK(unpacked<std::string>("a3610062") == std::string("a\0b", 3));
  CHECK(unpacked<std::string>("a0").empty());
}

TEST_CASE("text that is not UTF-8 is refused, and bytes may be anything") {
  for (const std::string hex : {"a180", "c402c0af", "d9 03 eda080"}) {
    CAPTURE(hex);
    CHECK(refusal<std::string>(hex) == "must be valid UTF-8");
    CHECK_NOTHROW(unpacked<Bytes>(hex));
  }
  CHECK(refusal<Value>("a180") == "must be valid UTF-8");
  CHECK(*unpacked<Value>("c40180").as<Bytes>() == Bytes{"\x80"});
}

TEST_CASE("values of unknown type keep their type") {
  CHECK(unpacked<Value>("c0").is_nil());
  CHECK(*unpacked<Value>("c3").as<bool>());
  CHECK(*unpacked<Value>("a3616263").as<std::string>() == "abc");
  CHECK(*unpacked<Value>("c403616263").as<Bytes>() == Bytes{"abc"});
  CHECK(*unpacked<Value>("cb4000000000000000").as<double>() == 2.0);
  CHECK(*unpacked<Value>("9301a16192c0c2").as<List>() ==
        List{{Integer{1}}, {std::string("a")}, {List{{}, {false}}}});
  CHECK(*unpacked<Value>("8202a162a16105").as<Dict>() ==
        Dict{{{Integer{2}}, {std::string("b")}}, {{std::string("a")}, {Integer{5}}}});
}

TEST_CASE("extensions pass through: timestamps, Node's dates, typed arrays and errors") {
  CHECK(*unpacked<Value>("d6ff00000001").as<Ext>() == Ext{-1, std::string("\0\0\0\1", 4)});
  CHECK(*unpacked<Value>("c7080d4278c0ffee000000").as<Ext>() ==
        Ext{0x0d, std::string("\x42\x78\xc0\xff\xee\0\0\0", 8)});
  for (const std::string hex :
       {"d6ff00000001", "d7ff0000000100000000", "c70cff000000010000000000000002", "d40e00", "d41100",
        "d51d0001", "c7030d010203", "c70005", "d80d00000000000000000000000000000000"}) {
    CAPTURE(hex);
    CHECK(packed(unpacked<Value>(hex)) == hex);
  }
}

TEST_CASE("a value of another type is refused with Python's names for both") {
  CHECK(refusal<int>("a135") == "must be int, not str");
  CHECK(refusal<int>("c0") == "must be int, not NoneType");
  CHECK(refusal<std::string>("05") == "must be str, not int");
  CHECK(refusal<std::string>("c0") == "must be str, not NoneType");
  CHECK(refusal<Bytes>("90") == "must be bytes, not list");
  CHECK(refusal<std::vector<int>>("80") == "must be list, not dict");
  CHECK(refusal<std::map<std::string, int>>("90") == "must be dict, not list");
  CHECK(refusal<std::tuple<int>>("d40500") == "must be list, not ExtType");
  CHECK(refusal<std::monostate>("c2") == "must be NoneType, not bool");
  CHECK(refusal<std::vector<int>>("9201c403000000") == "must be int, not bytes");
}

TEST_CASE("optional values are nil or there") {
  CHECK(unpacked<std::optional<int>>("c0") == std::nullopt);
  CHECK(unpacked<std::optional<int>>("05") == 5);
  CHECK(unpacked<std::vector<std::optional<std::string>>>("93a161c0a162") ==
        std::vector<std::optional<std::string>>{"a", std::nullopt, "b"});
  CHECK(refusal<std::optional<int>>("a0") == "must be int, not str");
}

TEST_CASE("containers are read with what is in them") {
  CHECK(unpacked<std::vector<int>>("90").empty());
  CHECK(unpacked<std::vector<int>>("dc0003010203") == std::vector<int>{1, 2, 3});
  CHECK(unpacked<std::vector<bool>>("93c3c2c3") == std::vector<bool>{true, false, true});
  CHECK(unpacked<std::pair<int, std::string>>("9205a161") == std::pair<int, std::string>(5, "a"));
  CHECK(unpacked<std::array<int, 3>>("93010203") == std::array{1, 2, 3});
  CHECK(unpacked<std::tuple<int, double, bool>>("9305cb3ff8000000000000c3") == std::tuple(5, 1.5, true));
  CHECK(unpacked<std::tuple<>>("90") == std::tuple());
  CHECK(unpacked<std::unordered_map<std::string, int>>("82a16101a16202") ==
        std::unordered_map<std::string, int>{{"a", 1}, {"b", 2}});
  using Nested = std::map<std::string, std::vector<std::pair<std::string, std::optional<double>>>>;
  CHECK(unpacked<Nested>("82 a161 92 92a17801 92a179c0 c40162 90") ==
        Nested{{"a", {{"x", 1.0}, {"y", std::nullopt}}}, {"b", {}}});
}

TEST_CASE("of a key that comes twice, the last counts, as in Python") {
  CHECK(unpacked<std::map<std::string, int>>("82a16101a16102") == std::map<std::string, int>{{"a", 2}});
}

TEST_CASE("the keys of a map of text are text") {
  CHECK(refusal<std::map<std::string, int>>("810102") == "must be str, not int");
  CHECK(refusal<std::map<std::string, int>>("81a18002") == "must be valid UTF-8");
}

TEST_CASE("a list of the wrong length is no tuple") {
  CHECK(refusal<std::pair<int, int>>("9101") == "must have 2 elements, not 1");
  CHECK(refusal<std::array<int, 3>>("9401020304") == "must have 3 elements, not 4");
}

TEST_CASE("one of several types is the one that arrived") {
  using Any = std::variant<std::monostate, bool, Integer, double, std::string, Bytes, std::vector<int>>;
  CHECK(std::holds_alternative<std::monostate>(unpacked<Any>("c0")));
  CHECK(std::get<bool>(unpacked<Any>("c3")));
  CHECK(std::get<Integer>(unpacked<Any>("05")) == 5);
  CHECK(std::get<double>(unpacked<Any>("cb4000000000000000")) == 2.0);
  CHECK(std::get<std::string>(unpacked<Any>("a161")) == "a");
  CHECK(std::get<Bytes>(unpacked<Any>("c40161")) == Bytes{"a"});
  CHECK(std::get<std::vector<int>>(unpacked<Any>("9105")) == std::vector<int>{5});
  using Number = std::variant<Integer, double>;
  CHECK(std::get<Integer>(unpacked<Number>("c3")) == 1);
  CHECK(refusal<Number>("a161") == "must be int or float, not str");
}

}  // namespace zerosuite::wire::read_test
