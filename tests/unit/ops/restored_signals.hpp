// A test that blocks signals leaves the process as it was for the others.
#pragma once

#include <csignal>

namespace zerosuite::ops {

class RestoredSignals {
 public:
  RestoredSignals() { pthread_sigmask(SIG_SETMASK, nullptr, &mask_); }
  ~RestoredSignals() { pthread_sigmask(SIG_SETMASK, &mask_, nullptr); }
  RestoredSignals(const RestoredSignals&) = delete;
  RestoredSignals& operator=(const RestoredSignals&) = delete;

 private:
  sigset_t mask_{};
};

}  // namespace zerosuite::ops
