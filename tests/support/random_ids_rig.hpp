// Random ids on clocks that the test moves, and what can be read from their texts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "id/random/random_ids.hpp"
#include "support/fake_clocks.hpp"

namespace zerosuite::test {

using Texts = std::vector<std::string>;

inline constexpr id::RandomKind kKinds[] = {
    id::RandomKind::kUuid4, id::RandomKind::kUuid6, id::RandomKind::kUuid7,   id::RandomKind::kUlid,
    id::RandomKind::kKsuid, id::RandomKind::kXid,   id::RandomKind::kObjectId};
/// Those that rise from one to the next.
inline constexpr id::RandomKind kRising[] = {id::RandomKind::kUuid6, id::RandomKind::kUuid7,
                                             id::RandomKind::kUlid, id::RandomKind::kKsuid};

struct RandomIdsRig {
  std::string one(id::RandomKind kind) { return ids.issue(kind, 1).front(); }

  FakeClocks clocks;
  id::IdTime time{clocks};
  core::Entropy entropy;
  id::RandomIds ids{time, entropy};
};

inline bool rises(const Texts& texts) {
  return std::adjacent_find(texts.begin(), texts.end(), std::greater_equal<>()) == texts.end();
}

inline std::size_t different(const Texts& texts) { return std::set(texts.begin(), texts.end()).size(); }

/// The number in the hexadecimal digits of a part of a text, without its hyphens.
inline std::int64_t hex(std::string text, std::size_t from, std::size_t count) {
  std::erase(text, '-');
  return std::stoll(text.substr(from, count), nullptr, 16);
}

inline std::string node_of(const std::string& uuid) { return uuid.substr(24); }

}  // namespace zerosuite::test
