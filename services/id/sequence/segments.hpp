// Named sequences that are reserved by the segment: unique and trend-increasing over all issuers and callers
// (Meituan's Leaf, "segment"; Didi's TinyID).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "id/sequence/range_buffer.hpp"
#include "id/stores/lru_map.hpp"
#include "id/stores/store.hpp"
#include "net/timers.hpp"

namespace zerosuite::id {

struct SegmentOptions {
  RangeBufferOptions buffer;
  std::size_t max_tags = 100'000;  ///< Kept in memory; more are no error, but evict idle ones.
};

/// A tag, and what this process has of it.
struct TagInfo {
  Tag tag;
  std::optional<std::int64_t> cur = {};  ///< The next value here; nullopt when none is reserved.
  std::size_t ranges = 0;
  std::int64_t left = 0;  ///< Values reserved and not used.
  double rate = 0;        ///< Values a second.
  std::size_t parked = 0;

  /// Whether there is a range to go on with when the present one is used up.
  bool next_ready() const { return ranges > 1; }
};

/// Belongs to the loop's thread. All of it may throw core::Failure InvalidArgument for a name or a tag that
/// cannot be.
class Segments {
 public:
  Segments(net::Timers& timers, Store& store, SegmentOptions options);

  /// The tag's next value, greater than all of the tag that was answered here before. NoSuchTag;
  /// SegmentExhausted when the store gives no more for now, with {"retry_after_ms"}; RangeExhausted;
  /// StoreRegressed; Overloaded. `client` is who asks.
  void next(const std::string& tag, core::Done<std::int64_t> done, Client client = 0);
  /// `n` of them, ascending.
  void batch(const std::string& tag, std::int64_t n, core::Done<std::vector<std::int64_t>> done,
             Client client = 0);
  /// The same for a client to use up by itself: the values of the tag among lo … hi−1, which are n.
  void range(const std::string& tag, std::int64_t n, core::Done<Range> done, Client client = 0);

  /// TagExists, or the store's errors.
  void create(const Tag& tag, core::Done<Tag> done);
  /// NoSuchTag; InvalidArgument. What is reserved here by the old rules is not used any more.
  void update(const std::string& tag, const TagChange& change, core::Done<Tag> done);
  /// NoSuchTag. `done` gets the tag as it was.
  void remove(const std::string& tag, core::Done<Tag> done);
  void list(const TagPage& page, core::Done<std::vector<Tag>> done) { store_.tags(page, std::move(done)); }
  void info(const std::string& tag, core::Done<TagInfo> done);

  /// Another issuer has changed, or deleted, that tag.
  void changed(const std::string& tag);
  /// Nothing that was reserved before is used any more: this machine may have been copied.
  void void_all();
  /// Gives back what was not used; `done` runs once those who wait were answered and it is kept, or could not
  /// be.
  void stop(core::MoveFunction<void()> done);

 private:
  RangeBuffer& buffer(const std::string& tag);
  void forget_unknown(const std::string& tag, const core::Result<std::vector<Series>>& result);
  void forget(const std::string& tag, const core::Error& why);
  void send_update(const std::string& tag, const TagChange& change, core::Done<Tag> done);
  void updated(const std::string& tag, const TagChange& change, const core::Result<Tag>& result);
  void removed(const std::string& tag, const core::Result<Tag>& result);

  net::Timers& timers_;
  Store& store_;
  const SegmentOptions options_;
  LruMap<RangeBuffer> buffers_;
};

}  // namespace zerosuite::id
