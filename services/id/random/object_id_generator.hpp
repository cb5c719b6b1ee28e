// Xids and ObjectIds: unique in this process by a counter, and elsewhere by 40 random bits of the process.
#pragma once

#include <cstdint>

#include "core/entropy.hpp"
#include "id/random/counted.hpp"

namespace zerosuite::id {

/// The counter begins anywhere. When it has gone round within one second, it goes on in the next one, so that
/// no id comes twice. Belongs to one thread; must not outlive its entropy.
class ObjectIdGenerator {
 public:
  explicit ObjectIdGenerator(core::Entropy& entropy) : entropy_(entropy) { renew(); }

  /// Throws core::Failure TimeExhausted from 2106 on.
  formats::Counted next(std::int64_t seconds_since_1970);
  /// From now on as another process.
  void renew();

 private:
  core::Entropy& entropy_;
  std::uint64_t process_ = 0;
  std::uint32_t counter_ = 0;
  std::int64_t seconds_ = 0;
  std::uint32_t used_ = 0;  // of that second's
};

}  // namespace zerosuite::id
