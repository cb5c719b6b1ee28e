// A program of its own, because it counts what operator new hands out, and sanitizers want theirs elsewhere.
#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <new>
#include <string>

#include "support/golden.hpp"
#include "wire/event.hpp"

std::size_t allocated = 0;

void* operator new(std::size_t size) {
  allocated += size;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace zerosuite::wire {

const std::string kCall = test::from_hex("93 81 aa6d6573736167655f6964 05 a16d");  // its args follow

std::size_t allocated_by_decoding(const std::string& payload, Fault fault) {
  const std::size_t before = allocated;
  const Event event = decode(payload, Limits{});
  const std::size_t after = allocated;
  CHECK(event.fault == fault);
  return after - before;
}

TEST_CASE("what operator new hands out is counted here") {
  const std::size_t before = allocated;
  const std::vector<char> some(1000);
  CHECK(allocated == before + some.size());
}

TEST_CASE("an event is read without allocating, however much is in it") {
  std::string args = test::from_hex("dd 00010000");
  args.append(65536, '\x05');
  CHECK(allocated_by_decoding(kCall + args, Fault::kNone) == 0);
  const std::string deep = std::string(63, '\x91') + '\x90';
  CHECK(allocated_by_decoding(kCall + deep, Fault::kNone) == 0);
  CHECK(allocated_by_decoding(kCall + std::string(1000, '\x91'), Fault::kTooDeep) == 0);
}

TEST_CASE("a huge length that no bytes back allocates nothing") {
  for (const std::string hex :
       {"dd ffffffff 0102030405", "df ffffffff 0102030405", "db ffffffff 61", "c6 ffffffff 61",
        "c9 ffffffff 05 61", "93 dd ffffffff dd ffffffff dd ffffffff"}) {
    CAPTURE(hex);
    CHECK(allocated_by_decoding(kCall + test::from_hex(hex), Fault::kDamagedArgs) == 0);
  }
  for (const std::string hex :
       {"93 df ffffffff", "dd ffffffff", "93 81 db ffffffff", "93 81 dd ffffffff 01"}) {
    CAPTURE(hex);
    const std::string payload = test::from_hex(hex);
    const std::size_t before = allocated;
    const Event event = decode(payload, Limits{});
    const std::size_t after = allocated;
    CHECK(event.fault != Fault::kNone);
    CHECK(after == before);
  }
}

TEST_CASE("a list is allocated once, for as many values as there are") {
  const std::string bytes = test::from_hex("dc 0004 01 02 03 04");
  Reader in(bytes);
  const std::size_t before = allocated;
  const auto list = read<std::vector<std::int64_t>>(in);
  const std::size_t after = allocated;
  CHECK(list.size() == 4);
  CHECK(after == before + 4 * sizeof(std::int64_t));
}

}  // namespace zerosuite::wire
