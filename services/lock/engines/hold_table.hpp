// Who holds what, in memory: the embedded engine's table. Belongs to the loop's thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.hpp"
#include "lock/engine.hpp"
#include "lock/engines/store.hpp"

namespace zerosuite::lock::engines {

struct Hold {
  Token token = 0;
  Row claim;
  core::TimePoint ends;         ///< Of its lease.
  unsigned int unanswered = 0;  ///< Calls that begin its lease anew, but are not answered yet.

  bool passed(core::TimePoint now) const { return unanswered == 0 && ends <= now; }
  core::milliseconds remaining(core::TimePoint now) const;
};

class HoldTable {
 public:
  /// What stands between a claim and its names.
  enum class Way : std::uint8_t {
    kFree,
    kLapsed,  ///< Only holds whose lease has passed.
    kTaken,
  };

  Way way(const Claim& claim, core::TimePoint now) const;
  /// Holds on the names whose lease has passed, each once.
  std::vector<Hold*> lapsed(const std::vector<std::string>& names, core::TimePoint now);

  /// No hold may have that token.
  Hold& add(Token token, Row claim);
  void remove(Hold& hold);
  /// Null when the token holds nothing.
  Hold* find(Token token);
  /// In order of tokens; also those whose lease has passed.
  const std::vector<Hold*>& of(const std::string& name) const;
  std::vector<const Hold*> all() const;

 private:
  std::unordered_map<Token, Hold> holds_;
  std::unordered_map<std::string, std::vector<Hold*>> names_;
};

/// now + lease; the end of the clock when that lies beyond it.
core::TimePoint lease_end(core::TimePoint now, core::milliseconds lease);

}  // namespace zerosuite::lock::engines
