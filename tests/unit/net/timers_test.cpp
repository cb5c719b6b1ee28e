#include "net/timers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace timers_test {

using namespace std::chrono_literals;
using zerosuite::core::Clock;
using zerosuite::core::milliseconds;
using zerosuite::core::TimePoint;
using zerosuite::net::Timer;
using zerosuite::net::Timers;

// Not on a tick of the clock, as real starts are not.
const TimePoint kStart = TimePoint{} + 1234567us;

// What the wheel should do, without a wheel.
struct Model {
  TimePoint now = kStart;
  std::multimap<std::int64_t, std::size_t> waiting;  // tick -> timer; keeps the order of arming within a tick
  std::list<std::size_t> passed;
  std::list<std::size_t> firing;

  bool armed(std::size_t timer) const {
    const auto is_it = [timer](const auto& entry) { return entry.second == timer; };
    return std::any_of(waiting.begin(), waiting.end(), is_it) ||
           std::count(passed.begin(), passed.end(), timer) > 0 ||
           std::count(firing.begin(), firing.end(), timer) > 0;
  }
  bool idle() const { return waiting.empty() && passed.empty() && firing.empty(); }
  void cancel(std::size_t timer) {
    std::erase_if(waiting, [timer](const auto& entry) { return entry.second == timer; });
    passed.remove(timer);
    firing.remove(timer);
  }
  void at(std::size_t timer, TimePoint when) {
    cancel(timer);
    if (when <= now) return passed.push_back(timer);
    waiting.emplace(std::chrono::ceil<milliseconds>(when - kStart).count(), timer);
  }
  void advance_to(TimePoint to) {
    now = std::max(now, to);
    firing.splice(firing.end(), passed);
    const auto end = waiting.upper_bound(std::chrono::floor<milliseconds>(now - kStart).count());
    for (auto entry = waiting.begin(); entry != end; ++entry) firing.push_back(entry->second);
    waiting.erase(waiting.begin(), end);
  }
};

// Wheel and model side by side, taking the same random steps, some of them inside callbacks.
class Pair {
 public:
  explicit Pair(std::uint64_t seed) : random_(seed) {
    for (std::size_t i = 0; i < kTimers; ++i) make(i);
  }

  void step() {
    if (below(4) == 0) return advance();
    touch(below(kTimers));
  }
  std::size_t fired() const { return fired_; }

 private:
  static constexpr std::size_t kTimers = 40;

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  // From microseconds to days, each magnitude as likely as the others; sometimes none at all.
  std::chrono::microseconds span() { return std::chrono::microseconds(below(std::uint64_t{1} << below(38))); }

  void make(std::size_t i) {
    timers_[i] = std::make_unique<Timer>(wheel_, [this, i] { on_fire(i); });
  }
  void touch(std::size_t i) {
    switch (below(6)) {
      case 0:
        timers_[i]->cancel();
        return model_.cancel(i);
      case 1:
        make(i);
        return model_.cancel(i);
      case 2:
        timers_[i]->at(wheel_.now() - 1ms);
        return model_.at(i, model_.now - 1ms);
      default:
        const auto delay = span();
        timers_[i]->after(delay);
        return model_.at(i, model_.now + delay);
    }
  }
  void on_fire(std::size_t i) {
    REQUIRE_FALSE(model_.firing.empty());
    REQUIRE(model_.firing.front() == i);
    model_.firing.pop_front();
    ++fired_;
    for (auto touches = below(3); touches > 0; --touches) touch(below(2) == 0 ? i : below(kTimers));
  }
  void advance() {
    const auto to = wheel_.now() + span() - 10us;
    model_.advance_to(to);
    wheel_.advance_to(to);
    REQUIRE(wheel_.now() == model_.now);
    REQUIRE(model_.firing.empty());
    for (std::size_t i = 0; i < kTimers; ++i) REQUIRE(timers_[i]->armed() == model_.armed(i));
    check_next();
  }
  void check_next() {
    const auto next = wheel_.next();
    REQUIRE(next.has_value() == !model_.idle());
    if (!next) return;
    REQUIRE(*next >= wheel_.now() - 1ms);
    if (!model_.passed.empty()) {
      REQUIRE(*next <= model_.now);
    } else {
      REQUIRE(*next <= kStart + milliseconds(model_.waiting.begin()->first));
    }
  }

  std::mt19937_64 random_;
  Timers wheel_{kStart};
  Model model_;
  std::unique_ptr<Timer> timers_[kTimers];
  std::size_t fired_ = 0;
};

struct Fixture {
  Timers timers{kStart};
  int fired = 0;
};

TEST_CASE("the wheel does what a sorted list would, whatever is armed, moved, cancelled or destroyed when") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Pair pair(seed);
    for (int step = 0; step < 5000; ++step) pair.step();
    CHECK(pair.fired() > 500);
  }
}

TEST_CASE_FIXTURE(Fixture, "a timer fires once, not early, and at most a tick late") {
  Timer timer(timers, [&] { ++fired; });

  timer.after(2500us);
  CHECK(timer.armed());
  timers.advance_to(kStart + 2499us);
  CHECK(fired == 0);
  timers.advance_to(kStart + 3500us);
  CHECK(fired == 1);
  CHECK_FALSE(timer.armed());
  timers.advance_to(kStart + 1h);
  CHECK(fired == 1);
}

TEST_CASE("a callback sees the time of the turn, not the time it was due") {
  Timers timers(kStart);
  TimePoint seen;
  Timer timer(timers, [&] { seen = timers.now(); });
  timer.after(1ms);
  timers.advance_to(kStart + 1min);
  CHECK(seen == kStart + 1min);
}

TEST_CASE("time never goes backwards") {
  Timers timers(kStart);
  timers.advance_to(kStart + 5s);
  timers.advance_to(kStart + 1s);
  CHECK(timers.now() == kStart + 5s);
}

TEST_CASE_FIXTURE(Fixture, "a time that has passed fires at the next advance, also when time stands still") {
  Timer timer(timers, [&] { ++fired; });
  timer.at(kStart - 1h);
  CHECK(fired == 0);
  CHECK(timers.next() == kStart);
  timers.advance_to(kStart);
  CHECK(fired == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "a timer that re-arms itself for a time already passed fires once for each advance") {
  Timer timer(timers, [&] {
    ++fired;
    timer.after(0ms);
  });
  timer.after(1ms);
  timers.advance_to(kStart + 1s);
  CHECK(fired == 1);
  timers.advance_to(kStart + 1s);
  CHECK(fired == 2);
}

TEST_CASE_FIXTURE(Fixture, "a callback may destroy every timer due in the same tick, its own among them") {
  std::vector<std::unique_ptr<Timer>> all;
  const auto witness = std::make_shared<int>(7);
  for (int i = 0; i < 10; ++i) {
    all.push_back(std::make_unique<Timer>(timers, [&, witness] {
      all.clear();
      fired += *witness;  // what the closure holds outlives its timer
    }));
    all.back()->after(3ms);
  }
  timers.advance_to(kStart + 1s);
  CHECK(fired == 7);
  CHECK(witness.use_count() == 1);
  CHECK_FALSE(timers.next());
}

TEST_CASE("a callback may cancel or postpone a timer due in the same tick") {
  Timers timers(kStart);
  int cancelled = 0;
  int postponed = 0;
  Timer second(timers, [&] { ++cancelled; });
  Timer third(timers, [&] { ++postponed; });
  Timer first(timers, [&] {
    second.cancel();
    third.after(1s);
  });
  first.after(1ms);
  second.after(1ms);
  third.after(1ms);
  timers.advance_to(kStart + 10ms);
  CHECK(cancelled == 0);
  CHECK(postponed == 0);
  timers.advance_to(kStart + 2s);
  CHECK(cancelled == 0);
  CHECK(postponed == 1);
}

TEST_CASE("deadlines of any distance fire in their order after one long gap") {
  Timers timers(kStart);
  std::vector<int> order;
  Timer year(timers, [&] { order.push_back(3); });
  Timer minute(timers, [&] { order.push_back(1); });
  Timer day(timers, [&] { order.push_back(2); });
  Timer never(timers, [&] { order.push_back(4); });
  year.after(365 * 24h);
  minute.after(1min);
  day.after(24h);
  never.after(Clock::duration::max());
  timers.advance_to(kStart + 100 * 365 * 24h);
  CHECK(order == std::vector{1, 2, 3});
  CHECK(never.armed());
}

TEST_CASE_FIXTURE(Fixture, "after an exception the timers behind it fire at the next advance") {
  Timer bad(timers, [&] {
    if (++fired == 1) throw std::runtime_error("bad");
  });
  Timer good(timers, [&] { fired += 10; });
  bad.after(1ms);
  good.after(1ms);
  CHECK_THROWS_AS(timers.advance_to(kStart + 1s), std::runtime_error);
  CHECK(fired == 1);
  CHECK(timers.next() == timers.now());

  bad.after(0ms);
  timers.advance_to(kStart + 1s);
  CHECK(fired == 12);
}

TEST_CASE("a timer armed for the end of the turn fires once, after those that are due") {
  Timers timers(kStart);
  std::string done;
  Timer last(timers, [&] { done += 'l'; });
  Timer never(timers, [&] { done += 'n'; });
  Timer due(timers, [&] { last.later(); });
  Timer first(timers, [&] { done += 'f'; });
  due.after(1ms);
  first.later();
  never.later();
  never.cancel();
  last.after(1h);
  {
    Timer gone(timers, [&] { done += 'g'; });
    gone.later();
  }
  CHECK(timers.next() == timers.now());
  timers.advance_to(kStart + 1ms);
  CHECK(done == "fl");
  CHECK_FALSE(last.armed());
  CHECK_FALSE(timers.next());
}

TEST_CASE(
    "a timer armed meanwhile for the end of the turn fires in it, but no chain of them holds the loop") {
  Timers timers(kStart);
  int fired = 0;
  Timer again(timers, [&] {
    ++fired;
    again.later();
  });
  again.later();
  timers.advance_to(kStart);
  CHECK(fired > 1);
  CHECK(fired < 100);
  CHECK(timers.next() == timers.now());
  const int before = fired;
  timers.advance_to(kStart);
  CHECK(fired == 2 * before);
}

}  // namespace timers_test
