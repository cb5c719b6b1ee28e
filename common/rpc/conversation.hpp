// The rules of a call that hold for a server and for the proxy in between: what its client has
// granted, and until when it waits for a first answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/clock.hpp"

namespace zerosuite::rpc {

/// From this version of the protocol on clients send heartbeats of their own accord.
inline constexpr std::uint64_t kFirstActiveVersion = 2;
/// From this version on grants are events of their own; before, heartbeats carry them.
inline constexpr std::uint64_t kCreditsApart = 3;

/// How many items an event of a client grants; nullopt when it is not one that grants. The args need not have
/// been checked.
std::optional<std::uint64_t> grant_in(std::uint64_t version, std::string_view event, std::string_view args);

class Conversation {
 public:
  Conversation() = default;
  /// `timeout_ms` is the request's, counted from `now`; one beyond thirty years is none.
  Conversation(std::uint64_t version, std::optional<std::int64_t> timeout_ms, core::TimePoint now);

  std::uint64_t version() const { return version_; }
  /// Takes in what the client's event grants; never more than `most` are granted ahead. Whether it is one
  /// that grants.
  bool grant(std::string_view event, std::string_view args, std::uint32_t most);
  /// Whether the client will take one more reply event. The first is free (docs/protocol.md, "Credit").
  bool has_credit() const { return credit_ > 0; }
  /// A reply event is sent: it takes a credit, and ends the deadline.
  void replied();
  /// For the first reply event, as a stock client's time-out is; TimePoint::max() when there is none, or no
  /// more.
  core::TimePoint deadline() const { return deadline_; }

 private:
  std::uint64_t version_ = kCreditsApart;
  std::uint32_t credit_ = 1;
  core::TimePoint deadline_ = core::TimePoint::max();
};

}  // namespace zerosuite::rpc
