// The primes up to `limit` (10^11 at most), by Eratosthenes' sieve over one segment of odd numbers at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/error.hpp"

namespace zerosuite::math {

class Primes {
 public:
  explicit Primes(std::int64_t limit);  ///< Throws core::Failure ValueError above 10^11.
  std::optional<std::int64_t> next();
  std::optional<std::int64_t> count_segment();  ///< Of the next segment; nullopt after the last.

 private:
  std::int64_t limit_, low_, end_;  // the segment: odd numbers from low_ below end_; 1 stands for 2
  std::vector<std::int64_t> base_, multiple_;  // odd primes up to the limit's root; the next multiple of each
  std::vector<char> prime_;
  std::size_t at_ = 0;
};

inline Primes::Primes(std::int64_t limit) : limit_(limit), low_(0), end_(limit < 2 ? 3 : 1) {
  if (limit > 100'000'000'000) throw core::Failure(core::kValueError, "limit must be at most 10**11");
  if (limit < 9) return;
  Primes roots(static_cast<std::int64_t>(std::sqrt(static_cast<double>(limit))));
  for (roots.next(); const auto prime = roots.next();) {  // 2 needs no sieving
    base_.push_back(*prime);
    multiple_.push_back(*prime * *prime);
  }
}

inline std::optional<std::int64_t> Primes::count_segment() {
  constexpr std::int64_t kOddNumbers = 1 << 18;  // fits a core's second-level cache
  low_ = end_;
  if (low_ > limit_) return {};
  end_ = std::min(low_ + 2 * kOddNumbers, limit_ + 1 + limit_ % 2);
  prime_.assign(static_cast<std::size_t>((end_ - low_ + 1) / 2), 1);
  for (std::size_t i = 0; i < base_.size() && base_[i] * base_[i] < end_; ++i) {
    for (; multiple_[i] < end_; multiple_[i] += 2 * base_[i])
      prime_[static_cast<std::size_t>((multiple_[i] - low_) / 2)] = 0;
  }
  at_ = 0;
  return std::count(prime_.begin(), prime_.end(), 1);
}

inline std::optional<std::int64_t> Primes::next() {
  for (;; ++at_) {
    while (at_ == prime_.size()) {
      if (!count_segment()) return {};
    }
    if (prime_[at_]) {
      const std::int64_t number = low_ + 2 * static_cast<std::int64_t>(at_++);
      return number == 1 ? 2 : number;
    }
  }
}

}  // namespace zerosuite::math
