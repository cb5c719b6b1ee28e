#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <random>

#include "support/id_rigs.hpp"

namespace zerosuite::test::sequences_test {

using Rig = SequencesRig;

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

TEST_CASE("a sequence begins at 1, and each name has its own") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    CHECK(*rig.next("a") == 1);
    CHECK(*rig.next("a") == 2);
    CHECK(*rig.next("b") == 1);
    CHECK(*rig.batch("a", 5) == id::Range{3, 8});
    CHECK(*rig.durable("a") == 8);
    CHECK(*rig.next("a") == 9);
  }
}

TEST_CASE("with a store of one's own most values are there before they are asked for") {
  Rig rig;
  rig.next("a");
  CHECK(rig.stored("a") == 1'001);
  for (int i = 0; i < 50; ++i) CHECK(rig.start("a").ok());
  CHECK(rig.memory.reserves == 1);
}

TEST_CASE("a buffer of numbers is gone with a crash, and nothing is repeated") {
  Rig rig;
  rig.next("a");
  rig.made.reset();
  CHECK(*rig.next("a") == 1'001);
}

TEST_CASE("a clean restart leaves no gap in a sequence") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    for (int i = 0; i < 150; ++i) rig.next("a");
    rig.next("b");
    CHECK(rig.stop());
    rig.made.reset();
    CHECK(*rig.next("a") == 151);
    CHECK(*rig.next("b") == 2);
  }
}

TEST_CASE("durable numbers leave no gap when the process crashes") {
  Rig rig;
  for (std::int64_t value = 1; value <= 10; ++value) CHECK(*rig.durable("a") == value);
  rig.made.reset();
  CHECK(*rig.durable("a") == 11);
}

TEST_CASE("a durable number comes after the buffer, whose rest is not lost") {
  Rig rig;
  for (int i = 0; i < 10; ++i) rig.next("a");
  CHECK(*rig.durable("a") == 11);
  CHECK(*rig.next("a") == 12);
  CHECK(rig.stored("a") == 13);
}

TEST_CASE("a while after the last durable number there is a buffer again") {
  Rig rig;
  rig.durable("a");
  rig.pass(59s);
  rig.next("a");
  CHECK(rig.stored("a") == 3);
  rig.pass(2s);
  CHECK(*rig.next("a") == 3);
  CHECK(rig.stored("a") == 1'003);
}

TEST_CASE("nothing is buffered of a shared store") {
  Rig rig(true);
  rig.next("a");
  CHECK(rig.stored("a") == 2);
  rig.batch("a", 1'000);
  CHECK(rig.stored("a") == 1'002);
}

TEST_CASE("no caller waits for a number longer than it may") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    rig.fail(Fate::kRefused);
    const auto ann = rig.start("a");
    const auto bob = rig.start_durable("b");
    rig.pass(2001ms);
    for (const auto& waited : {ann, bob}) {
      CHECK(waited.error() == "Unavailable");
      CHECK(waited.message().find("Unavailable: the store does not answer") != std::string::npos);
      CHECK(waited.message().find("\"retry_after_ms\":") != std::string::npos);
    }
  }
}

TEST_CASE("a store that comes back in time is not noticed but for the wait") {
  Rig rig(true);
  rig.fail(Fate::kDropped);
  const auto waiting = rig.start("a");
  rig.pass(1s);
  rig.fail(Fate::kDone);
  rig.pass(900ms);
  CHECK(*waiting == 1);
}

TEST_CASE("an answer that was lost leaves a gap in a sequence, and its order holds") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    const auto first = rig.durable("a");
    rig.fail(Fate::kLost);
    const auto second = rig.durable("a");
    rig.fail(Fate::kDone);
    rig.pass(100ms);
    CHECK(*first == 1);
    CHECK(*second == 3);
  }
}

TEST_CASE("a batch is whole also where the buffer has a gap") {
  Rig rig;
  rig.next("a");
  rig.set("a", 5'000);  // an answer was lost in between
  CHECK(*rig.batch("a", 2'000) == id::Range{5'000, 7'000});
  CHECK(*rig.next("a") == 7'000);
}

TEST_CASE("a huge batch is one range") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    rig.next("a");
    CHECK(*rig.batch("a", 16'777'216) == id::Range{2, 16'777'218});
  }
}

TEST_CASE("a sequence ends before 2^63 - 1 and never starts over") {
  for (const bool shared : {false, true}) {
    CAPTURE(shared);
    Rig rig(shared);
    rig.set("a", kEnd - 5);
    CHECK(*rig.next("a") == kEnd - 5);
    CHECK(rig.batch("a", 10).error() == "RangeExhausted");
    std::int64_t last = kEnd - 5;
    for (auto answered = rig.next("a"); answered.ok(); answered = rig.next("a")) {
      CHECK(*answered > last);
      last = *answered;
    }
    CHECK(last <= kEnd - 1);
    const auto beyond = rig.next("a");
    CHECK(beyond.error() == "RangeExhausted");
    CHECK(beyond.message().find("{\"max\":9223372036854775806}") != std::string::npos);
    CHECK(rig.durable("a").error() == "RangeExhausted");
  }
}

TEST_CASE("a counter ends where its caller says, and nothing is used up by that") {
  Rig rig;
  for (std::int64_t value = 1; value <= 9; ++value) CHECK(*rig.count("day/1", 10) == value);
  CHECK(rig.count("day/1", 10).error() == "RangeExhausted");
  CHECK(*rig.count("day/1", 100) == 10);
}

TEST_CASE("a sequence's name has 1 to 128 bytes") {
  Rig rig;
  CHECK(refusal([&] { rig.next(""); }) == "InvalidArgument: name must have 1 to 128 bytes, not 0");
  CHECK(refusal([&] { rig.durable(std::string(129, 'n')); }) ==
        "InvalidArgument: name must have 1 to 128 bytes, not 129");
  CHECK(refusal([&] { rig.batch("", 1); }).substr(0, 15) == "InvalidArgument");
  CHECK(*rig.next(std::string(128, 'n')) == 1);
}

TEST_CASE("idle sequences give way when there are too many in memory, and lose nothing") {
  Rig rig;
  rig.options.max_names = 2;
  for (int round = 1; round <= 3; ++round) {
    for (const char* name : {"a", "b", "c", "d"}) CHECK(*rig.next(name) == round);
  }
}

TEST_CASE("sequences in use do not give way") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    rig.options.max_names = 1;
    rig.fail(Fate::kRefused);
    const auto waiting = rig.start("a");
    CHECK(refusal([&] { rig.start("b"); }).substr(0, 10) == "Overloaded");
    rig.fail(Fate::kDone);
    rig.pass(100ms);
    CHECK(*waiting == 1);
    CHECK(*rig.next("b") == 1);
  }
}

TEST_CASE("after a discontinuity of the clock no number comes from the buffer") {
  Rig rig;
  rig.next("a");
  rig.sequences().void_all();
  CHECK(*rig.next("a") == 1'001);
}

TEST_CASE("a discontinuity of the clock leaves no gap between durable numbers, whenever it comes") {
  for (const bool shared : {false, true}) {
    Rig rig(shared);
    for (int number = 1; number < 20; ++number) {
      const auto waiting = rig.start_durable("b");
      rig.sequences().void_all();
      rig.settle();
      REQUIRE(*waiting == number);
      rig.sequences().void_all();
    }
  }
}

TEST_CASE("a stop while the buffer is being left waits for the durable number") {
  Rig rig;
  rig.next("a");
  const auto durable = rig.start_durable("a");
  CHECK(rig.stop());
  CHECK(*durable == 2);
  CHECK(rig.stored("a") == 3);
}

TEST_CASE("a stop waits for those who wait for a number") {
  Rig rig(true);
  const auto waiting = rig.start("a");
  bool stopped = false;
  rig.sequences().stop([&] { stopped = true; });
  CHECK_FALSE(stopped);
  rig.settle();
  CHECK(*waiting == 1);
  CHECK(stopped);
}

// If A was answered before B asked, A < B.

// Checks all that is answered: greater than what was answered before it was asked.
struct World {
  explicit World(unsigned seed) : random(seed), shared(seed % 3 != 0), processes(shared ? 3 : 1) {
    for (Process& process : processes) start(process);
  }

  struct Process {
    std::unique_ptr<MemoryStore> store;
    std::unique_ptr<id::Sequences> sequences;
  };

  std::size_t below(std::size_t n) { return random() % n; }

  /// Also in the place of one that crashes.
  void start(Process& process) {
    const auto now = [this] { return timers.now(); };
    process.sequences.reset();
    process.store = std::make_unique<MemoryStore>(shelf, now);
    process.store->promises.shared = shared;
    process.sequences = std::make_unique<id::Sequences>(timers, *process.store, id::SequenceOptions{});
  }

  core::Done<std::int64_t> one() {
    return [this, bar = greatest](const core::Result<std::int64_t>& value) {
      if (value) check(bar, {*value, *value + 1});
    };
  }
  core::Done<id::Range> many() {
    return [this, bar = greatest](const core::Result<id::Range>& range) {
      if (range) check(bar, *range);
    };
  }
  void check(std::int64_t bar, const id::Range& got) {
    REQUIRE(got.lo > bar);
    greatest = std::max(greatest, got.hi - 1);
    ++answers;
  }

  void disturb(Process& process) {
    MemoryStore& store = *process.store;
    switch (below(5)) {
      case 0:
        return start(process);
      case 1:
        store.fate = [fate = static_cast<Fate>(below(4))](std::string_view) { return fate; };
        return;
      case 2:
        store.fate = [](std::string_view) { return Fate::kDone; };
        store.delay = core::milliseconds(below(60));
        store.works_late = below(2) == 0;
        return;
      case 3:
        return process.sequences->void_all();
      default:
        timers.advance_to(timers.now() + core::milliseconds(below(5'000)));
    }
  }

  void step() {
    Process& process = processes[below(processes.size())];
    const std::size_t what = below(16);
    if (what < 5) {
      disturb(process);
    } else if (what == 5) {
      process.sequences->durable("a", one());
    } else if (what == 6) {
      process.sequences->batch("a", static_cast<std::int64_t>(1 + below(3'000)), many());
    } else {
      process.sequences->next("a", one());
    }
    timers.advance_to(timers.now() + core::milliseconds(below(20)));
    for (Process& each : processes) each.store->settle();
  }

  std::mt19937 random;
  const bool shared;
  net::Timers timers{kStart};
  std::shared_ptr<MemoryShelf> shelf = std::make_shared<MemoryShelf>([this] { return timers.now(); });
  std::vector<Process> processes;
  std::int64_t greatest = 0;  // of all that were answered
  std::size_t answers = 0;
};

TEST_CASE("those who wait for the buffer when a durable number is asked for get smaller ones") {
  Rig rig;
  const auto ann = rig.start("a");
  const auto bob = rig.start_durable("a");
  const auto eve = rig.start("a");
  rig.settle();
  CHECK(*ann == 1);
  CHECK(*bob == 2);
  CHECK(*eve == 3);
  CHECK(rig.stored("a") == 4);
}

TEST_CASE("all who wait at the same time get their numbers by one reserve, in order of arrival") {
  Rig rig(true);
  const auto first = rig.start("a");
  std::vector<Answered<std::int64_t>> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(rig.start("a"));
  const auto range = rig.start_batch("a", 50);
  CHECK(rig.memory.reserves == 1);
  rig.settle();
  CHECK(rig.memory.reserves == 2);
  CHECK(*first == 1);
  for (std::size_t i = 0; i < waiting.size(); ++i) CHECK(*waiting[i] == static_cast<std::int64_t>(i) + 2);
  CHECK(*range == id::Range{102, 152});
}

TEST_CASE("who comes while a reserve is under way gets nothing of it") {
  // It may have been done long ago: meanwhile another process may have answered a greater number.
  Rig rig(true);
  const auto early = rig.start_batch("a", 10);
  const auto elsewhere = rig.memory.shelf->reserve({{id::Key::Kind::kCounter, "seq/a"}, 1});
  const auto late = rig.start("a");
  rig.settle();
  CHECK(*early == id::Range{1, 11});
  CHECK(elsewhere->range.lo == 11);
  CHECK(*late == 12);
}

TEST_CASE("a caller that asks again as soon as it is answered gets nothing of the same reserve") {
  Rig rig(true);
  Answered<std::int64_t> again;
  std::int64_t first = 0;
  rig.sequences().next("a", [&](const core::Result<std::int64_t>& value) {
    first = *value;
    REQUIRE(rig.memory.shelf->reserve({{id::Key::Kind::kCounter, "seq/a"}, 100}));
    rig.sequences().next("a", again.done());
  });
  const auto second = rig.start("a");
  rig.settle();
  CHECK(first == 1);
  CHECK(second.ok());
  CHECK(*again > 101);
}

TEST_CASE("where not all have room, those who have get their numbers") {
  Rig rig(true);
  rig.set("a", kEnd - 3);
  rig.memory.delay = 10ms;
  const auto busy = rig.start("a");
  const auto many = rig.start_batch("a", 5);
  const auto two = rig.start_batch("a", 2);
  rig.pass(30ms);
  CHECK(*busy == kEnd - 3);
  CHECK(many.error() == "RangeExhausted");
  CHECK(*two == id::Range{kEnd - 2, kEnd});
}

TEST_CASE("callers with different ends wait in the same line") {
  Rig rig;
  for (int i = 0; i < 9; ++i) rig.count("day/1", 10);
  rig.memory.delay = 10ms;
  const auto count = [&](std::int64_t end) {
    return ask<std::int64_t>([&](auto done) { rig.sequences().count("day/1", end, std::move(done)); });
  };
  const auto busy = count(100), narrow = count(10), wide = count(100), last = count(10);
  rig.pass(30ms);
  CHECK(*busy == 10);
  CHECK(narrow.error() == "RangeExhausted");
  CHECK(*wide == 11);
  CHECK(last.error() == "RangeExhausted");
}

TEST_CASE("a caller that comes while a reserve is refused for another's end is not refused with it") {
  Rig rig;
  for (int i = 0; i < 9; ++i) rig.count("day/1", 10);
  const auto narrow =
      ask<std::int64_t>([&](auto done) { rig.sequences().count("day/1", 10, std::move(done)); });
  const auto wide = rig.count("day/1", 100);
  CHECK(narrow.error() == "RangeExhausted");
  CHECK(*wide == 10);
}

TEST_CASE("nothing is buffered while somebody waits for a durable number, however long") {
  Rig rig;
  rig.options.durable_stay = 1s;
  rig.options.buffer.wait.park = 10s;
  rig.fail(Fate::kRefused);
  const auto durable = rig.start_durable("a");
  rig.pass(1500ms);
  rig.fail(Fate::kDone);
  const auto between = rig.next("a");
  rig.pass(2s);
  CHECK(durable.ok());
  CHECK(between.ok());
  CHECK(*rig.next("a") > std::max(*durable, *between));
}

TEST_CASE("a buffer that is being given back serves nobody") {
  Rig rig;
  rig.options.durable_stay = 0s;
  rig.next("a");
  rig.memory.delay = 5s;
  const auto durable = rig.start_durable("a");
  rig.pass(3s);
  CHECK(durable.error() == "Unavailable");
  rig.memory.delay = 0ms;
  const auto next = rig.start("a");
  rig.pass(4s);
  CHECK(next.error() == "Unavailable");
  CHECK(rig.stored("a") == 2);
  CHECK(*rig.next("a") == 2);
}

// Several processes on one store, whose calls fail and take their time.
TEST_CASE("numbers are in the order of their calls, whoever answers and whatever happens to the store") {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    World world(seed);
    for (int i = 0; i < 2'000; ++i) world.step();
    CHECK(world.answers > 300);
  }
}

}  // namespace zerosuite::test::sequences_test
