#include "id/stores/reserver.hpp"

#include <doctest/doctest.h>

#include "support/fakes.hpp"

namespace zerosuite::test::reserver_test {

struct Rig {
  void fail() {
    reserver.begin();
    reserver.failed({core::kUnavailable, "away"});
    reserver.end();
  }

  net::Timers timers{kStart};
  int again = 0;
  id::Reserver reserver{timers, {50ms, 150ms}, [this] { ++again; }};
};

TEST_CASE_FIXTURE(Rig, "one request is sent at a time, and the next once its answer is dealt with") {
  CHECK(reserver.ready());
  reserver.begin();
  CHECK_FALSE(reserver.ready());
  reserver.succeeded();
  CHECK_FALSE(reserver.ready());
  reserver.end();
  CHECK(reserver.ready());
}

TEST_CASE_FIXTURE(Rig,
                  "after a failure comes a pause, each twice as long as the one before, up to the longest") {
  int over = 0;
  for (const auto pause : {50ms, 100ms, 150ms, 150ms}) {
    fail();
    CHECK(reserver.pause() == pause);
    CHECK(reserver.trouble()->name == "Unavailable");
    test::pass(timers, pause - 1ms);
    CHECK_FALSE(reserver.ready());
    CHECK(again == over);
    test::pass(timers, 1ms);
    CHECK(reserver.ready());
    CHECK(again == ++over);
  }
}

TEST_CASE_FIXTURE(Rig, "after a success the first pause is short again, and there is no trouble") {
  fail();
  test::pass(timers, 50ms);
  fail();
  test::pass(timers, 100ms);
  reserver.begin();
  reserver.succeeded();
  reserver.end();
  CHECK_FALSE(reserver.trouble());
  fail();
  CHECK(reserver.pause() == 50ms);
}

TEST_CASE_FIXTURE(Rig, "the answer to a request from before all was voided is of another generation") {
  const auto before = reserver.begin();
  CHECK(reserver.is_present(before));
  reserver.void_all();
  CHECK_FALSE(reserver.is_present(before));
  reserver.end();
  CHECK(reserver.is_present(reserver.begin()));
}

}  // namespace zerosuite::test::reserver_test
