// Counters of the proxy since its start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace zerosuite::proxy {

struct Counters {
  std::uint64_t calls = 0;
  std::uint64_t retries = 0;       ///< Idempotent calls given to a second worker.
  std::uint64_t clients_lost = 0;  ///< Connections that were lost with calls open.
  std::uint64_t workers_lost = 0;  ///< Not counting those that deregistered.
  std::uint64_t abandoned = 0;     ///< Calls whose client was gone or had fallen silent.
  std::uint64_t expired = 0;       ///< Channels closed because a side was silent for too long.
  std::uint64_t duplicates = 0;    ///< Calls under an id that was in use.
  std::uint64_t strays = 0;        ///< Workers' events for channels they do not have, or no longer.
  std::uint64_t refused = 0;       ///< Registrations.
  std::map<std::string, std::uint64_t, std::less<>> errors;  ///< By name.

  void count_error(std::string_view name) {
    constexpr std::size_t kMostNames = 256;  // bounded, since the names come from workers
    auto found = errors.find(name);
    if (found == errors.end())
      found = errors.try_emplace(errors.size() < kMostNames ? std::string(name) : "other").first;
    ++found->second;
  }
};

}  // namespace zerosuite::proxy
