#include "net/deferred.hpp"

#include <cstddef>

namespace zerosuite::net {

// Not the calls that are added meanwhile: they would hold the loop.
void Deferred::run() {
  const std::weak_ptr<const bool> life = life_;
  for (std::size_t left = calls_.size(); left > 0 && !life.expired(); --left) {
    Call call = std::move(calls_.front());
    calls_.pop_front();
    try {
      call();
    } catch (...) {
      if (!life.expired() && !calls_.empty()) turn_ends_.later();
      throw;
    }
  }
}

}  // namespace zerosuite::net
