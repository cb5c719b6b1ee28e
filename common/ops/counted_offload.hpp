// Counts the jobs on other threads: a stopping program must not destroy what a running job still uses.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include "net/offload.hpp"

namespace zerosuite::ops {

/// Passes jobs on to another Offload and counts those whose `then` has not run. Loop thread only.
class CountedOffload final : public net::Offload {
 public:
  /// `idle` is called whenever the last job is done.
  CountedOffload(net::Offload& inner, std::function<void()> idle) : inner_(inner), idle_(std::move(idle)) {}

  [[nodiscard]] bool submit_for(Client client, Job job, Job then) override {
    const bool taken = inner_.submit_for(client, std::move(job), [this, done = std::move(then)]() mutable {
      done();
      if (--unfinished_ == 0) idle_();
    });
    if (taken) ++unfinished_;
    return taken;
  }

  std::size_t unfinished() const { return unfinished_; }

 private:
  net::Offload& inner_;
  std::function<void()> idle_;
  std::size_t unfinished_ = 0;
};

}  // namespace zerosuite::ops
