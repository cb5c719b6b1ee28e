// ULID (https://github.com/ulid/spec): 48 bits of milliseconds since 1970 and 80 random bits.
#pragma once

#include <cstdint>
#include <string>

#include "core/entropy.hpp"
#include "id/text/digits.hpp"

namespace zerosuite::id::formats {

/// 80 bits of `random`, the lowest ones.
Number128 ulid(std::int64_t ms, Number128 random);

constexpr std::int64_t ulid_ms(Number128 ulid) { return static_cast<std::int64_t>(ulid >> 80); }

/// 26 digits of Crockford's; texts sort as their ids do.
std::string ulid_text(Number128 ulid);

}  // namespace zerosuite::id::formats

namespace zerosuite::id {

/// Only rise: within a millisecond each is the one before plus one, as the specification says; after the last
/// one of a millisecond comes the first of the next. Belongs to one thread; must not outlive its entropy.
class MonotonicUlids {
 public:
  explicit MonotonicUlids(core::Entropy& entropy) : entropy_(entropy) {}

  formats::Number128 next(std::int64_t ms);
  /// The next one has other random bits, and a later millisecond so that it still rises.
  void renew() { stale_ = true; }
  /// None of an earlier millisecond is given any more.
  void raise(std::int64_t first_ms);
  std::int64_t last_ms() const { return formats::ulid_ms(last_); }

 private:
  core::Entropy& entropy_;
  formats::Number128 last_ = 0;
  bool stale_ = false;
};

}  // namespace zerosuite::id
