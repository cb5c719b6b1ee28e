#include "ops/signals.hpp"

#include <doctest/doctest.h>

#include <csignal>

#include "support/process.hpp"

namespace zerosuite::ops::signals_test {

TEST_CASE("signals wait to be asked for, one by one") {
  const test::RestoredSignals restored;
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

}  // namespace zerosuite::ops::signals_test
