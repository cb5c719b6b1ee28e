// Ids that only rise in a process, whatever its clock does: what would repeat or fall borrows the moments to
// come.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/entropy.hpp"
#include "id/random/ksuid.hpp"
#include "id/random/ulid.hpp"

namespace zerosuite::id {

/// Times of which none is given twice. Belongs to one thread, as all of these do.
class MonotonicTicks {
 public:
  std::int64_t next(std::int64_t now) {
    last_ = std::max(now, last_ + 1);
    return last_;
  }
  /// None below `first` is given any more.
  void raise(std::int64_t first) { last_ = std::max(last_, first - 1); }
  std::int64_t last() const { return last_; }

 private:
  std::int64_t last_ = 0;
};

/// Within a millisecond each is the one before plus one, as its specification says; after the last one of a
/// millisecond comes the first of the next. Must not outlive its entropy.
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
  formats::Number128 last_;
  bool stale_ = false;
};

/// Within a second each is the one before plus 64 random bits: it rises, and none can be guessed from
/// another. Must not outlive its entropy.
class MonotonicKsuids {
 public:
  explicit MonotonicKsuids(core::Entropy& entropy) : entropy_(entropy) {}

  /// Throws core::Failure TimeExhausted from 2150 on, and before 2014.
  formats::Ksuid next(std::int64_t seconds_since_1970);
  /// The next one has other random bits, and a later second so that it still rises.
  void renew() { stale_ = true; }
  /// None of an earlier second is given any more.
  void raise(std::int64_t first_second);
  std::int64_t last_second() const { return formats::kKsuidEpoch + last_.seconds; }

 private:
  core::Entropy& entropy_;
  formats::Ksuid last_;
  bool stale_ = false;
};

/// A time in 32 bits. Throws core::Failure TimeExhausted.
std::uint32_t seconds_in_32_bits(std::int64_t seconds);

}  // namespace zerosuite::id
