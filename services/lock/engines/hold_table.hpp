// Who holds what, in memory: the embedded engine's table. Belongs to the loop's thread.
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

/// A hold as the engine keeps it.
struct StoredHold {
  Token token = 0;
  Row spec;
  core::TimePoint ends = {};    ///< Of its lease.
  unsigned int unanswered = 0;  ///< Calls that begin its lease anew, but are not answered yet.

  bool passed(core::TimePoint now) const { return unanswered == 0 && ends <= now; }
  core::milliseconds remaining(core::TimePoint now) const;
};

/// All who hold one name may hold it together: an acquire ends first those in its way whose lease has passed.
/// So one of them speaks for all, and a name may have very many without being slow.
class HoldTable {
 public:
  /// What stands between a claim and its names.
  enum class Way : std::uint8_t {
    kFree,
    kLapsed,  ///< Only holds whose lease has passed.
    kTaken,
  };

  Way way(const LockSpec& spec, core::TimePoint now) const;
  /// A hold on one of the names whose lease has passed; null when there is none.
  const StoredHold* lapsed(const std::vector<std::string>& names, core::TimePoint now) const;
  /// When the lease of somebody on the name will pass at the earliest; `now` when nobody holds it.
  core::TimePoint first_lapse(const std::string& name, core::TimePoint now) const;

  /// The longest lease of those that hold something, and of some that gave it back a short time ago.
  core::milliseconds longest_lease(core::TimePoint now);
  /// When that may become shorter though nothing is asked any more; the end of the clock if not at all.
  core::TimePoint shorter_at() const;

  /// No hold may have that token.
  void add(StoredHold kept);
  /// Takes the place of the hold with that token; the names and permits stay the same.
  void replace(StoredHold kept, core::TimePoint now);
  void remove(Token token, core::TimePoint now);
  /// Null when the token holds nothing.
  const StoredHold* find(Token token) const;
  /// In order of tokens; also those whose lease has passed.
  std::vector<const StoredHold*> all() const;

 private:
  // Those first whose lease passes first; the unanswered, which cannot pass, last.
  struct PassesEarlier {
    bool operator()(const StoredHold* one, const StoredHold* other) const;
  };
  // Those whose leases are as long as one another, within a factor of two.
  struct Length {
    std::size_t count = 0;
    core::milliseconds longest{0};  // since there last were none
    core::TimePoint until = {};     // it is kept in mind when there are none any more
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
  std::size_t longest_ = 0;  // no greater one is in use
  std::unordered_map<std::string, Holders, core::KeyedHash> names_;
};

/// now + lease; the end of the clock when that lies beyond it.
core::TimePoint lease_end(core::TimePoint now, core::milliseconds lease);

}  // namespace zerosuite::lock::engines
