// Which worker gets the next call: the less loaded of two drawn at random (Mitzenmacher, "The Power of Two
// Choices in Randomized Load Balancing", 2001). Does no I/O and reads no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "core/clock.hpp"

namespace zerosuite::proxy {

/// The state of a worker that a choice depends on.
struct Load {
  std::size_t outstanding = 0;  ///< Calls and streams that have not ended.
  std::uint32_t weight = 100;
  std::size_t max_inflight = 65'536;
  core::TimePoint since{};          ///< When it joined.
  core::TimePoint used{};           ///< When it last got a call.
  core::TimePoint full_until{};     ///< Gets no calls until then: its pipe was full.
  core::TimePoint ejected_until{};  ///< It replied Unavailable too often.
  std::uint32_t failures = 0;       ///< Consecutive replies of Unavailable.
  std::uint32_t ejections = 0;      ///< Consecutive ejections.
  bool draining = false;            ///< It is about to stop.
  bool paused = false;              ///< An operator has drained it; it may be resumed.
  bool gone = false;                ///< Known to be dead, and about to be removed.

  bool alive() const { return !draining && !paused && !gone; }
  bool has_room(core::TimePoint now) const {
    return alive() && outstanding < max_inflight && now >= full_until;
  }
  bool ejected(core::TimePoint now) const { return now < ejected_until; }
};

struct BalanceOptions {
  core::milliseconds slow_start{5000};       ///< A new worker's share grows from a tenth to all of it.
  std::uint32_t eject_after = 5;             ///< Consecutive replies of Unavailable.
  core::milliseconds eject_for{1000};        ///< The first time; doubled each time,
  core::milliseconds eject_longest{30'000};  ///< up to this.
};

/// Loop thread only.
class Balance {
 public:
  Balance(const BalanceOptions& options, std::uint64_t seed) : options_(options), state_(seed | 1) {}

  /// Picks one of `count` workers; `load_of(i)` is null for a worker that cannot take the call. Ejected
  /// workers are picked only if no other has room. nullopt if none has room.
  using LoadOf = std::function<const Load*(std::size_t)>;
  std::optional<std::size_t> pick(std::size_t count, const LoadOf& load_of, core::TimePoint now);

  /// The worker that owns `key`: always the same one for the same set of workers, and few keys move when a
  /// worker comes or goes (rendezvous hashing: Thaler and Ravishankar, 1998). `id_of(i)` is the id of a
  /// worker that can take the call, and empty for others.
  using IdOf = std::function<std::string_view(std::size_t)>;
  static std::optional<std::size_t> owner(std::size_t count, const IdOf& id_of, std::string_view key);

  /// A call has ended; `unavailable` if its reply was that error.
  void answered(Load& load, bool unavailable, core::TimePoint now) const;

 private:
  std::size_t random_below(std::size_t count);
  bool better(const Load& a, const Load& b, core::TimePoint now);
  double share(const Load& load, core::TimePoint now) const;

  BalanceOptions options_;
  std::uint64_t state_;
};

}  // namespace zerosuite::proxy
