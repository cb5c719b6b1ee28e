// Strictly increasing sequences: if A was answered before B asked, B's value is greater.
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
  std::size_t max_names = 100'000;  ///< Kept in memory; a new one evicts an idle one.
  /// For how long after a durable() all values of that name are reserved only when they are asked for.
  core::milliseconds durable_stay{60'000};
};

/// One of them. Belongs to the loop's thread; made by std::make_shared.
class Sequence : public std::enable_shared_from_this<Sequence> {
 public:
  enum class From : std::uint8_t {
    kBuffer,  ///< May have been reserved before, if the store is this process's alone.
    kStore,   ///< Is reserved for this caller, and leaves no gap when the process crashes.
  };

  Sequence(net::Timers& timers, Store& store, Key key, const SequenceOptions& options);

  /// The next value, when it can be had at once.
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
  bool leaving_ = false;  // the buffer is being given back; the on-demand allocator waits for that
  core::TimePoint durable_until_{};
};

/// All of them. Belongs to the loop's thread. A caller who waits too long for the store gets Unavailable with
/// {"retry_after_ms"}; RangeExhausted; StoreRegressed; Overloaded. A name must have 1 to 128 bytes:
/// InvalidArgument. `client` is who asks.
class Sequences {
 public:
  Sequences(net::Timers& timers, Store& store, SequenceOptions options);

  void next(const std::string& name, core::Done<std::int64_t> done, Client client = 0);
  /// `n` values that follow one another.
  void batch(const std::string& name, std::int64_t n, core::Done<Range> done, Client client = 0);
  /// As next(), and committed before it is answered.
  void durable(const std::string& name, core::Done<std::int64_t> done, Client client = 0);
  /// As durable(), of a counter that is no sequence's: `counter` contains a '/' but does not begin with
  /// "seq/". The value is below `end`.
  void count(const std::string& counter, std::int64_t end, core::Done<std::int64_t> done, Client client = 0);

  /// Nothing that was reserved before is used any more: this machine may have been copied.
  void void_all();
  /// Gives back what was not used; `done` runs once those who wait were answered and it is kept, or could not
  /// be.
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
