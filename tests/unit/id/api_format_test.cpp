// Ids on the wire: the forms of `fmt`, and the methods that turn one into another.
#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "core/error.hpp"
#include "id/api/format.hpp"
#include "id/api/groups.hpp"
#include "support/server_rig.hpp"

namespace zerosuite::id::api_format_test {

using test::ServerRig;
using wire::Integer, wire::Value;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr const char* kTexts[] = {"dec", "b32", "b36", "b58", "b62", "hex", "obf", "token"};

struct Rig : ServerRig {
  Rig() { bind_secrets(server, secrets, formats); }

  template <class... A>
  std::string ask(const std::string& method, const A&... args) {
    return heard(call(method, args...));
  }

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

TEST_CASE("an id is shown as an int, or as the text that fmt names") {
  Rig rig;
  CHECK(rig.formats.show(1234567890123456789, "int") == Value{Integer{1234567890123456789}});
  CHECK(rig.formats.show(1234567890123456789, "dec") == Value{std::string("1234567890123456789")});
  CHECK(rig.formats.show(1234567890123456789, "b32") == Value{std::string("128GGYHYYK08N")});
  CHECK(rig.formats.show(1234567890123456789, "b36") == Value{std::string("09do1sj396nf9")});
  CHECK(rig.formats.show(1234567890123456789, "b58") == Value{std::string("3sDK21t5nHJ")});
  CHECK(rig.formats.show(1234567890123456789, "b62") == Value{std::string("1TCKi1nFuNh")});
  CHECK(rig.formats.show(1234567890123456789, "hex") == Value{std::string("112210f47de98115")});
  CHECK(rig.formats.show(1234567890123456789, "obf") == Value{std::string("a1GK1aP6fMfR")});
  CHECK(rig.formats.show(1234567890123456789, "token") == Value{std::string("a0wLnysBoxkQK16zWQvLK1c")});
}

TEST_CASE("what is shown is read again, as str and as bytes") {
  Rig rig;
  for (const std::int64_t id : {std::int64_t{0}, std::int64_t{77}, kMost}) {
    CHECK(rig.formats.read(rig.formats.show(id, "int"), "int") == id);
    for (const char* fmt : kTexts) {
      const Value text = rig.formats.show(id, fmt);
      CHECK(rig.formats.read(text, fmt) == id);
      CHECK(rig.formats.read({wire::Bytes{*text.as<std::string>()}}, fmt) == id);
    }
  }
}

TEST_CASE("an int is also read from decimal text, and from a float as far as that is exact") {
  Rig rig;
  CHECK(rig.formats.read({std::string("9223372036854775807")}, "int") == kMost);
  CHECK(rig.formats.read({9007199254740992.0}, "int") == 1LL << 53);
  CHECK(rig.formats.read({0.0}, "int") == 0);
  for (const double number : {9007199254740994.0, 0.5, 1e300, std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::quiet_NaN()})
    CHECK(refusal([&] { rig.formats.read({number}, "int"); }) ==
          "InvalidArgument: an id that is a float must be a whole number up to 2^53: pass a text for it");
}

std::string decimal(Integer number) {
  return number < 0 ? std::to_string(static_cast<std::int64_t>(number))
                    : std::to_string(static_cast<std::uint64_t>(number));
}

TEST_CASE("a number that is no id is refused, in every form") {
  Rig rig;
  for (const Integer number :
       {Integer{-1}, Integer{kMost} + 1, Integer{std::numeric_limits<std::uint64_t>::max()}})
    CHECK(refusal([&] { rig.formats.read({number}, "int"); }) ==
          "InvalidArgument: an id is from 0 to 2^63 - 1, not " + decimal(number));
  CHECK(refusal([&] { rig.formats.read({-1.0}, "int"); }) ==
        "InvalidArgument: an id is from 0 to 2^63 - 1, not -1");
  CHECK(refusal([&] { rig.formats.show(-1, "int"); }) == "InvalidArgument: an id is not negative: -1");
  for (const char* fmt : kTexts) CHECK(refusal([&] { rig.formats.show(-1, fmt); }) != "");
}

TEST_CASE("an id of another type is a TypeError, that says which") {
  Rig rig;
  CHECK(refusal([&] { rig.formats.read({}, "int"); }) == "TypeError: id must be int or str, not NoneType");
  CHECK(refusal([&] { rig.formats.read({true}, "int"); }) == "TypeError: id must be int or str, not bool");
  for (const char* fmt : kTexts)
    CHECK(refusal([&] { rig.formats.read({Integer{7}}, fmt); }) == "TypeError: id must be str, not int");
}

TEST_CASE("another fmt is refused by the nine there are, whether it is read or shown") {
  Rig rig;
  for (const char* fmt : {"", "INT", "b64", "base32"}) {
    const std::string expected =
        "InvalidArgument: fmt must be int, dec, b32, b36, b58, b62, hex, obf or token, not '" +
        std::string(fmt) + "'";
    CHECK(refusal([&] { rig.formats.show(1, fmt); }) == expected);
    CHECK(refusal([&] { rig.formats.read({Integer{1}}, fmt); }) == expected);
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

TEST_CASE("encode and decode are each other's way back") {
  Rig rig;
  CHECK(rig.ask("encode", kMost, "b62") == "OK [\"AzL8n0Y58m7\"]");
  CHECK(rig.ask("decode", "AzL8n0Y58m7", "b62") == "OK [9223372036854775807]");
  CHECK(rig.ask("encode", "77", "int") == "OK [77]");
  CHECK(rig.ask("decode", "zzzzzzzzzzz", "b62")
            .starts_with("ERR [\"InvalidArgument\", \"'zzzzzzzzzzz' is not"));
  CHECK(rig.ask("encode", -1, "b62").starts_with("ERR [\"InvalidArgument\""));
  CHECK(rig.ask("encode", 1).starts_with("ERR [\"TypeError\""));
}

TEST_CASE("obf, token and what undoes them take a context, or none") {
  Rig rig;
  CHECK(rig.ask("obf", 1) == "OK [\"a5HArq3tGBWq\"]");
  CHECK(rig.ask("obf", 1, "order") == "OK [\"a4LIY5t5BplM\"]");
  CHECK(rig.ask("obf", 1.0, nullptr) == "OK [\"a5HArq3tGBWq\"]");
  CHECK(rig.ask("deobf", "a5HArq3tGBWq") == "OK [1]");
  CHECK(rig.ask("deobf", "a4LIY5t5BplM", "order") == "OK [1]");
  CHECK(rig.ask("token", 1) == "OK [\"a6qsCPImitsDh7RsjPe0vjK\"]");
  CHECK(rig.ask("token", "1", "order") == "OK [\"a3MBuAulXtkrSCI4gom9GRk\"]");
  CHECK(rig.ask("untoken", "a6qsCPImitsDh7RsjPe0vjK") == "OK [1]");
  CHECK(rig.ask("untoken", "a3MBuAulXtkrSCI4gom9GRk", "order") == "OK [1]");
  CHECK(rig.ask("untoken", "a3MBuAulXtkrSCI4gom9GRk", "user").starts_with("ERR [\"BadToken\""));
  CHECK(rig.ask("obf", -1).starts_with("ERR [\"InvalidArgument\""));
  CHECK(rig.ask("token", std::vector<int>{1}).starts_with("ERR [\"TypeError\""));
}

}  // namespace zerosuite::id::api_format_test
