// What to undo when an answer that was sent turns out to have reached nobody.
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

/// An answer that left the server may meet its caller's `_zpx_cancel` on the way, or a proxy that finds the
/// caller gone and says so by the same event. For a while after the answer, the method that gave it is told.
/// Belongs to the loop's thread.
class Recalls {
 public:
  /// How long an answer may be under way: a proxy that is silent for three seconds is given up, with all its
  /// calls.
  static constexpr core::milliseconds kKeptFor{10'000};
  /// The oldest are forgotten beyond it. At 20 000 grants a second that is more than three seconds.
  static constexpr std::size_t kMost = 65'536;

  /// The call of that peer and encoded id was answered; `undo` is called by recall(), if at all.
  void keep(const wire::Envelope& peer, std::string_view id, std::function<void()> undo, core::TimePoint now);
  /// The answer reached nobody: calls what was kept for it. False when nothing was, or not any more.
  bool recall(const wire::Envelope& peer, std::string_view id, core::TimePoint now);
  /// How many are kept; an id that was used again counts for each of its answers.
  std::size_t size() const { return size_; }

 private:
  struct Entry {
    std::uint64_t name = 0;    // name_of_call(): with the link, since clients of two proxies may share a name
    std::uint64_t before = 0;  // the number of the next older one in its bucket
    core::TimePoint until;
    std::function<void()> undo;  // null once it was recalled
  };

  Entry* find(std::uint64_t name);
  std::uint64_t& latest(std::uint64_t name);
  void forget(core::TimePoint now);

  // Every grant of a lock comes by here, and nearly every entry only expires. So it is written once, at the
  // end of a queue; when it goes, links to it are left as they are, since a number below first_ means
  // nothing.
  std::deque<Entry> entries_;           // in the order of their ends
  std::uint64_t first_ = 1;             // the number of the first of them
  std::vector<std::uint64_t> buckets_;  // for each the number of its newest entry; below first_ = empty
  std::size_t size_ = 0;
};

}  // namespace zerosuite::rpc
