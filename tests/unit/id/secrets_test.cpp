#include "id/secret/secrets.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <functional>
#include <limits>
#include <set>
#include <string>

#include "core/error.hpp"
#include "id/secret/secret_file.hpp"
#include "id/text/digits.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::id::secrets_test {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
const std::string kOld = "a 000102030405060708090a0b0c0d0e0f";
const std::string kNew = "Z ffeeddccbbaa99887766554433221100";

Secrets secrets(const std::string& keys) { return Secrets(parse_keys(keys, "keys", ',')); }

template <class F>
std::string refusal(F function) {
  try {
    function();
  } catch (const core::Failure& failure) {
    return failure.name();
  }
  return "";
}

struct Golden {
  std::int64_t id;
  const char* context;
  const char* obf;
  const char* token;
};

// What was given out once must open for ever. By a Python program of its own: hashlib.blake2b, and SipHash
// written from its paper.
constexpr Golden kGolden[] = {
    {0, "", "aA1HYNqcfQA1", "a40QkaDExfg1rdsh8vrjwqz"},
    {0, "order", "a3guOBMBGdhy", "a6UG9kyNdWaX7zToULO8cir"},
    {1, "", "a5HArq3tGBWq", "a6qsCPImitsDh7RsjPe0vjK"},
    {1, "order", "a4LIY5t5BplM", "a3MBuAulXtkrSCI4gom9GRk"},
    {2, "", "a62W8qTEIUQn", "a1z73CnO5UI0UouFUMIRnwJ"},
    {1234567890123456789, "", "a1GK1aP6fMfR", "a0wLnysBoxkQK16zWQvLK1c"},
    {1234567890123456789, "order", "a7bEuDJCZpLv", "a7OAPsfbHHY7tH35hHfmQD3"},
    {kMost, "", "aA4geslAH0oB", "a7OxCV1iAIuYlyWntY2fxoN"},
    {kMost, "order", "a7slFju1FeJp", "a2QMLRLVcKAJ44GdV3GMspF"},
};

TEST_CASE("the text of an id is the same for ever") {
  const Secrets own = secrets(kOld);
  for (const Golden& golden : kGolden) {
    CHECK(own.obf(golden.id, golden.context) == golden.obf);
    CHECK(own.token(golden.id, golden.context) == golden.token);
    CHECK(own.deobf(golden.obf, golden.context) == golden.id);
    CHECK(own.untoken(golden.token, golden.context) == golden.id);
  }
}

TEST_CASE("a key of 512 bits counts whole") {
  std::string digits;
  for (int i = 0; i < 64; ++i) digits += formats::encode(i, formats::Form::kHex).substr(14);
  CHECK(secrets("a " + digits).obf(1) == "a8oyPwp44uDC");
  CHECK(secrets("a " + digits).token(1) == "a1du8fu86X8m71ddeAEAHsZ");
}

TEST_CASE("a hundred thousand ids come back, and no two are alike") {
  const Secrets own = secrets(kOld);
  std::set<std::string> seen;
  for (std::int64_t i = 0; i < 50'000; ++i) {
    for (const std::int64_t id : {i, kMost - i * 184'467'440'737'095}) {
      const std::string obf = own.obf(id), token = own.token(id);
      REQUIRE(own.deobf(obf) == id);
      REQUIRE(own.untoken(token) == id);
      seen.insert(obf);
      seen.insert(token);
    }
  }
  CHECK(seen.size() == 200'000);
}

TEST_CASE("a new key makes, and the old one still opens") {
  const std::string obf = secrets(kOld).obf(77), token = secrets(kOld).token(77);
  const Secrets rotated = secrets(kNew + "," + kOld);
  CHECK(rotated.obf(77).front() == 'Z');
  CHECK(rotated.token(77).front() == 'Z');
  CHECK(rotated.deobf(rotated.obf(77)) == 77);
  CHECK(rotated.deobf(obf) == 77);
  CHECK(rotated.untoken(token) == 77);
  CHECK(refusal([&] { secrets(kNew).deobf(obf); }) == "InvalidArgument");
  CHECK(refusal([&] { secrets(kNew).untoken(token); }) == "BadToken");
}

TEST_CASE("a text under the name of another key is another's, or none") {
  const Secrets own = secrets(kNew + "," + kOld);
  std::string obf = own.obf(77), token = own.token(77);
  obf.front() = token.front() = 'a';
  CHECK(own.deobf(obf) != 77);
  CHECK(refusal([&] { own.untoken(token); }) == "BadToken");
}

TEST_CASE("another context is another text, and opens no token") {
  const Secrets own = secrets(kOld);
  CHECK(own.obf(77, "user") != own.obf(77, "order"));
  CHECK(own.deobf(own.obf(77, "user"), "order") != 77);
  CHECK(own.deobf(own.obf(77, "user")) != 77);
  const std::string token = own.token(77, "user");
  for (const char* context : {"", "order", "use", "user "})
    CHECK(refusal([&] { own.untoken(token, context); }) == "BadToken");
  CHECK(own.untoken(token, "user") == 77);
}

TEST_CASE("no token opens when one character of it is another") {
  const Secrets own = secrets(kNew + "," + kOld);
  const std::string token = own.token(77);
  for (std::size_t at = 0; at < token.size(); ++at) {
    for (const char c : std::string("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-")) {
      std::string forged = token;
      forged[at] = c;
      if (forged != token) REQUIRE(refusal([&] { own.untoken(forged); }) == "BadToken");
    }
  }
}

TEST_CASE("a text of another length, of other digits or too great is none") {
  const Secrets own = secrets(kOld);
  const std::string obf = own.obf(77), token = own.token(77);
  for (const std::string& text :
       {std::string(), std::string("a"), obf.substr(0, 11), obf + "0", token, "a" + std::string(11, 'z'),
        std::string("aAzL8n0Y58m8"), "a-" + obf.substr(2)})
    CHECK(refusal([&] { own.deobf(text); }) == "InvalidArgument");
  for (const std::string& text :
       {std::string(), std::string("a"), token.substr(0, 22), token + "0", obf, "a" + std::string(22, 'z'),
        std::string("a7n42DGM5Tflk9n8mt7Fhc8"), "a-" + token.substr(2)})
    CHECK(refusal([&] { own.untoken(text); }) == "BadToken");
  CHECK(own.deobf("aAzL8n0Y58m7") >= 0);  // 2^63 - 1
}

TEST_CASE("a sealed number that is no id is no token") {
  const SecretKey key = parse_keys(kOld, "keys").front();
  const formats::SivCipher seal(formats::derive(key.bytes, "token check", ""),
                                formats::derive(key.bytes, "token mask", ""));
  const auto text_of = [&](std::uint64_t number) {
    std::string text(23, 'a');
    formats::write(seal.close(number), formats::kBase62Digits, std::span(text).subspan(1));
    return text;
  };
  CHECK(secrets(kOld).untoken(text_of(77)) == 77);
  CHECK(refusal([&] { secrets(kOld).untoken(text_of(std::uint64_t{1} << 63)); }) == "BadToken");
}

TEST_CASE("without keys there are no secrets, and the message says what to configure") {
  const Secrets none({});
  for (const auto& call :
       {std::function<void()>([&] { none.obf(1); }), std::function<void()>([&] { none.deobf("a"); }),
        std::function<void()>([&] { none.token(1); }), std::function<void()>([&] { none.untoken("a"); })}) {
    CHECK(refusal(call) == "EngineDisabled");
    CHECK_THROWS_WITH(call(), "obf and token need keys: name a keys_file, or set ZEROSUITE_ID_KEYS");
  }
}

const std::string kDigits = "000102030405060708090a0b0c0d0e0f";
const std::string kDigitsToo = "ffeeddccbbaa99887766554433221100";

/// The keys' characters, in order.
std::string ids_of(const std::vector<SecretKey>& keys) {
  std::string ids;
  for (const SecretKey& key : keys) ids.push_back(key.id);
  return ids;
}

template <class F>
std::string keys_or_refusal(F read) {
  try {
    return "keys " + ids_of(read());
  } catch (const core::Failure& failure) {
    REQUIRE(failure.name() == "InvalidArgument");
    return failure.what();
  }
}

std::string refusal_of(const std::string& text) {
  return keys_or_refusal([&] { return parse_keys(text, "keys"); });
}

struct KeyFile {
  explicit KeyFile(const std::string& text, mode_t mode = 0600) {
    test::write_file(path, text);
    ::chmod(path.c_str(), mode);
  }

  test::TemporaryFolder folder;
  std::string path = folder.path() / "keys";
};

TEST_CASE("keys are read in their order, without comments and blanks") {
  const auto keys =
      parse_keys("# of May\n\nb " + kDigits + "\r\n  a\t" + kDigitsToo + "  # of April\n", "keys");
  REQUIRE(ids_of(keys) == "ba");
  CHECK(keys[0].bytes.size() == 16);
  CHECK(keys[0].bytes.front() == 0);
  CHECK(keys[0].bytes.back() == 15);
  CHECK(keys[1].bytes.front() == 0xff);
  CHECK(keys[1].bytes[1] == 0xee);
}

TEST_CASE("keys of the environment are separated by commas") {
  CHECK(ids_of(parse_keys("b " + kDigits + ",a " + kDigitsToo, "ZEROSUITE_ID_KEYS", ',')) == "ba");
}

TEST_CASE("a key has from 128 to 512 bits, in digits of either case") {
  CHECK(parse_keys("a " + std::string(128, 'F'), "keys").front().bytes ==
        core::SecretVector<unsigned char>(64, 0xff));
  CHECK(refusal_of("a " + kDigits.substr(2)) ==
        "keys:1: a key has from 32 to 128 hexadecimal digits, an even number of them; this one has 30");
  CHECK(refusal_of("a " + kDigits + "0").ends_with("this one has 33"));
  CHECK(refusal_of("a " + std::string(130, '0')).ends_with("this one has 130"));
}

TEST_CASE("a line that is no key is refused by its number, without what it says") {
  const std::string secret = "5ec2e75ec2e75ec2e75ec2e75ec2e75e";
  for (const std::string& line :
       {secret, "ab " + secret, "- " + secret, "a" + secret, std::string("a"), "a " + secret.substr(4),
        "a " + secret + "zz", "a " + secret + " " + secret, "é " + secret, "a 0x" + secret}) {
    const std::string message = refusal_of("# first\nz " + kDigits + "\n" + line);
    CHECK_MESSAGE(message.starts_with("keys:3: "), message);
    CHECK_MESSAGE(message.find("5ec2") == message.npos, message);
  }
}

TEST_CASE("two keys of one character are refused") {
  CHECK(refusal_of("a " + kDigits + "\nb " + kDigits + "\na " + kDigitsToo) ==
        "keys:3: there is a key 'a' already");
}

TEST_CASE("keys without a key are refused") {
  for (const char* text : {"", "\n", "# none yet\n"})
    CHECK(refusal_of(text) == "keys: there is no key in it");
}

TEST_CASE("a file of keys is read") {
  const KeyFile file("a " + kDigits + "\n" + std::string(5000, '#') + "\nb " + kDigits);
  CHECK(ids_of(read_keys(file.path)) == "ab");
}

TEST_CASE("a line of a file is refused by the file and the line") {
  const KeyFile file("a " + kDigits + "\nb\n");
  CHECK(keys_or_refusal([&] { return read_keys(file.path); }).starts_with(file.path + ":2: "));
}

TEST_CASE("a file of keys that others may read or write is refused") {
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0644, 0610}) {
    const KeyFile file("a " + kDigits, mode);
    CHECK(keys_or_refusal([&] { return read_keys(file.path); }) ==
          file.path + ": others than its owner may read or write this secret; chmod 600 it");
  }
  const KeyFile file("a " + kDigits, 0400);
  CHECK(ids_of(read_keys(file.path)) == "a");
}

TEST_CASE("a file of keys that is not there, or is no file, is refused by its name") {
  const test::TemporaryFolder folder;
  const std::string missing = folder.path() / "missing";
  CHECK(keys_or_refusal([&] { return read_keys(missing); }) == missing + ": No such file or directory");
  CHECK(keys_or_refusal([&] { return read_keys(folder.path()); }) ==
        folder.path().string() + ": it is no file");
}

}  // namespace zerosuite::id::secrets_test
