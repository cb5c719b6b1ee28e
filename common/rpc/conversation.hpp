// The rules of a call that a server and a proxy share: the credit its client has granted, and the deadline
// for the first reply event.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/clock.hpp"
#include "wire/event.hpp"

namespace zerosuite::rpc {

/// From this version of the protocol on, clients send heartbeats unprompted.
inline constexpr std::uint64_t kFirstActiveVersion = 2;
/// From this version on, grants are separate events; before, heartbeats carry them.
inline constexpr std::uint64_t kCreditsApart = 3;

/// The number of items a client's event grants; nullopt when it is not a granting event. The args need not
/// have been checked.
inline std::optional<std::uint64_t> grant_in(std::uint64_t version, std::string_view event,
                                             std::string_view args) {
  const bool grants = event == wire::kMore || (event == wire::kHeartbeat && version < kCreditsApart);
  return grants ? std::optional(wire::grant_of(args)) : std::nullopt;
}

class Conversation {
 public:
  Conversation() = default;
  /// `timeout_ms` is the request's, counted from `now`; more than thirty years counts as none.
  Conversation(std::uint64_t version, std::optional<std::int64_t> timeout_ms, core::TimePoint now);

  std::uint64_t version() const { return version_; }
  /// Adds what the client's event grants, up to a credit of `most`. Returns whether it is a granting event.
  bool grant(std::string_view event, std::string_view args, std::uint32_t most);
  /// Whether the client will take one more reply event. The first needs no grant (docs/protocol.md,
  /// "Credit").
  bool has_credit() const { return credit_ > 0; }
  /// To be called when a reply event is sent: uses one credit and clears the deadline.
  void replied();
  /// Deadline for the first reply event, like a stock client's timeout; TimePoint::max() when there is none
  /// or it was cleared.
  core::TimePoint deadline() const { return deadline_; }

 private:
  std::uint64_t version_ = kCreditsApart;
  std::uint32_t credit_ = 1;
  core::TimePoint deadline_ = core::TimePoint::max();
};

inline Conversation::Conversation(std::uint64_t version, std::optional<std::int64_t> timeout_ms,
                                  core::TimePoint now)
    : version_(version) {
  constexpr std::int64_t kNever = std::int64_t{1} << 40;
  if (timeout_ms && *timeout_ms < kNever) deadline_ = now + core::milliseconds(*timeout_ms);
}

inline bool Conversation::grant(std::string_view event, std::string_view args, std::uint32_t most) {
  const auto items = grant_in(version_, event, args);
  if (items)
    credit_ += static_cast<std::uint32_t>(std::min<std::uint64_t>(*items, most - std::min(credit_, most)));
  return items.has_value();
}

inline void Conversation::replied() {
  credit_ -= std::min(credit_, 1U);
  deadline_ = core::TimePoint::max();
}

}  // namespace zerosuite::rpc
