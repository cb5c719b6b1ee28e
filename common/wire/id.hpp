// Message ids as zerorpc-python makes them: 32 lower-case hex characters in a bin8.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace zerosuite::wire {

/// Makes unique ids: 64 random bits drawn once, then a 64-bit counter. Peers never parse them. Not
/// thread-safe. After fork(2) create a new one: the copy would repeat its parent's ids.
class IdSource {
 public:
  static constexpr std::size_t kSize = 34;  ///< The encoded id: c4 20 and 32 characters.

  IdSource();

  /// The next id, msgpack-encoded; valid until the next call.
  std::string_view next();
  /// The counter in the id last returned by next(); the first is 1.
  std::uint64_t count() const { return count_; }
  /// The counter inside `text`, an id echoed by a peer as bin or str, without its msgpack prefix; nullopt
  /// when the id is not one of ours.
  std::optional<std::uint64_t> count_of(std::string_view text) const;

 private:
  std::array<char, kSize> encoded_;
  std::uint64_t count_ = 0;
};

}  // namespace zerosuite::wire
