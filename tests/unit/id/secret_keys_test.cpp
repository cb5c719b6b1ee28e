#include "id/secret/secret_keys.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::id::secret_keys_test {

const std::string kDigits = "000102030405060708090a0b0c0d0e0f";
const std::string kDigitsToo = "ffeeddccbbaa99887766554433221100";

/// The keys' characters, in order.
std::string ids_of(const std::vector<SecretKey>& keys) {
  std::string ids;
  for (const SecretKey& key : keys) ids.push_back(key.id);
  return ids;
}

template <class F>
std::string refusal(F read) {
  try {
    return "keys " + ids_of(read());
  } catch (const core::Failure& failure) {
    REQUIRE(failure.name() == "InvalidArgument");
    return failure.what();
  }
}

std::string refusal_of(const std::string& text) {
  return refusal([&] { return parse_keys(text, "keys"); });
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
  CHECK(refusal([&] { return read_keys(file.path); }).starts_with(file.path + ":2: "));
}

TEST_CASE("a file of keys that others may read or write is refused") {
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0644, 0610}) {
    const KeyFile file("a " + kDigits, mode);
    CHECK(refusal([&] { return read_keys(file.path); }) ==
          file.path + ": others than its owner may read or write this secret; chmod 600 it");
  }
  const KeyFile file("a " + kDigits, 0400);
  CHECK(ids_of(read_keys(file.path)) == "a");
}

TEST_CASE("a file of keys that is not there, or is no file, is refused by its name") {
  const test::TemporaryFolder folder;
  const std::string missing = folder.path() / "missing";
  CHECK(refusal([&] { return read_keys(missing); }) == missing + ": No such file or directory");
  CHECK(refusal([&] { return read_keys(folder.path()); }) == folder.path().string() + ": it is no file");
}

}  // namespace zerosuite::id::secret_keys_test
