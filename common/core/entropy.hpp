// Random bytes by the page, so that one call to the kernel serves hundreds of ids, and yet never the same
// bytes in two processes: the page is empty in a child after fork(2) (madvise(2), MADV_WIPEONFORK).
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

/// Knows whether this process is still the one that made it.
class ForkMark {
 public:
  ForkMark() { renew(); }

  /// True in a child of the process that made or renewed it: what was reserved belongs to the parent.
  bool forked() const { return page_.bytes()[0] == std::byte{0}; }
  /// From now on it is this process' own.
  void renew() { page_.bytes()[0] = std::byte{1}; }

 private:
  WipedOnFork page_;
};

/// Buffered getrandom(2). Belongs to one thread. Bytes that were handed out are wiped from the buffer.
class Entropy {
 public:
  /// Throws std::system_error when the kernel gives no randomness.
  void fill(std::span<std::byte> out);
  /// 64 random bits. Throws as fill().
  std::uint64_t bits();
  /// Throws away what is buffered: another copy of this machine may hold the same.
  void forget();

 private:
  std::size_t& left() const;
  void refill();

  WipedOnFork page_;  // the first bytes count what is left; zero in a child
};

}  // namespace zerosuite::core
