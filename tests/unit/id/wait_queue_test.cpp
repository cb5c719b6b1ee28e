#include "id/snowflake/wait_queue.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "core/result.hpp"
#include "support/fakes.hpp"

namespace zerosuite::test::wait_queue_test {

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

  net::Timers timers{kStart};
  std::string notes;
  int looks = 0;  // of the timer
  id::WaitQueue<Caller> queue{timers, 4, 2s, [this] {
                                ++looks;
                                queue.answer_late([] { return core::Error{core::kUnavailable, "late"}; });
                              }};
};

TEST_CASE_FIXTURE(Rig, "callers wait in order, and as many as there is room for") {
  CHECK(queue.empty());
  for (const char* name : {"ann", "bob"}) {
    REQUIRE(queue.has_room(0));
    push(name, 3);
  }
  CHECK_FALSE(queue.has_room(0));  // one client has half of the places
  CHECK(queue.has_room(7));
  CHECK(queue.size() == 2);
  queue.answer_oldest(1);
  queue.answer_oldest(2);
  CHECK(notes == "ann=1 bob=2 ");
}

TEST_CASE_FIXTURE(Rig, "what all who wait still need together follows what they are given") {
  push("ann", 5, 1);
  push("bob", 10, 2);
  CHECK(queue.left() == 15);
  queue.served(3);
  CHECK(queue.left() == 12);
  CHECK(queue.first_left() == 2);
  queue.answer_first(1);
  CHECK(queue.left() == 10);
  queue.answer_all({core::kShuttingDown, ""});
  CHECK(queue.left() == 0);
  CHECK(notes == "ann=1 bob=ShuttingDown ");
}

TEST_CASE_FIXTURE(Rig, "nobody waits longer than that, and each is told at its own time") {
  push("ann");
  test::pass(timers, 1s);
  push("bob", 1, 2);
  test::pass(timers, 990ms);
  CHECK(notes.empty());
  test::pass(timers, 10ms);
  CHECK(notes == "ann=Unavailable ");
  test::pass(timers, 990ms);
  CHECK(notes == "ann=Unavailable ");
  test::pass(timers, 10ms);
  CHECK(notes == "ann=Unavailable bob=Unavailable ");
  CHECK(looks == 2);
}

TEST_CASE_FIXTURE(Rig, "the time of one who was answered calls nobody") {
  push("ann");
  queue.answer_first(1);
  test::pass(timers, 1s);
  push("bob");
  test::pass(timers, 1'990ms);
  CHECK(looks == 0);
  test::pass(timers, 10ms);
  CHECK(notes == "ann=1 bob=Unavailable ");
}

TEST_CASE_FIXTURE(Rig, "who comes after a request was sent is not answered by it") {
  push("ann", 1, 1);
  push("bob", 1, 2);
  CHECK_FALSE(queue.oldest_is_marked());
  queue.mark_all();
  push("eve", 1, 3);
  CHECK(queue.oldest_is_marked());
  queue.answer_marked({core::kRangeExhausted, ""});
  CHECK(notes == "ann=RangeExhausted bob=RangeExhausted ");
  CHECK(queue.size() == 1);
}

TEST_CASE_FIXTURE(Rig, "who asks again as soon as it is answered waits anew") {
  queue.push(0, 1, {[&](const core::Result<int>&) {
               notes += "ann ";
               push("again");
             }});
  queue.mark_all();
  queue.answer_marked({core::kUnavailable, ""});
  CHECK(notes == "ann ");
  queue.answer_all({core::kUnavailable, ""});
  CHECK(notes == "ann again=Unavailable ");
}

TEST_CASE_FIXTURE(Rig, "a caller that asks again when all are answered waits for the next answer") {
  queue.push(0, 1, {[this](const core::Result<int>&) {
               notes += "ann ";
               push("again");
             }});
  queue.answer_all({core::kUnavailable, ""});
  CHECK(notes == "ann ");
  CHECK(queue.size() == 1);
}

}  // namespace zerosuite::test::wait_queue_test
