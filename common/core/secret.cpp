#include "core/secret.hpp"

#include <sodium.h>

#include <stdexcept>

namespace zerosuite::core {

void start_sodium() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be used on this machine");
}

void* allocate_secret(std::size_t bytes) {
  start_sodium();
  // sodium_malloc() aligns the end of the memory to a page, so arrays of whole objects are aligned.
  void* const memory = sodium_malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void free_secret(void* memory) noexcept { sodium_free(memory); }

void wipe(void* memory, std::size_t bytes) noexcept { sodium_memzero(memory, bytes); }

}  // namespace zerosuite::core
