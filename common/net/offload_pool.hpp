// The threads behind net::Offload.
#pragma once
#include <cstddef>
#include "net/offload.hpp"
#include "net/reactor.hpp"

namespace zerosuite::net {

struct PoolOptions {
  std::size_t threads = 0;         ///< 0 = one for each core. They start with the first job, so an idle service has none.
  std::size_t max_queued = 10000;  ///< Jobs waiting for a thread; beyond it submit() answers false.
};

class Pool final : public Offload {
 public:
  Pool(Reactor& reactor, const PoolOptions& options = {});
  /// Jobs not yet started are dropped without their `then`; running ones are waited for: ask them to stop first.
  ~Pool() override;

  [[nodiscard]] bool submit(Job job, Job then) override;
};

}  // namespace zerosuite::net
