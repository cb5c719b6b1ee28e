// How the bits of a snowflake are laid out (Twitter's snowflake-2010, and those that came after it).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zerosuite::id {

/// What an id says about itself.
struct Parts {
  std::int64_t tick = 0;  ///< Since the layout's epoch.
  std::int64_t worker = 0;
  std::int64_t sequence = 0;
};

/// Where the sequence of a new tick begins.
enum class SequenceStart : std::uint8_t {
  kCarry,  ///< Goes on from the tick before, so that id modulo shards is even. It wastes nothing: a tick that
           ///< begins late in its numbers is followed the sooner by the next one, from 0.
  kZero,   ///< Twitter
  kRandom,  ///< 0 … 99: Leaf
  kOne,     ///< Always 1, also after an overflow: tarzanjw/pysnowflake
};

/// A plain value. Bits from high to low: tick, worker, sequence; or tick, sequence, worker.
struct Layout {
  std::string name = {};
  std::int64_t epoch_ms = 0;    ///< Since 1970
  std::int64_t unit_us = 1000;  ///< One tick
  int tick_bits = 41;
  int worker_bits = 10;
  int sequence_bits = 12;
  int datacenter_bits = 0;  ///< Of the worker's, the highest.
  bool worker_lowest = false;
  SequenceStart start = SequenceStart::kCarry;

  /// Whether it is none of the named ones.
  bool is_custom() const { return name.starts_with("custom:"); }
  std::int64_t workers() const { return std::int64_t{1} << worker_bits; }
  std::int64_t ticks() const { return std::int64_t{1} << tick_bits; }
  std::int64_t sequences() const { return std::int64_t{1} << sequence_bits; }
  /// The first sequence number of a tick that is not continued: 1 for kOne, else 0.
  std::int64_t first_sequence() const { return start == SequenceStart::kOne ? 1 : 0; }
  /// How far apart the ids of one tick are.
  std::int64_t stride() const { return worker_lowest ? workers() : 1; }

  /// `parts` must be within their bits.
  std::int64_t compose(const Parts& parts) const;
  /// InvalidArgument when the id is negative or has more bits than the layout.
  Parts parse(std::int64_t id) const;
  /// The tick that a time belongs to; may be out of the layout's range. ns since 1970.
  std::int64_t tick_at(std::int64_t time_ns) const;
  /// When a tick begins, in ns since 1970.
  std::int64_t time_ns(std::int64_t tick) const;
  /// What must not change under ids that were issued, as one word: "41/10/12@1288834974657+1000us".
  std::string fingerprint() const;
};

/// twitter discord pysnowflake sony insta baidu crdb js53 js53s.
std::span<const Layout> named_layouts();

/// A named layout, or `custom:TICK/WORKER/SEQUENCE@EPOCH_MS` with an optional `+UNITus` or `+UNITms` at its
/// end. Throws core::Failure NoSuchLayout, which names them all, or InvalidArgument for a custom one that
/// cannot be.
Layout layout_of(std::string_view name);

}  // namespace zerosuite::id
