// Memory for secrets: in no core dump, not swapped out where the kernel allows it, and
// wiped when it is freed (libsodium, "Secure memory"). What is handed on from it, to a stack or to the
// kernel, is not, so little as possible should be.
#pragma once

#include <cstddef>
#include <limits>
#include <new>
#include <string_view>
#include <vector>

namespace zerosuite::core {

/// To be called before anything else of libsodium: by each program at its start, by a library where it first
/// uses it. May be called again. Throws std::runtime_error when libsodium cannot be used here. Any thread.
void start_sodium();

/// At least a page each; throws std::bad_alloc.
void* allocate_secret(std::size_t bytes);
void free_secret(void* memory) noexcept;
/// The compiler does not remove it as a dead store.
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

/// No std::string, which keeps short texts in itself.
using SecretText = SecretVector<char>;

inline SecretText secret_text(std::string_view text) { return {text.begin(), text.end()}; }
inline std::string_view view(const SecretText& text) { return {text.data(), text.size()}; }

}  // namespace zerosuite::core
