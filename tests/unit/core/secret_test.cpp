#include "core/secret.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace zerosuite::core::secret_test {

// The flags of the mapping with that address in it (proc(5), smaps).
std::string flags_of(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> begin >> dash >> end && dash == '-')
      here = reinterpret_cast<std::uintptr_t>(address) >= begin &&
             reinterpret_cast<std::uintptr_t>(address) < end;
    if (here && line.starts_with("VmFlags:")) return line;
  }
  return {};
}

TEST_CASE("a secret is kept whole, however short, and in no core dump") {
  for (const std::string& text : {std::string("x"), std::string("open sesame"), std::string(10'000, 's')}) {
    const SecretText secret = secret_text(text);
    CHECK(view(secret) == text);
    CHECK(flags_of(secret.data()).find(" dd") != std::string::npos);
    const SecretText copy = secret;
    CHECK(copy == secret);
    CHECK(flags_of(copy.data()).find(" dd") != std::string::npos);
  }
  const std::string plain(10'000, 'p');
  CHECK(flags_of(plain.data()).find("VmFlags:") == 0);
  CHECK(flags_of(plain.data()).find(" dd") == std::string::npos);
  CHECK(view(SecretText()).empty());
}

TEST_CASE("secrets of whole objects are aligned as these are") {
  for (const std::size_t count : {1, 3, 1000}) {
    const SecretVector<std::uint64_t> numbers(count);
    CHECK(reinterpret_cast<std::uintptr_t>(numbers.data()) % alignof(std::uint64_t) == 0);
  }
}

TEST_CASE("what is wiped is zero") {
  std::string text = "open sesame";
  wipe(text.data() + 1, 3);
  CHECK(text == std::string("o\0\0\0 sesame", 11));
}

}  // namespace zerosuite::core::secret_test
