// Memory for secrets: excluded from core dumps, not swapped out where the kernel allows it, and wiped when
// freed (libsodium, "Secure memory"). Copies on a stack or in the kernel have none of this, so make as few as
// possible.
#pragma once

#include <cstddef>
#include <limits>
#include <new>
#include <string_view>
#include <vector>

namespace zerosuite::core {

/// To be called before any other use of libsodium: by each program at its start, by a library before its
/// first use. May be called repeatedly. Throws std::runtime_error when libsodium cannot be used here. Any
/// thread.
void start_sodium();

/// Takes at least a page for each allocation. Throws std::bad_alloc.
void* allocate_secret(std::size_t bytes);
void free_secret(void* memory) noexcept;
/// Zeroes the memory; the compiler does not remove this as a dead store.
void wipe(void* memory, std::size_t bytes) noexcept;

template <class T>
struct SecretAllocator {
  using value_type = T;

  SecretAllocator() = default;
  template <class Other>
  SecretAllocator(const SecretAllocator<Other>&) {}

  T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(allocate_secret(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t) noexcept { free_secret(memory); }

  friend bool operator==(const SecretAllocator&, const SecretAllocator&) { return true; }
};

template <class T>
using SecretVector = std::vector<T, SecretAllocator<T>>;

/// Not std::string, which stores short texts inside the object.
using SecretText = SecretVector<char>;

inline SecretText secret_text(std::string_view text) { return {text.begin(), text.end()}; }
inline std::string_view view(const SecretText& text) { return {text.data(), text.size()}; }

}  // namespace zerosuite::core
