// Ids on the wire: the forms of `fmt`, the methods that turn one into another, and those of random bits.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>

#include "core/error.hpp"
#include "id/api/format.hpp"
#include "id/api/groups.hpp"
#include "support/id_rigs.hpp"
#include "support/memory_store.hpp"
#include "support/server_rig.hpp"

namespace zerosuite::id::api_format_test {

using test::ServerRig;
using wire::Integer, wire::Value;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr const char* kTexts[] = {"dec", "b32", "b36", "b58", "b62", "hex", "obf", "token"};

struct AskingRig : ServerRig {
  template <class... A>
  std::string ask(const std::string& method, const A&... args) {
    return heard(call(method, args...));
  }
};

struct Rig : AskingRig {
  Rig() { bind_secrets(server, secrets, formats); }

  Secrets secrets{parse_keys("a 000102030405060708090a0b0c0d0e0f", "keys")};
  Formats formats{secrets};
};

template <class F>
std::string refusal(F function) {
  try {
    function();
  } catch (const core::Failure& failure) {
    return failure.name() + ": " + failure.what();
  }
  return "";
}

TEST_CASE_FIXTURE(Rig, "an id is shown as an int, or as the text that fmt names") {
  CHECK(formats.show(1234567890123456789, "int") == Value{Integer{1234567890123456789}});
  CHECK(formats.show(1234567890123456789, "dec") == Value{std::string("1234567890123456789")});
  CHECK(formats.show(1234567890123456789, "b32") == Value{std::string("128GGYHYYK08N")});
  CHECK(formats.show(1234567890123456789, "b36") == Value{std::string("09do1sj396nf9")});
  CHECK(formats.show(1234567890123456789, "b58") == Value{std::string("3sDK21t5nHJ")});
  CHECK(formats.show(1234567890123456789, "b62") == Value{std::string("1TCKi1nFuNh")});
  CHECK(formats.show(1234567890123456789, "hex") == Value{std::string("112210f47de98115")});
  CHECK(formats.show(1234567890123456789, "obf") == Value{std::string("a1GK1aP6fMfR")});
  CHECK(formats.show(1234567890123456789, "token") == Value{std::string("a0wLnysBoxkQK16zWQvLK1c")});
}

TEST_CASE_FIXTURE(Rig, "what is shown is read again, as str and as bytes") {
  for (const std::int64_t id : {std::int64_t{0}, std::int64_t{77}, kMost}) {
    CHECK(formats.read(formats.show(id, "int"), "int") == id);
    for (const char* fmt : kTexts) {
      const Value text = formats.show(id, fmt);
      CHECK(formats.read(text, fmt) == id);
      CHECK(formats.read({wire::Bytes{*text.as<std::string>()}}, fmt) == id);
    }
  }
}

TEST_CASE_FIXTURE(Rig, "an int is also read from decimal text, and from a float as far as that is exact") {
  CHECK(formats.read({std::string("9223372036854775807")}, "int") == kMost);
  CHECK(formats.read({9007199254740992.0}, "int") == 1LL << 53);
  CHECK(formats.read({0.0}, "int") == 0);
  for (const double number : {9007199254740994.0, 0.5, 1e300, std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::quiet_NaN()})
    CHECK(refusal([&] { formats.read({number}, "int"); }) ==
          "InvalidArgument: an id that is a float must be a whole number up to 2^53: pass a text for it");
}

std::string decimal(Integer number) {
  return number < 0 ? std::to_string(static_cast<std::int64_t>(number))
                    : std::to_string(static_cast<std::uint64_t>(number));
}

TEST_CASE_FIXTURE(Rig, "a number that is no id is refused, in every form") {
  for (const Integer number :
       {Integer{-1}, Integer{kMost} + 1, Integer{std::numeric_limits<std::uint64_t>::max()}})
    CHECK(refusal([&] { formats.read({number}, "int"); }) ==
          "InvalidArgument: an id is from 0 to 2^63 - 1, not " + decimal(number));
  CHECK(refusal([&] { formats.read({-1.0}, "int"); }) ==
        "InvalidArgument: an id is from 0 to 2^63 - 1, not -1");
  CHECK(refusal([&] { formats.show(-1, "int"); }) == "InvalidArgument: an id is not negative: -1");
  for (const char* fmt : kTexts) CHECK(refusal([&] { formats.show(-1, fmt); }) != "");
}

TEST_CASE_FIXTURE(Rig, "an id of another type is a TypeError, that says which") {
  CHECK(refusal([&] { formats.read({}, "int"); }) == "TypeError: id must be int or str, not NoneType");
  CHECK(refusal([&] { formats.read({true}, "int"); }) == "TypeError: id must be int or str, not bool");
  for (const char* fmt : kTexts)
    CHECK(refusal([&] { formats.read({Integer{7}}, fmt); }) == "TypeError: id must be str, not int");
}

TEST_CASE_FIXTURE(Rig, "another fmt is refused by the nine there are, whether it is read or shown") {
  for (const char* fmt : {"", "INT", "b64", "base32"}) {
    const std::string expected =
        "InvalidArgument: fmt must be int, dec, b32, b36, b58, b62, hex, obf or token, not '" +
        std::string(fmt) + "'";
    CHECK(refusal([&] { formats.show(1, fmt); }) == expected);
    CHECK(refusal([&] { formats.read({Integer{1}}, fmt); }) == expected);
  }
}

TEST_CASE("without keys all forms are there but obf and token") {
  const Secrets none({});
  const Formats formats(none);
  for (const char* fmt : kTexts) {
    const bool secret = fmt == std::string("obf") || fmt == std::string("token");
    CHECK(refusal([&] { formats.show(1, fmt); }).starts_with("EngineDisabled") == secret);
    CHECK(refusal([&] { formats.read({std::string("a")}, fmt); }).starts_with("EngineDisabled") == secret);
  }
}

TEST_CASE("a batch has from one id to as many as one call may take") {
  CHECK(batch_size(1, 100'000) == 1);
  CHECK(batch_size(100'000, 100'000) == 100'000);
  CHECK(batch_size(4'000'000, 4'000'000) == 4'000'000);
  CHECK(refusal([] { batch_size(0, 100'000); }) == "InvalidArgument: n must be at least 1, not 0");
  CHECK(refusal([] { batch_size(-1, 100'000); }) == "InvalidArgument: n must be at least 1, not -1");
  CHECK(refusal([] { batch_size(100'001, 100'000); }) ==
        "BatchTooLarge: n must be at most 100000, not 100001 {\"max\":100000}");
}

TEST_CASE_FIXTURE(Rig, "encode and decode are each other's way back") {
  CHECK(ask("encode", kMost, "b62") == "OK [\"AzL8n0Y58m7\"]");
  CHECK(ask("decode", "AzL8n0Y58m7", "b62") == "OK [9223372036854775807]");
  CHECK(ask("encode", "77", "int") == "OK [77]");
  CHECK(ask("decode", "zzzzzzzzzzz", "b62").starts_with("ERR [\"InvalidArgument\", \"'zzzzzzzzzzz' is not"));
  CHECK(ask("encode", -1, "b62").starts_with("ERR [\"InvalidArgument\""));
  CHECK(ask("encode", 1).starts_with("ERR [\"TypeError\""));
}

TEST_CASE_FIXTURE(Rig, "obf, token and what undoes them take a context, or none") {
  CHECK(ask("obf", 1) == "OK [\"a5HArq3tGBWq\"]");
  CHECK(ask("obf", 1, "order") == "OK [\"a4LIY5t5BplM\"]");
  CHECK(ask("obf", 1.0, nullptr) == "OK [\"a5HArq3tGBWq\"]");
  CHECK(ask("deobf", "a5HArq3tGBWq") == "OK [1]");
  CHECK(ask("deobf", "a4LIY5t5BplM", "order") == "OK [1]");
  CHECK(ask("token", 1) == "OK [\"a6qsCPImitsDh7RsjPe0vjK\"]");
  CHECK(ask("token", "1", "order") == "OK [\"a3MBuAulXtkrSCI4gom9GRk\"]");
  CHECK(ask("untoken", "a6qsCPImitsDh7RsjPe0vjK") == "OK [1]");
  CHECK(ask("untoken", "a3MBuAulXtkrSCI4gom9GRk", "order") == "OK [1]");
  CHECK(ask("untoken", "a3MBuAulXtkrSCI4gom9GRk", "user").starts_with("ERR [\"BadToken\""));
  CHECK(ask("obf", -1).starts_with("ERR [\"InvalidArgument\""));
  CHECK(ask("token", std::vector<int>{1}).starts_with("ERR [\"TypeError\""));
}

// The methods, and how long their ids are.
const std::map<std::string, std::size_t> kLengths{{"uuid4", 36}, {"uuid6", 36}, {"uuid7", 36},   {"ulid", 26},
                                                  {"ksuid", 27}, {"xid", 20},   {"objectid", 24}};

struct RandomRig : AskingRig {
  RandomRig() { bind_random(server, ids, reach, limits); }

  BatchLimits limits;
  test::FakeClocks clocks;
  IdTime time{clocks};
  core::Entropy entropy;
  RandomIds ids{time, entropy};
  test::MemoryStore store{timers};
  Reach reach{timers, store, core::milliseconds(3000), [](std::int64_t) {}};
};

TEST_CASE_FIXTURE(RandomRig, "one id is a text, whether n is one or left out") {
  for (const auto& [method, length] : kLengths) {
    for (const std::string& answer : {ask(method), ask(method, 1), ask(method, nullptr)}) {
      CHECK(answer.starts_with("OK [\""));
      CHECK(answer.size() == length + std::string("OK [\"\"]").size());
    }
  }
}

TEST_CASE_FIXTURE(RandomRig, "a hundred thousand ids come in one answer") {
  const std::string answer = ask("uuid7", 100'000);
  CHECK(std::count(answer.begin(), answer.end(), '"') == 200'000);
}

TEST_CASE_FIXTURE(RandomRig, "fewer than one id and more than one call may take are refused by name") {
  for (const auto& [method, length] : kLengths) {
    CHECK(ask(method, 0).starts_with("ERR [\"InvalidArgument\", \"n must be at least 1, not 0\""));
    CHECK(ask(method, -1).starts_with("ERR [\"InvalidArgument\""));
    CHECK(ask(method, 100'001).starts_with("ERR [\"BatchTooLarge\", \"n must be at most 100000, not 100001"));
    CHECK(ask(method, 1'000'000'000).starts_with("ERR [\"BatchTooLarge\""));
    CHECK(ask(method, "3").starts_with("ERR [\"TypeError\""));
  }
}

TEST_CASE_FIXTURE(RandomRig, "uuid1 takes a node, a clock sequence, both or none") {
  CHECK(ask("uuid1", 0x123456789abc, 0x1234).ends_with("-9234-123456789abc\"]"));
  CHECK(ask("uuid1", 0x123456789abc).ends_with("-123456789abc\"]"));
  CHECK(ask("uuid1", nullptr, 0x1234).substr(5 + 18, 6) == "-9234-");
  CHECK(ask("uuid1").substr(5 + 18) == ask("uuid1", nullptr, nullptr).substr(5 + 18));
  CHECK(
      ask("uuid1", 281474976710656)
          .starts_with("ERR [\"InvalidArgument\", \"node must be from 0 to 2^48 - 1, not 281474976710656\""));
}

}  // namespace zerosuite::id::api_format_test
