// Long work is done in pieces, for so long in one turn and no longer.
#include "net/chores.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/fakes.hpp"

namespace zerosuite::test::chores_test {

using namespace std::chrono_literals;

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

  net::Timers timers{test::kStart};
  core::TimePoint watch = test::kStart;
  core::Clock::duration tick = 1ms;
  net::Chores chores{timers, [this] { return watch += tick; }};
  std::string done;
};

TEST_CASE("nothing is done inside the call, and what is short at the end of the turn") {
  Rig rig;
  rig.tick = 0ms;
  rig.add('a', 1);
  rig.add('b', 1'000);
  CHECK(rig.take() == "");
  CHECK(rig.turn() == "a" + std::string(1'000, 'b'));
  CHECK(rig.chores.size() == 0);
}

TEST_CASE("a turn works for three milliseconds, and the chores take turns") {
  Rig rig;
  rig.add('a', 5);
  CHECK(rig.turn() == "aaa");
  rig.add('b', 3);
  CHECK(rig.take() == "");
  CHECK(rig.turn() == "aba");
  CHECK(rig.turn() == "bb");
  CHECK(rig.turn() == "");
  CHECK(rig.chores.size() == 0);
}

TEST_CASE("all that is added in one turn shares its time, and the next turn has its own") {
  Rig rig;
  rig.add('a', 2);
  rig.add('b', 2);
  CHECK(rig.turn() == "aba");
  CHECK(rig.turn() == "b");
  rig.timers.advance_to(rig.timers.now() + 1ms);
  rig.add('c', 3);
  CHECK(rig.turn() == "ccc");
}

TEST_CASE("a piece that is long is the last of its turn") {
  Rig rig;
  rig.tick = 100ms;
  rig.add('a', 2);
  CHECK(rig.turn() == "a");
  CHECK(rig.turn() == "a");
}

TEST_CASE("what a piece adds comes after it, in the same turn") {
  Rig rig;
  rig.chores.add([&] {
    rig.add('b', 1);
    rig.done += 'a';
    return false;
  });
  CHECK(rig.turn() == "ab");
  CHECK_FALSE(rig.timers.next());
}

}  // namespace zerosuite::test::chores_test
