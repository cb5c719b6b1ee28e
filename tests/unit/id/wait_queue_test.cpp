#include "id/snowflake/wait_queue.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "core/result.hpp"
#include "support/fakes.hpp"

namespace zerosuite::test::wait_queue_test {

using namespace std::chrono_literals;

struct Rig {
  struct Caller {
    core::Done<int> done;
  };

  // Notes "NAME=VALUE " or "NAME=ERROR ".
  core::Done<int> note(const std::string& name) {
    return [this, name](const core::Result<int>& result) {
      notes += name + "=" + (result ? std::to_string(*result) : result.error().name) + " ";
    };
  }
  void push(const std::string& name, std::int64_t cost = 1, id::Client client = 0) {
    queue.push(client, cost, {note(name)});
  }

  net::Timers timers{test::kStart};
  std::string notes;
  int looks = 0;  // of the timer
  id::WaitQueue<Caller> queue{timers, 4, 2s, [this] {
                                ++looks;
                                queue.answer_late([] { return core::Error{core::kUnavailable, "late"}; });
                              }};
};

TEST_CASE("callers wait in order, and as many as there is room for") {
  Rig rig;
  CHECK(rig.queue.empty());
  for (const char* name : {"ann", "bob"}) {
    REQUIRE(rig.queue.has_room(0));
    rig.push(name, 3);
  }
  CHECK_FALSE(rig.queue.has_room(0));  // one client has half of the places
  CHECK(rig.queue.has_room(7));
  CHECK(rig.queue.size() == 2);
  rig.queue.answer_oldest(1);
  rig.queue.answer_oldest(2);
  CHECK(rig.notes == "ann=1 bob=2 ");
}

TEST_CASE("what all who wait still need together follows what they are given") {
  Rig rig;
  rig.push("ann", 5, 1);
  rig.push("bob", 10, 2);
  CHECK(rig.queue.left() == 15);
  rig.queue.served(3);
  CHECK(rig.queue.left() == 12);
  CHECK(rig.queue.first_left() == 2);
  rig.queue.answer_first(1);
  CHECK(rig.queue.left() == 10);
  rig.queue.answer_all({core::kShuttingDown, ""});
  CHECK(rig.queue.left() == 0);
  CHECK(rig.notes == "ann=1 bob=ShuttingDown ");
}

TEST_CASE("nobody waits longer than that, and each is told at its own time") {
  Rig rig;
  rig.push("ann");
  test::pass(rig.timers, 1s);
  rig.push("bob", 1, 2);
  test::pass(rig.timers, 990ms);
  CHECK(rig.notes.empty());
  test::pass(rig.timers, 10ms);
  CHECK(rig.notes == "ann=Unavailable ");
  test::pass(rig.timers, 990ms);
  CHECK(rig.notes == "ann=Unavailable ");
  test::pass(rig.timers, 10ms);
  CHECK(rig.notes == "ann=Unavailable bob=Unavailable ");
  CHECK(rig.looks == 2);
}

TEST_CASE("the time of one who was answered calls nobody") {
  Rig rig;
  rig.push("ann");
  rig.queue.answer_first(1);
  test::pass(rig.timers, 1s);
  rig.push("bob");
  test::pass(rig.timers, 1'990ms);
  CHECK(rig.looks == 0);
  test::pass(rig.timers, 10ms);
  CHECK(rig.notes == "ann=1 bob=Unavailable ");
}

TEST_CASE("who comes after a request was sent is not answered by it") {
  Rig rig;
  rig.push("ann", 1, 1);
  rig.push("bob", 1, 2);
  CHECK_FALSE(rig.queue.oldest_is_marked());
  rig.queue.mark_all();
  rig.push("eve", 1, 3);
  CHECK(rig.queue.oldest_is_marked());
  rig.queue.answer_marked({core::kRangeExhausted, ""});
  CHECK(rig.notes == "ann=RangeExhausted bob=RangeExhausted ");
  CHECK(rig.queue.size() == 1);
}

TEST_CASE("who asks again as soon as it is answered waits anew") {
  Rig rig;
  rig.queue.push(0, 1, {[&](const core::Result<int>&) {
                   rig.notes += "ann ";
                   rig.push("again");
                 }});
  rig.queue.mark_all();
  rig.queue.answer_marked({core::kUnavailable, ""});
  CHECK(rig.notes == "ann ");
  rig.queue.answer_all({core::kUnavailable, ""});
  CHECK(rig.notes == "ann again=Unavailable ");
}

TEST_CASE("a caller that asks again when all are answered waits for the next answer") {
  Rig rig;
  rig.queue.push(0, 1, {[&rig](const core::Result<int>&) {
                   rig.notes += "ann ";
                   rig.push("again");
                 }});
  rig.queue.answer_all({core::kUnavailable, ""});
  CHECK(rig.notes == "ann ");
  CHECK(rig.queue.size() == 1);
}

}  // namespace zerosuite::test::wait_queue_test
