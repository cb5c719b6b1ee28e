// Random bytes by the page, so that one call to the kernel serves hundreds of ids; never the same bytes in
// two processes: in a child after fork(2) the page is empty (madvise(2), MADV_WIPEONFORK).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace zerosuite::core {

/// Memory of one page that a child process finds zeroed. Throws std::system_error when the kernel refuses.
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

/// Buffered getrandom(2). For one thread. Bytes handed out are wiped from the buffer.
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
