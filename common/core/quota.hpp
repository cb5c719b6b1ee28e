// Shares a limited number of places among clients.
#pragma once

#include <cstddef>

namespace zerosuite::core {

/// A client may take one more place while it has fewer than are still free, so that none can take them all:
/// one alone gets half of them, two a third each, and a newcomer always finds some (dynamic thresholds:
/// Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998). A sixteenth is reserved for calls
/// that release something for others, such as the release of a lock.
struct Quota {
  std::size_t total;
  std::size_t per_client;

  /// Whether a client that has `own` of the `used` places may take one more.
  bool admits(std::size_t own, std::size_t used) const {
    const std::size_t open = total - total / kKeptBack;
    return own < per_client && used < open && own < open - used;
  }
  /// The same for a call that releases something: may use the reserved places.
  bool admits_relief(std::size_t own, std::size_t used) const {
    return own < per_client + per_client / kKeptBack && used < total;
  }

 private:
  static constexpr std::size_t kKeptBack = 16;
};

}  // namespace zerosuite::core
