// ULID (https://github.com/ulid/spec): 48 bits of milliseconds since 1970 and 80 random bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/random.hpp"
#include "id/text/digits.hpp"

namespace zerosuite::id::formats {

/// Takes the lowest 80 bits of `random`.
inline Number128 ulid(std::int64_t ms, Number128 random) {
  return Number128{static_cast<std::uint64_t>(ms)} << 80 | random << 48 >> 48;
}

constexpr std::int64_t ulid_ms(Number128 ulid) { return static_cast<std::int64_t>(ulid >> 80); }

/// 26 digits of Crockford's base 32; texts sort as their ids do.
inline std::string ulid_text(Number128 ulid) {
  std::string text(26, '\0');
  write(ulid, kCrockfordDigits, text);
  return text;
}

}  // namespace zerosuite::id::formats

namespace zerosuite::id {

/// Strictly increasing: within a millisecond each is the previous one plus one, as the specification says;
/// after the last of a millisecond comes the first of the next. Belongs to one thread; must not outlive its
/// entropy.
class MonotonicUlids {
 public:
  explicit MonotonicUlids(core::Entropy& entropy) : entropy_(entropy) {}

  formats::Number128 next(std::int64_t ms);
  /// The next one has new random bits, and a later millisecond so that it is still greater.
  void renew() { stale_ = true; }
  /// All later ones have at least this millisecond.
  void raise(std::int64_t first_ms);
  std::int64_t last_ms() const { return formats::ulid_ms(last_); }

 private:
  core::Entropy& entropy_;
  formats::Number128 last_ = 0;
  bool stale_ = false;
};

inline formats::Number128 MonotonicUlids::next(std::int64_t ms) {
  if (ms <= last_ms() && !stale_) return ++last_;
  const std::uint64_t high = entropy_.bits();
  last_ = formats::ulid(std::max(ms, last_ms() + 1), formats::joined(high, entropy_.bits()));
  stale_ = false;
  return last_;
}

inline void MonotonicUlids::raise(std::int64_t first_ms) {
  if (first_ms > last_ms() + 1) last_ = formats::ulid(first_ms - 1, 0);
  renew();
}

}  // namespace zerosuite::id
