// The bit layouts of snowflakes (Twitter's snowflake-2010 and its successors).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zerosuite::id {

/// The fields of an id.
struct Parts {
  std::int64_t tick = 0;  ///< Since the layout's epoch.
  std::int64_t worker = 0;
  std::int64_t sequence = 0;
};

/// The first sequence number of a new tick.
enum class SequenceStart : std::uint8_t {
  kCarry,   ///< Continues from the previous tick, so that id modulo shards is even. No numbers are lost: the
            ///< tick after one that starts late in its numbers just begins sooner, from 0.
  kZero,    ///< As Twitter.
  kRandom,  ///< 0 … 99, as Leaf.
  kOne,     ///< Always 1, also after an overflow, as tarzanjw/pysnowflake.
};

/// A plain value. Bits from high to low: tick, worker, sequence; or tick, sequence, worker.
struct Layout {
  std::string name = {};
  std::int64_t epoch_ms = 0;    ///< Since 1970.
  std::int64_t unit_us = 1000;  ///< The length of a tick.
  int tick_bits = 41;
  int worker_bits = 10;
  int sequence_bits = 12;
  int datacenter_bits = 0;  ///< The highest of the worker's bits.
  bool worker_lowest = false;
  SequenceStart start = SequenceStart::kCarry;

  /// Whether it is not one of the named layouts.
  bool is_custom() const { return name.starts_with("custom:"); }
  std::int64_t workers() const { return std::int64_t{1} << worker_bits; }
  std::int64_t ticks() const { return std::int64_t{1} << tick_bits; }
  std::int64_t sequences() const { return std::int64_t{1} << sequence_bits; }
  /// The first sequence number of a tick that is not continued: 1 for kOne, else 0.
  std::int64_t first_sequence() const { return start == SequenceStart::kOne ? 1 : 0; }
  /// The difference between consecutive ids of one tick.
  std::int64_t stride() const { return worker_lowest ? workers() : 1; }

  /// `parts` must fit their bits.
  std::int64_t compose(const Parts& parts) const;
  /// Throws core::Failure InvalidArgument if the id is negative or has more bits than the layout.
  Parts parse(std::int64_t id) const;
  /// The tick of a time in ns since 1970; may be out of the layout's range.
  std::int64_t tick_at(std::int64_t time_ns) const;
  /// The beginning of a tick, in ns since 1970.
  std::int64_t time_ns(std::int64_t tick) const;
  /// Everything that must not change once ids were issued, as one word: "41/10/12@1288834974657+1000us".
  std::string fingerprint() const;
};

/// twitter discord pysnowflake sony insta baidu crdb js53 js53s.
std::span<const Layout> named_layouts();

/// Returns a named layout, or `custom:TICK/WORKER/SEQUENCE@EPOCH_MS` with an optional `+UNITus` or `+UNITms`
/// at its end. Throws core::Failure NoSuchLayout, which lists the names, or InvalidArgument for an invalid
/// custom layout.
Layout layout_of(std::string_view name);

}  // namespace zerosuite::id
