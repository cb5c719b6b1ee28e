// Unpredictable bytes from the kernel (getrandom(2)), directly or by the page, and fresh after fork(2) either
// way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace zerosuite::core {

/// Fills `out` with kernel randomness. Throws std::system_error when the kernel refuses. Any thread.
void fill_random(std::span<std::byte> out);

/// 64 random bits. Any thread.
std::uint64_t random_bits();

/// `bytes` random bytes as lower-case hexadecimal digits, e.g. for a name that cannot be guessed. Any thread.
std::string random_hex(std::size_t bytes);

/// Memory of one page that a child process finds zeroed (madvise(2), MADV_WIPEONFORK). Throws
/// std::system_error when the kernel refuses.
class WipedOnFork {
 public:
  WipedOnFork();
  ~WipedOnFork();
  WipedOnFork(const WipedOnFork&) = delete;
  WipedOnFork& operator=(const WipedOnFork&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

/// Detects whether this process is a fork of the one that made the mark.
class ForkMark {
 public:
  ForkMark() { renew(); }

  /// True in a child of the process that made or renewed the mark: whatever was reserved belongs to the
  /// parent.
  bool forked() const { return page_.bytes()[0] == std::byte{0}; }
  /// Makes the mark this process's own.
  void renew() { page_.bytes()[0] = std::byte{1}; }

 private:
  WipedOnFork page_;
};

/// Buffered getrandom(2): random bytes by the page, so that one call to the kernel serves hundreds of ids;
/// never the same bytes in two processes, since in a child after fork(2) the page is empty. For one thread.
/// Bytes handed out are wiped from the buffer.
class Entropy {
 public:
  /// Throws std::system_error when the kernel gives no randomness.
  void fill(std::span<std::byte> out);
  /// 64 random bits. Throws as fill().
  std::uint64_t bits();
  /// Discards the buffer: another copy of this (virtual) machine may hold the same bytes.
  void forget();

 private:
  std::size_t& left() const;
  void refill();

  WipedOnFork page_;  // begins with the number of bytes left; zero in a child
};

}  // namespace zerosuite::core
