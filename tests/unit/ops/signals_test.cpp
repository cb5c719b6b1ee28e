#include "ops/signals.hpp"

#include <doctest/doctest.h>

#include <csignal>

namespace zerosuite::ops {
namespace {

/// Leaves the process as it was for the other tests.
class Restored {
 public:
  Restored() { pthread_sigmask(SIG_SETMASK, nullptr, &mask_); }
  ~Restored() { pthread_sigmask(SIG_SETMASK, &mask_, nullptr); }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;

 private:
  sigset_t mask_{};
};

TEST_CASE("signals wait to be asked for, one by one") {
  const Restored restored;
  Signals signals;
  CHECK(signals.next() == 0);
  std::raise(SIGTERM);
  std::raise(SIGHUP);
  const int first = signals.next();
  const int second = signals.next();
  CHECK(first != second);
  CHECK((first == SIGTERM || first == SIGHUP));
  CHECK((second == SIGTERM || second == SIGHUP));
  CHECK(signals.next() == 0);
}

}  // namespace
}  // namespace zerosuite::ops
