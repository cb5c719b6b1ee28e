// Long work is done in pieces, for so long in one turn and no longer.
#include "net/chores.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/fakes.hpp"

namespace zerosuite::test::chores_test {

// Each look at the watch takes a millisecond.
struct Rig {
  void add(char letter, int pieces) {
    chores.add([this, letter, left = pieces]() mutable {
      done += letter;
      return --left > 0;
    });
  }
  // What was done since it was asked last.
  std::string take() { return std::exchange(done, {}); }
  std::string turn() {
    timers.advance_to(timers.now());
    return take();
  }

  net::Timers timers{kStart};
  core::TimePoint watch = kStart;
  core::Clock::duration tick = 1ms;
  net::Chores chores{timers, [this] { return watch += tick; }};
  std::string done;
};

TEST_CASE_FIXTURE(Rig, "nothing is done inside the call, and what is short at the end of the turn") {
  tick = 0ms;
  add('a', 1);
  add('b', 1'000);
  CHECK(take() == "");
  CHECK(turn() == "a" + std::string(1'000, 'b'));
  CHECK(chores.size() == 0);
}

TEST_CASE_FIXTURE(Rig, "a turn works for three milliseconds, and the chores take turns") {
  add('a', 5);
  CHECK(turn() == "aaa");
  add('b', 3);
  CHECK(take() == "");
  CHECK(turn() == "aba");
  CHECK(turn() == "bb");
  CHECK(turn() == "");
  CHECK(chores.size() == 0);
}

TEST_CASE_FIXTURE(Rig, "all that is added in one turn shares its time, and the next turn has its own") {
  add('a', 2);
  add('b', 2);
  CHECK(turn() == "aba");
  CHECK(turn() == "b");
  timers.advance_to(timers.now() + 1ms);
  add('c', 3);
  CHECK(turn() == "ccc");
}

TEST_CASE_FIXTURE(Rig, "a piece that is long is the last of its turn") {
  tick = 100ms;
  add('a', 2);
  CHECK(turn() == "a");
  CHECK(turn() == "a");
}

TEST_CASE_FIXTURE(Rig, "what a piece adds comes after it, in the same turn") {
  chores.add([&] {
    add('b', 1);
    done += 'a';
    return false;
  });
  CHECK(turn() == "ab");
  CHECK_FALSE(timers.next());
}

}  // namespace zerosuite::test::chores_test
