// What the proxy has done since its start.
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
  std::uint64_t clients_lost = 0;  ///< Connections that were gone with calls open.
  std::uint64_t workers_lost = 0;  ///< Not counting those that said good-bye.
  std::uint64_t abandoned = 0;     ///< Calls whose client was gone, or of which nothing was heard any more.
  std::uint64_t expired = 0;       ///< Channels of which nothing was heard any more.
  std::uint64_t duplicates = 0;    ///< Calls under an id that was in use.
  std::uint64_t strays = 0;        ///< Workers' events for channels they do not have, or not any more.
  std::uint64_t refused = 0;       ///< Registrations.
  std::map<std::string, std::uint64_t, std::less<>> errors;  ///< By name.

  void count_error(std::string_view name) {
    constexpr std::size_t kMostNames = 256;  // they come from workers
    auto found = errors.find(name);
    if (found == errors.end())
      found = errors.try_emplace(errors.size() < kMostNames ? std::string(name) : "other").first;
    ++found->second;
  }
};

}  // namespace zerosuite::proxy
