// Which worker gets the next call: the less loaded of two drawn at random (Mitzenmacher, "The Power of Two
// Choices in Randomized Load Balancing", 2001). Pure: time and loads in, a choice out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "core/clock.hpp"

namespace zerosuite::proxy {

/// What a choice looks at.
struct Load {
  std::size_t outstanding = 0;  ///< Calls and streams not ended yet.
  std::uint32_t weight = 100;
  std::size_t max_inflight = 65'536;
  core::TimePoint since{};          ///< When it joined.
  core::TimePoint used{};           ///< When it last got a call.
  core::TimePoint full_until{};     ///< Its pipe took no more a moment ago.
  core::TimePoint ejected_until{};  ///< It answered Unavailable too often.
  std::uint32_t failures = 0;       ///< Answers of that kind in a row.
  std::uint32_t ejections = 0;      ///< In a row.
  bool draining = false;            ///< It is about to end.
  bool paused = false;              ///< Somebody asked to give it no calls for a while.
  bool gone = false;                ///< Known to be dead, and about to be removed.

  bool alive() const { return !draining && !paused && !gone; }
  bool has_room(core::TimePoint now) const {
    return alive() && outstanding < max_inflight && now >= full_until;
  }
  bool ejected(core::TimePoint now) const { return now < ejected_until; }
};

struct BalanceOptions {
  core::milliseconds slow_start{5000};       ///< A new worker's share grows from a tenth to all of it.
  std::uint32_t eject_after = 5;             ///< Answers of Unavailable in a row.
  core::milliseconds eject_for{1000};        ///< The first time; then twice as long each time,
  core::milliseconds eject_longest{30'000};  ///< up to this.
};

/// Belongs to the loop's thread.
class Balance {
 public:
  Balance(const BalanceOptions& options, std::uint64_t seed) : options_(options), state_(seed | 1) {}

  /// One of `count` workers; `load_of(i)` is null for one that cannot take the call. Ejected workers are
  /// chosen only when there is nobody else with room. nullopt when nobody has room.
  using LoadOf = std::function<const Load*(std::size_t)>;
  std::optional<std::size_t> pick(std::size_t count, const LoadOf& load_of, core::TimePoint now);

  /// The worker that owns `key` among those alive: always the same while they are, and few keys change hands
  /// when one comes or goes (rendezvous hashing: Thaler and Ravishankar, 1998). `id_of(i)` names a worker
  /// that can take the call and is empty for others.
  using IdOf = std::function<std::string_view(std::size_t)>;
  static std::optional<std::size_t> owner(std::size_t count, const IdOf& id_of, std::string_view key);

  /// A call ended; `unavailable` when its answer was that error.
  void answered(Load& load, bool unavailable, core::TimePoint now) const;

 private:
  std::size_t random_below(std::size_t count);
  bool better(const Load& a, const Load& b, core::TimePoint now);
  double share(const Load& load, core::TimePoint now) const;

  BalanceOptions options_;
  std::uint64_t state_;
};

}  // namespace zerosuite::proxy
