#include "id/stores/reserver.hpp"

#include <doctest/doctest.h>

#include "support/fakes.hpp"

namespace zerosuite::test::reserver_test {

using namespace std::chrono_literals;

struct Rig {
  void fail() {
    reserver.begin();
    reserver.failed({core::kUnavailable, "away"});
    reserver.end();
  }

  net::Timers timers{test::kStart};
  int again = 0;
  id::Reserver reserver{timers, {50ms, 150ms}, [this] { ++again; }};
};

TEST_CASE("one request is sent at a time, and the next once its answer is dealt with") {
  Rig rig;
  CHECK(rig.reserver.ready());
  rig.reserver.begin();
  CHECK_FALSE(rig.reserver.ready());
  rig.reserver.succeeded();
  CHECK_FALSE(rig.reserver.ready());
  rig.reserver.end();
  CHECK(rig.reserver.ready());
}

TEST_CASE("after a failure comes a pause, each twice as long as the one before, up to the longest") {
  Rig rig;
  int over = 0;
  for (const auto pause : {50ms, 100ms, 150ms, 150ms}) {
    rig.fail();
    CHECK(rig.reserver.pause() == pause);
    CHECK(rig.reserver.trouble()->name == "Unavailable");
    test::pass(rig.timers, pause - 1ms);
    CHECK_FALSE(rig.reserver.ready());
    CHECK(rig.again == over);
    test::pass(rig.timers, 1ms);
    CHECK(rig.reserver.ready());
    CHECK(rig.again == ++over);
  }
}

TEST_CASE("after a success the first pause is short again, and there is no trouble") {
  Rig rig;
  rig.fail();
  test::pass(rig.timers, 50ms);
  rig.fail();
  test::pass(rig.timers, 100ms);
  rig.reserver.begin();
  rig.reserver.succeeded();
  rig.reserver.end();
  CHECK_FALSE(rig.reserver.trouble());
  rig.fail();
  CHECK(rig.reserver.pause() == 50ms);
}

TEST_CASE("the answer to a request from before all was voided is of another generation") {
  Rig rig;
  const auto before = rig.reserver.begin();
  CHECK(rig.reserver.is_present(before));
  rig.reserver.void_all();
  CHECK_FALSE(rig.reserver.is_present(before));
  rig.reserver.end();
  CHECK(rig.reserver.is_present(rig.reserver.begin()));
}

}  // namespace zerosuite::test::reserver_test
