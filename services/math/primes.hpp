// The primes up to `limit` (10^11 at most), by Eratosthenes' sieve over one segment of odd numbers at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

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

}  // namespace zerosuite::math
