// Named sequences that are reserved in segments: unique and trend-increasing across all issuers and callers
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
  std::size_t max_tags = 100'000;  ///< The maximum number in memory; beyond it, idle ones are evicted.
};

/// A tag, and what this process has reserved of it.
struct TagInfo {
  Tag tag;
  std::optional<std::int64_t> cur = {};  ///< The next value here; nullopt if none is reserved.
  std::size_t ranges = 0;
  std::int64_t left = 0;  ///< Values reserved and not yet used.
  double rate = 0;        ///< Values per second.
  std::size_t parked = 0;

  /// Whether another range follows the present one.
  bool next_ready() const { return ranges > 1; }
};

/// Belongs to the loop's thread. Every method may throw core::Failure InvalidArgument for an invalid name or
/// tag.
class Segments {
 public:
  Segments(net::Timers& timers, Store& store, SegmentOptions options);

  /// The tag's next value, greater than all that this process returned for the tag before. Errors: NoSuchTag;
  /// SegmentExhausted, with {"retry_after_ms"}, when the store grants no more values in time; RangeExhausted;
  /// StoreRegressed; Overloaded. `client` is the calling client.
  void next(const std::string& tag, core::Done<std::int64_t> done, Client client = 0);
  /// The next `n` values, ascending.
  void batch(const std::string& tag, std::int64_t n, core::Done<std::vector<std::int64_t>> done,
             Client client = 0);
  /// The same for a client to use up by itself: the tag's values among lo … hi−1, exactly `n`.
  void range(const std::string& tag, std::int64_t n, core::Done<Range> done, Client client = 0);

  /// TagExists, or the store's errors.
  void create(const Tag& tag, core::Done<Tag> done);
  /// NoSuchTag; InvalidArgument. Values reserved here under the old rules are no longer used.
  void update(const std::string& tag, const TagChange& change, core::Done<Tag> done);
  /// NoSuchTag. `done` gets the tag as it was.
  void remove(const std::string& tag, core::Done<Tag> done);
  void list(const TagPage& page, core::Done<std::vector<Tag>> done) { store_.tags(page, std::move(done)); }
  void info(const std::string& tag, core::Done<TagInfo> done);

  /// To be called when another issuer has changed or deleted the tag.
  void changed(const std::string& tag);
  /// Discards all reserved values: this machine may have been copied.
  void void_all();
  /// Gives back unused values; `done` runs once all waiters were served or refused and the values were given
  /// back, or could not be.
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
