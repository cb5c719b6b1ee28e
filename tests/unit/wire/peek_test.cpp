#include <doctest/doctest.h>

#include <list>

#include "support/events.hpp"
#include "support/golden.hpp"
#include "wire/event.hpp"

namespace zerosuite::wire::peek_test {

using test::encode;
using test::from_hex;
using test::Letter;

// Whether the two saw the same in front of the args.
void check_same_front(const Event& peeked, const Event& decoded) {
  CHECK(peeked.id == decoded.id);
  CHECK(peeked.response_to == decoded.response_to);
  CHECK(peeked.name == decoded.name);
  CHECK(peeked.header == decoded.header);
  CHECK(peeked.version == decoded.version);
  CHECK(peeked.timeout_ms == decoded.timeout_ms);
}

std::string call(const std::string& name, const std::string& args) {
  Context extra;
  extra.add("timeout_ms", 1500);
  extra.add("traceparent", "00-1-2");
  return encode({.response_to = test::packed("other"), .name = name, .args = args, .extra = &extra});
}

std::uint64_t grant(const std::string& args) { return grant_of(args); }

TEST_CASE("peek sees of every payload of stock peers what decode sees, and the args to the end") {
  for (const std::string& name : test::golden_names()) {
    CAPTURE(name);
    const std::string payload = test::golden(name);
    const Event decoded = decode(payload, Limits{});
    const Event peeked = peek(payload, Limits{});
    CHECK(peeked.fault == Fault::kNone);
    check_same_front(peeked, decoded);
    CHECK(peeked.args == decoded.args);
  }
}

TEST_CASE("peek does not read the args: damaged, cut short, too deep or too many, they are passed on") {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += '\x91';
  for (const std::string& args : {std::string("\xc1"), std::string("\x92\x01"), std::string("\xdc\xff\xff"),
                                  deep + "\x01", std::string(), test::list(1) + "behind"}) {
    const std::string payload = call("add", args);
    const Event peeked = peek(payload, Limits{.max_elements = 20});
    CHECK(peeked.fault == Fault::kNone);
    CHECK(peeked.name == "add");
    CHECK(peeked.timeout_ms == 1500);
    CHECK(peeked.args == args);
    CHECK(peeked.args.data() + peeked.args.size() == payload.data() + payload.size());
    check_same_front(peeked, decode(payload, Limits{.max_elements = 20}));
  }
}

TEST_CASE("peek finds every fault in front of the args that decode finds") {
  const std::string whole = call("add", test::list(3, 4));
  const std::size_t args_at = whole.size() - test::list(3, 4).size();
  for (std::size_t size = 0; size < args_at; ++size) {
    const std::string_view cut = std::string_view(whole).substr(0, size);
    CHECK(peek(cut, Limits{}).fault == decode(cut, Limits{}).fault);
    CHECK(peek(cut, Limits{}).fault != Fault::kNone);
  }
  for (const std::string& payload :
       {encode({.id = {}, .name = "add"}), encode({.id = test::packed(nullptr), .name = "add"}),
        encode({.id = test::packed(std::string(20'000, 'x')), .name = "add"}), from_hex("93 c0 a16d 90"),
        from_hex("94 80 a16d 90 90"), from_hex("93 81 aa6d6573736167655f6964 05 05 90"),
        std::string("\xc1")}) {
    const Event decoded = decode(payload, Limits{});
    CHECK(decoded.fault != Fault::kNone);
    CHECK(peek(payload, Limits{}).fault == decoded.fault);
  }
}

TEST_CASE("peek knows the limit on the whole payload, though it reads only its front") {
  const std::string payload = call("add", test::list(std::string(100, 'x')));
  CHECK(peek(payload, Limits{.max_frame_bytes = payload.size()}).fault == Fault::kNone);
  const Event large = peek(payload, Limits{.max_frame_bytes = payload.size() - 1});
  CHECK(large.fault == Fault::kTooLarge);
  CHECK_FALSE(large.id.empty());
}

TEST_CASE("a name in the bytes type is read as in the text type") {
  const std::string payload = from_hex("93 81 aa6d6573736167655f6964 05 c403616464 90");
  CHECK(peek(payload, Limits{}).name == "add");
  CHECK(decode(payload, Limits{}).name == "add");
}

TEST_CASE("a payload under another name differs in the name alone") {
  for (const std::string& args :
       {test::list(3, 4), test::list() + "behind", std::string("\xc1"), std::string()}) {
    for (const std::string& name :
         {std::string("b"), std::string(), std::string(31, 'x'), std::string(300, 'x')}) {
      const std::string payload = call("service.method", args);
      const Buffer other = renamed(payload, peek(payload, Limits{}), name);
      CHECK(test::text_of(other) == call(name, args));
    }
  }
}

TEST_CASE("renaming keeps a header that is encoded in an unusual way") {
  const std::string odd = "de0002 da000a6d6573736167655f6964 c5000161 c40176 cd0003";
  for (const std::string& prefix : {"93" + odd, "dc0003" + odd}) {
    const std::string payload = from_hex(prefix + "da0003616464 9105");
    const Event event = peek(payload, Limits{});
    REQUIRE(event.fault == Fault::kNone);
    CHECK(event.name == "add");
    CHECK(test::text_of(renamed(payload, event, "sub")) == from_hex(prefix + "a3737562 9105"));
  }
}

TEST_CASE("a grant is a count, whole or as a float, as stock peers send it") {
  CHECK(grant(test::list(1)) == 1);
  CHECK(grant(test::list(100.0)) == 100);
  CHECK(grant(test::list(5, "more")) == 5);
  CHECK(grant(test::list(std::uint64_t{1} << 40)) == std::uint64_t{1} << 40);
}

TEST_CASE("what is no count grants nothing, also where the args are damaged") {
  for (const std::string& args :
       {test::list(), test::list(0), test::list(-1), test::list(-1.0), test::list(1.5), test::list("5"),
        test::list(nullptr), test::packed(5), test::packed(nullptr), std::string(), std::string("\x91"),
        std::string("\x91\xc1"), std::string("\xdc"), std::string("\x91\xcd\x01"), std::string("\xc1")}) {
    CAPTURE(test::to_hex(args));
    CHECK(grant(args) == 0);
  }
}

IdKey key_of(const std::string& hex) {
  static std::list<std::string> kept;  // a key is a view
  return id_key(kept.emplace_back(from_hex(hex)));
}

TEST_CASE("an id is the same however it is encoded; text, bytes, numbers and the rest are different ids") {
  for (const auto& [left, right] :
       {std::pair("a161", "d90161"), std::pair("a161", "db0000000161"), std::pair("c40161", "c5000161"),
        std::pair("05", "cc05"), std::pair("05", "d30000000000000005"), std::pair("ff", "d1ffff"),
        std::pair("05", "cb4014000000000000"), std::pair("05", "ca40a00000"), std::pair("a0", "d900"),
        std::pair("00", "cb8000000000000000"), std::pair("ca3fc00000", "cb3ff8000000000000"),
        std::pair("c3", "c3"), std::pair("9105", "9105")}) {
    CAPTURE(left);
    CHECK(key_of(left) == key_of(right));
    CHECK(std::hash<IdKey>()(key_of(left)) == std::hash<IdKey>()(key_of(right)));
  }
  for (const auto& [left, right] :
       {std::pair("a161", "c40161"), std::pair("05", "06"), std::pair("a161", "a162"),
        std::pair("05", "a105"), std::pair("ff", "ccff"), std::pair("c3", "01"), std::pair("c2", "00"),
        std::pair("c2", "c3"), std::pair("a0", "c400"), std::pair("a0", "00"), std::pair("90", "80"),
        std::pair("cb3ff8000000000000", "01"), std::pair("9105", "9106")}) {
    CAPTURE(left);
    CHECK_FALSE(key_of(left) == key_of(right));
  }
}

TEST_CASE("an id of text may be looked for as bytes, and the reverse; others have one spelling") {
  CHECK(key_of("a161").respelled() == key_of("c40161"));
  CHECK(key_of("c40161").respelled() == key_of("a161"));
  for (const std::string id : {"05", "c3", "cb3ff8000000000000", "9105"})
    CHECK(key_of(id).respelled() == key_of(id));
}

}  // namespace zerosuite::wire::peek_test
