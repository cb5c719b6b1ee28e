// The embedded engine's in-memory table of holds. Loop thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.hpp"
#include "core/keyed_hash.hpp"
#include "lock/engine.hpp"
#include "lock/engines/hold_store.hpp"

namespace zerosuite::lock::engines {

/// A hold as the engine stores it.
struct StoredHold {
  Token token = 0;
  Row spec;
  core::TimePoint ends = {};    ///< When its lease ends.
  unsigned int unanswered = 0;  ///< Calls that restart its lease and are not completed yet.

  bool passed(core::TimePoint now) const { return unanswered == 0 && ends <= now; }
  core::milliseconds remaining(core::TimePoint now) const;
};

/// The holds of one name never conflict with each other: an acquire first ends the expired holds in its way.
/// So checking one of them suffices, and a name with very many holds is not slow.
class HoldTable {
 public:
  /// What is in the way of an acquire.
  enum class Way : std::uint8_t {
    kFree,
    kLapsed,  ///< Only expired holds.
    kTaken,
  };

  Way way(const LockSpec& spec, core::TimePoint now) const;
  /// An expired hold on one of the names; null if there is none.
  const StoredHold* lapsed(const std::vector<std::string>& names, core::TimePoint now) const;
  /// The earliest time at which a hold on the name can expire; `now` if it is not held.
  core::TimePoint first_lapse(const std::string& name, core::TimePoint now) const;

  /// The longest lease of the current holds, and of some released recently.
  core::milliseconds longest_lease(core::TimePoint now);
  /// When longest_lease() may decrease without any further call; TimePoint::max() if never.
  core::TimePoint shorter_at() const;

  /// No hold may have that token.
  void add(StoredHold kept);
  /// Replaces the hold with that token; the names and permits must be the same.
  void replace(StoredHold kept, core::TimePoint now);
  void remove(Token token, core::TimePoint now);
  /// Null if the token holds nothing.
  const StoredHold* find(Token token) const;
  /// All holds, expired ones too, ordered by token.
  std::vector<const StoredHold*> all() const;

 private:
  // Ordered by the end of the lease; holds with uncompleted calls, which cannot expire, come last.
  struct PassesEarlier {
    bool operator()(const StoredHold* one, const StoredHold* other) const;
  };
  // The holds whose leases have the same length, within a factor of two.
  struct Length {
    std::size_t count = 0;
    core::milliseconds longest{0};  // since `count` was last 0
    core::TimePoint until = {};     // until when `longest` counts after `count` has dropped to 0
  };
  static constexpr std::size_t kLengths = 64;

  void count(const StoredHold& kept);
  void uncount(const StoredHold& kept, core::TimePoint now);

  struct Holders {
    std::set<const StoredHold*, PassesEarlier> by_end;
    std::uint64_t permits = 0;
  };

  static Way way_to(const Holders& holders, const LockSpec& spec, core::TimePoint now);
  const Holders& holders(const std::string& name) const;

  std::unordered_map<Token, StoredHold> kept_;
  std::array<Length, kLengths> lengths_;
  std::size_t longest_ = 0;  // no greater index of lengths_ is in use
  std::unordered_map<std::string, Holders, core::KeyedHash> names_;
};

/// now + lease, at most TimePoint::max().
core::TimePoint lease_end(core::TimePoint now, core::milliseconds lease);

}  // namespace zerosuite::lock::engines
