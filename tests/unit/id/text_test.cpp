
#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "id/text/digits.hpp"

namespace zerosuite::id::formats::text_test {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr Form kForms[] = {Form::kDecimal, Form::kBase32, Form::kBase36,
                           Form::kBase58,  Form::kBase62, Form::kHex};
constexpr Form kFixedForms[] = {Form::kBase32, Form::kBase36, Form::kBase58, Form::kBase62, Form::kHex};

std::vector<std::int64_t> samples() {
  std::vector<std::int64_t> ids{0,
                                1,
                                9,
                                31,
                                32,
                                35,
                                36,
                                57,
                                58,
                                61,
                                62,
                                255,
                                1LL << 32,
                                (1LL << 53) + 1,
                                1234567890123456789,
                                kMost - 1,
                                kMost};
  std::uint64_t state = 1;
  for (int i = 0; i < 10'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;  // Knuth's MMIX
    ids.push_back(static_cast<std::int64_t>(state >> (1 + i % 63)));
  }
  return ids;
}

std::string refusal(std::string_view text, Form form) {
  try {
    return "id " + std::to_string(decode(text, form));
  } catch (const core::Failure& failure) {
    return failure.name();
  }
}

// By Python's int(), hex() and divmod().
TEST_CASE("an id has the text that other programs give it") {
  constexpr std::int64_t kId = 1234567890123456789;
  CHECK(encode(kId, Form::kDecimal) == "1234567890123456789");
  CHECK(encode(kId, Form::kBase32) == "128GGYHYYK08N");
  CHECK(encode(kId, Form::kBase36) == "09do1sj396nf9");
  CHECK(encode(kId, Form::kBase58) == "3sDK21t5nHJ");
  CHECK(encode(kId, Form::kBase62) == "1TCKi1nFuNh");
  CHECK(encode(kId, Form::kHex) == "112210f47de98115");
}

TEST_CASE("the least and the greatest id fill their texts") {
  const std::map<Form, std::pair<std::string, std::string>> ends{
      {Form::kDecimal, {"0", "9223372036854775807"}},
      {Form::kBase32, {"0000000000000", "7ZZZZZZZZZZZZ"}},
      {Form::kBase36, {"0000000000000", "1y2p0ij32e8e7"}},
      {Form::kBase58, {"11111111111", "NQm6nKp8qFC"}},
      {Form::kBase62, {"00000000000", "AzL8n0Y58m7"}},
      {Form::kHex, {"0000000000000000", "7fffffffffffffff"}}};
  for (const auto& [form, texts] : ends) {
    CHECK(encode(0, form) == texts.first);
    CHECK(encode(kMost, form) == texts.second);
  }
}

TEST_CASE("a text gives back the id it was made of, in every form") {
  for (const Form form : kForms)
    for (const std::int64_t id : samples()) REQUIRE(decode(encode(id, form), form) == id);
}

TEST_CASE("texts of fixed length sort as their ids do") {
  const std::vector<std::int64_t> ids = samples();
  for (const Form form : kFixedForms)
    for (std::size_t i = 1; i < ids.size(); ++i)
      REQUIRE((encode(ids[i - 1], form) < encode(ids[i], form)) == (ids[i - 1] < ids[i]));
}

TEST_CASE("one past the greatest id is refused in every form") {
  CHECK(refusal("9223372036854775808", Form::kDecimal) == "InvalidArgument");
  CHECK(refusal("8000000000000", Form::kBase32) == "InvalidArgument");
  CHECK(refusal("1y2p0ij32e8e8", Form::kBase36) == "InvalidArgument");
  CHECK(refusal("NQm6nKp8qFD", Form::kBase58) == "InvalidArgument");
  CHECK(refusal("AzL8n0Y58m8", Form::kBase62) == "InvalidArgument");
  CHECK(refusal("8000000000000000", Form::kHex) == "InvalidArgument");
  // Modulo 2^64 this would be an id again.
  CHECK(refusal("G000000000001", Form::kBase32) == "InvalidArgument");
}

TEST_CASE("a text of another length is refused, though its number is the same") {
  for (const Form form : kFixedForms) {
    const std::string text = encode(5, form);
    CHECK(refusal(text.substr(1), form) == "InvalidArgument");
    CHECK(refusal(text.front() + text, form) == "InvalidArgument");
    CHECK(refusal("", form) == "InvalidArgument");
  }
}

TEST_CASE("digits that only look like one are refused") {
  for (const char* text :
       {"00000000000O0", "000000000000I", "00000000000L0", "000000000000U", "00000000000z0"})
    CHECK(refusal(text, Form::kBase32) == "InvalidArgument");
  CHECK(refusal("00000000000Z0", Form::kBase36) == "InvalidArgument");
  for (const char* text : {"11111111110", "1111111111O", "1111111111I", "1111111111l"})
    CHECK(refusal(text, Form::kBase58) == "InvalidArgument");
  CHECK(refusal("0000000000-", Form::kBase62) == "InvalidArgument");
  CHECK(refusal("000000000000000A", Form::kHex) == "InvalidArgument");
  CHECK(refusal(std::string("000000000000000\0", 16), Form::kHex) == "InvalidArgument");
  CHECK(refusal("000000000000000\xff", Form::kHex) == "InvalidArgument");
}

TEST_CASE("decimal text is an id as it is printed, and nothing else") {
  for (const char* text : {"", "-1", "-0", "+1", " 1", "1 ", "01", "00", "0x1", "1.0", "1e3", "12a"})
    CHECK(refusal(text, Form::kDecimal) == "InvalidArgument");
  CHECK(refusal("0", Form::kDecimal) == "id 0");
  CHECK(refusal("10", Form::kDecimal) == "id 10");
}

TEST_CASE("a form is found by its name") {
  CHECK(form_of("dec") == Form::kDecimal);
  CHECK(form_of("b32") == Form::kBase32);
  CHECK(form_of("b36") == Form::kBase36);
  CHECK(form_of("b58") == Form::kBase58);
  CHECK(form_of("b62") == Form::kBase62);
  CHECK(form_of("hex") == Form::kHex);
  for (const char* name : {"", "int", "HEX", "b64", "obf"}) CHECK_FALSE(form_of(name).has_value());
}

TEST_CASE("a message shows what was refused, but not a flood of it") {
  CHECK(shown("abc") == "'abc'");
  CHECK(shown(std::string(65, 'x')) == "a text of 65 bytes");
}

TEST_CASE("a number of 128 bits fills its digits, and one more does not fit") {
  constexpr Number128 kLast = joined(~0ull, ~0ull);
  const auto text_of = [](Number128 number, const Digits& digits, std::size_t length) {
    std::string text(length, '?');
    write(number, digits, text);
    return text;
  };
  CHECK(text_of(kLast, kCrockfordDigits, 26) == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  CHECK(text_of(kLast, kBase62Digits, 22) == "7n42DGM5Tflk9n8mt7Fhc7");
  CHECK(text_of(kLast, kHexDigits, 32) == std::string(32, 'f'));
  CHECK(read("7n42DGM5Tflk9n8mt7Fhc7", kBase62Digits) == kLast);
  CHECK_FALSE(read("7n42DGM5Tflk9n8mt7Fhc8", kBase62Digits).has_value());
  CHECK_FALSE(read("zzzzzzzzzzzzzzzzzzzzzz", kBase62Digits).has_value());
  CHECK(read("80000000000000000000000000", kCrockfordDigits) == std::nullopt);
}

}  // namespace zerosuite::id::formats::text_test
