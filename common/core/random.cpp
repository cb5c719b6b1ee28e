#include "core/random.hpp"

#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>

#include "core/text.hpp"

namespace zerosuite::core {
namespace {

constexpr std::size_t kHead = sizeof(std::size_t);

[[noreturn]] void fail(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

}  // namespace

void fill_random(std::span<std::byte> out) {
  while (!out.empty()) {
    const auto got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  fill_random(std::as_writable_bytes(std::span(&bits, 1)));
  return bits;
}

std::string random_hex(std::size_t bytes) {
  std::string bits(bytes, '\0');
  fill_random(std::as_writable_bytes(std::span(bits)));
  return hex(bits);
}

WipedOnFork::WipedOnFork() {
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) fail("mmap");
  bytes_ = {static_cast<std::byte*>(page), size};
  if (::madvise(page, size, MADV_WIPEONFORK) == 0) return;
  const int why = errno;
  ::munmap(page, size);
  errno = why;
  fail("madvise");
}

WipedOnFork::~WipedOnFork() { ::munmap(bytes_.data(), bytes_.size()); }

std::size_t& Entropy::left() const {
  return *std::launder(reinterpret_cast<std::size_t*>(page_.bytes().data()));
}

void Entropy::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    if (left() == 0) refill();
    const std::size_t count = std::min(out.size(), left());
    left() -= count;
    std::byte* const from = page_.bytes().data() + kHead + left();
    std::memcpy(out.data(), from, count);
    ::explicit_bzero(from, count);
    out = out.subspan(count);
  }
}

std::uint64_t Entropy::bits() {
  std::uint64_t bits = 0;
  fill(std::as_writable_bytes(std::span(&bits, 1)));
  return bits;
}

void Entropy::forget() { ::explicit_bzero(page_.bytes().data(), page_.bytes().size()); }

void Entropy::refill() {
  const std::span<std::byte> room = page_.bytes().subspan(kHead);
  fill_random(room);
  left() = room.size();  // only now: a partly filled page does not count
}

}  // namespace zerosuite::core
