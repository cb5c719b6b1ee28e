// Undoes a call whose reply was sent but turns out not to have been delivered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "wire/envelope.hpp"

namespace zerosuite::rpc {

/// A reply that has left the server may cross the caller's `_zpx_cancel`, or reach a proxy that finds the
/// caller gone and reports it by the same event. For a while after the reply, the method that sent it is
/// notified. Loop thread only.
class Recalls {
 public:
  /// How long a reply may be in flight: a proxy that is silent for three seconds is given up, with all its
  /// calls.
  static constexpr core::milliseconds kKeptFor{10'000};
  /// Beyond this number the oldest are dropped. At 20 000 grants a second that is more than three seconds.
  static constexpr std::size_t kMost = 65'536;

  /// Records a reply to the call of that peer and encoded id; recall() may call `undo`.
  void keep(const wire::Envelope& peer, std::string_view id, std::function<void()> undo, core::TimePoint now);
  /// The reply was not delivered: calls its `undo`. Returns false when none is kept, or no longer.
  bool recall(const wire::Envelope& peer, std::string_view id, core::TimePoint now);
  /// Number of replies kept; a reused id counts once for each of its replies.
  std::size_t size() const { return size_; }

 private:
  struct Entry {
    std::uint64_t name = 0;    // name_of_call(), with the link: clients of two proxies may share a name
    std::uint64_t before = 0;  // number of the next older entry in its bucket
    core::TimePoint until;
    std::function<void()> undo;  // null once recalled
  };

  Entry* find(std::uint64_t name);
  std::uint64_t& latest(std::uint64_t name);
  void forget(core::TimePoint now);

  // Every grant of a lock passes through here, and nearly every entry just expires. So an entry is written
  // once, at the end of a queue; when it is removed, links to it are left as they are, since a number below
  // first_ counts as none.
  std::deque<Entry> entries_;           // in order of expiry
  std::uint64_t first_ = 1;             // number of the first entry
  std::vector<std::uint64_t> buckets_;  // number of the newest entry of each; below first_ = empty
  std::size_t size_ = 0;
};

}  // namespace zerosuite::rpc
