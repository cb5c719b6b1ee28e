// Strictly increasing sequences: a request made after another one's reply gets a greater value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "id/sequence/on_demand_allocator.hpp"
#include "id/sequence/range_buffer.hpp"
#include "id/stores/lru_map.hpp"

namespace zerosuite::id {

struct SequenceOptions {
  RangeBufferOptions buffer{.outage_budget = core::milliseconds(10'000)};
  std::size_t max_names = 100'000;  ///< The maximum number in memory; beyond it, idle ones are evicted.
  /// How long after a durable() call all values of that name are reserved on demand only.
  core::milliseconds durable_stay{60'000};
};

/// One sequence. Belongs to the loop's thread; made by std::make_shared.
class Sequence : public std::enable_shared_from_this<Sequence> {
 public:
  enum class From : std::uint8_t {
    kBuffer,  ///< May have been reserved in advance, if the store is used by this process alone.
    kStore,   ///< Reserved for this caller; leaves no gap if the process crashes.
  };

  Sequence(net::Timers& timers, Store& store, Key key, const SequenceOptions& options);

  /// The next value if it is available at once.
  std::optional<std::int64_t> one();
  void take(Waiter caller, From from);

  bool idle() const;
  void void_all();
  void stop(const core::SharedLatch& last);

 private:
  bool may_buffer() const;
  RangeBuffer& buffer();
  OnDemandAllocator& on_demand();
  void leave_buffer();
  void buffer_left();

  net::Timers& timers_;
  Store& store_;
  const Key key_;
  const SequenceOptions& options_;
  std::shared_ptr<RangeBuffer> buffer_;
  std::shared_ptr<OnDemandAllocator> on_demand_;
  bool leaving_ = false;  // the buffer is being given back, and the on-demand allocator waits for that
  core::TimePoint durable_until_{};
};

/// All sequences. Belongs to the loop's thread. Errors: Unavailable, with {"retry_after_ms"}, when the store
/// grants no values in time; RangeExhausted; StoreRegressed; Overloaded. A name must have 1 to 128 bytes:
/// InvalidArgument. `client` is the calling client.
class Sequences {
 public:
  Sequences(net::Timers& timers, Store& store, SequenceOptions options);

  void next(const std::string& name, core::Done<std::int64_t> done, Client client = 0);
  /// `n` consecutive values.
  void batch(const std::string& name, std::int64_t n, core::Done<Range> done, Client client = 0);
  /// As next(), and reserved for this call: a crash leaves no gap.
  void durable(const std::string& name, core::Done<std::int64_t> done, Client client = 0);
  /// As durable(), for a counter that is not a sequence: `counter` contains a '/' but does not begin with
  /// "seq/". The value is below `end`.
  void count(const std::string& counter, std::int64_t end, core::Done<std::int64_t> done, Client client = 0);

  /// Discards all buffered values: this machine may have been copied.
  void void_all();
  /// Gives back unused values; `done` runs once all waiters were served or refused and the values were given
  /// back, or could not be.
  void stop(core::MoveFunction<void()> done);

 private:
  Sequence& sequence(const std::string& name);
  Sequence& counter(const std::string& key);

  net::Timers& timers_;
  Store& store_;
  const SequenceOptions options_;
  LruMap<Sequence> sequences_;
};

}  // namespace zerosuite::id
