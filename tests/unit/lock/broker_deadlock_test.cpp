// Whoever would wait for himself through others is told so, and the others go on.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_deadlock_test {

TEST_CASE_FIXTURE(
    BrokerRig, "the one who closes a circle of two hears so, with the circle, and the other gets his lock") {
  acquire(want("ann", {"x"}));
  const auto y = acquire(want("bob", {"y"}));
  const auto ann = acquire(want("ann", {"y"}).waiting(1min));
  const auto bob = acquire(want("bob", {"x"}).waiting(1min));
  REQUIRE(bob->state() == "Deadlock");
  CHECK(
      bob->error().text().ends_with(R"( {"cycle":[{"owner":"bob","name":"x"},{"owner":"ann","name":"y"}]})"));
  CHECK(broker.counters().deadlocks == 1);
  CHECK(ann->state() == "");
  release(y);
  CHECK(ann->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "who does not wait is never told of a circle") {
  acquire(want("ann", {"x"}));
  acquire(want("bob", {"y"}));
  acquire(want("ann", {"y"}).waiting(1min));
  CHECK(acquire(want("bob", {"x"}))->state() == "held");
}

TEST_CASE_FIXTURE(BrokerRig, "a circle of many is found, and none before it closes") {
  constexpr int kMany = 50;
  const auto text = [](int i) { return std::to_string(i % kMany); };
  for (int i = 0; i < kMany; ++i) acquire(want("owner" + text(i), {"lock" + text(i)}));
  for (int i = 0; i < kMany - 1; ++i) {
    CHECK(acquire(want("owner" + text(i), {"lock" + text(i + 1)}).waiting(1min))->state() == "");
  }
  const auto last = acquire(want("owner" + text(kMany - 1), {"lock0"}).waiting(1min));
  REQUIRE(last->state() == "Deadlock");
  CHECK(last->error().text().find("owner25 waits for \"lock26\"") != std::string::npos);
  CHECK(waiting() == kMany - 1);
}

TEST_CASE_FIXTURE(
    BrokerRig,
    "a search that has to wait for its turn finds the circle then, and the newest request is told") {
  for (const char* name : {"x", "y", "z"}) acquire(want("owner of " + std::string(name), {name}));
  piece = 3ms;  // each search takes a turn
  one_turn = true;
  acquire(want("owner of z", {"x"}).waiting(1min));
  const auto ann = acquire(want("owner of x", {"y"}).waiting(1min));
  const auto gone = acquire(want("owner of y", {"x"}).waiting(1min));
  const auto bob = acquire(want("owner of y", {"x"}).waiting(1min));
  CHECK(bob->state() == "");
  withdraw(gone);
  finish();
  CHECK(bob->state() == "Deadlock");
  CHECK(ann->state() == "");
  CHECK(gone->times == 0);
  CHECK(broker.counters().deadlocks == 1);
}

TEST_CASE_FIXTURE(BrokerRig, "a ticket closes a circle like a call") {
  acquire(want("ann", {"x"}));
  acquire(want("bob", {"y"}));
  enqueue(want("ann", {"y"}));
  CHECK(enqueue(want("bob", {"x"}))->state() == "Deadlock");
}

TEST_CASE_FIXTURE(BrokerRig, "a writer who waits for readers waits for each of them") {
  acquire(want("ann", {"x"}).reading());
  acquire(want("bob", {"x"}).reading());
  acquire(want("cat", {"y"}));
  acquire(want("bob", {"y"}).waiting(1min));
  CHECK(acquire(want("cat", {"x"}).waiting(1min))->state() == "Deadlock");
}

TEST_CASE_FIXTURE(BrokerRig, "a circle goes through places in line: a reader behind a writer waits for him") {
  acquire(want("ann", {"x"}).reading());
  acquire(want("cat", {"y"}));
  acquire(want("bob", {"z"}));
  CHECK(acquire(want("cat", {"x", "z"}).waiting(1min))->state() == "");
  acquire(want("dan", {"y"}).waiting(1min));
  CHECK(acquire(want("bob", {"x"}).reading().waiting(1min))->state() == "Deadlock");
}

TEST_CASE_FIXTURE(BrokerRig, "a set waits for all of its names") {
  acquire(want("ann", {"x"}));
  acquire(want("bob", {"y"}));
  acquire(want("cat", {"z"}));
  acquire(want("ann", {"y", "z"}).waiting(1min));
  CHECK(acquire(want("cat", {"x"}).waiting(1min))->state() == "Deadlock");
  CHECK(acquire(want("bob", {"x"}).waiting(1min))->state() == "Deadlock");
  CHECK(acquire(want("dan", {"x"}).waiting(1min))->state() == "");
}

TEST_CASE_FIXTURE(BrokerRig, "waiting for permits is no circle: whoever gives some back will do") {
  acquire(want("ann", {"s"}).permits(1, 2));
  acquire(want("bob", {"s"}).permits(1, 2));
  acquire(want("ann", {"x"}));
  acquire(want("bob", {"x"}).waiting(1min));
  CHECK(acquire(want("ann", {"s"}).permits(1, 2).waiting(1min))->state() == "");
}

TEST_CASE_FIXTURE(BrokerRig, "an owner does not wait for himself") {
  acquire(want("bob", {"x"}));
  acquire(want("ann", {"y"}));
  CHECK(acquire(want("ann", {"x"}).waiting(1min))->state() == "");
  CHECK(acquire(want("ann", {"x"}).waiting(1min))->state() == "");
}

TEST_CASE_FIXTURE(BrokerRig, "readers of the same lock do not wait for each other") {
  acquire(want("cat", {"x"}).reading());
  acquire(want("ann", {"y"}));
  const auto w = acquire(want("dan", {"w"}));
  const auto set = acquire(want("ann", {"w", "x"}).reading().waiting(1min));
  CHECK(acquire(want("cat", {"y"}).waiting(1min))->state() == "");
  release(w);
  CHECK(set->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig,
                  "a reader behind a reader waits for that one's place, not for all that he waits for") {
  const auto writer = acquire(want("cat", {"n"}));
  acquire(want("bob", {"m"}));
  acquire(want("ann", {"n"}).reading().waiting(1min));
  acquire(want("ann", {"m"}).waiting(1min));
  const auto bob = acquire(want("bob", {"n"}).reading().waiting(1min));
  CHECK(bob->state() == "");
  release(writer);
  CHECK(bob->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a reader behind a set of readers waits for all that the set waits for") {
  acquire(want("cat", {"n"}));
  acquire(want("bob", {"m"}));
  acquire(want("ann", {"m", "n"}).reading().waiting(1min));
  CHECK(acquire(want("bob", {"n"}).reading().waiting(1min))->state() == "Deadlock");
}

TEST_CASE_FIXTURE(BrokerRig, "owners with several waits each are found out in bounded time") {
  const auto ask = [&](const char* owner, std::vector<std::string> names) {
    return want(owner, std::move(names)).leased(10min).waiting(10min);
  };
  acquire(ask("C", {"n2"}).reading());
  acquire(ask("A", {"n2"}));
  acquire(ask("D", {"n1", "n2"}).reading());
  acquire(ask("D", {"n1"}).reading());
  acquire(ask("B", {"n0"}).reading());
  const auto cat = acquire(ask("C", {"n0"}));
  acquire(ask("A", {"n1"}).reading());
  const auto bob = acquire(ask("B", {"n1", "n2"}).reading());
  CHECK(cat->state() == "");
  REQUIRE(bob->state() == "Deadlock");
  CHECK(bob->error().text().ends_with(
      R"({"cycle":[{"owner":"B","name":"n2"},{"owner":"A","name":"n2"},{"owner":"C","name":"n0"}]})"));
}

TEST_CASE_FIXTURE(BrokerRig,
                  "a place in line depends on its own wait, not on what else its owner waits for") {
  const auto x = acquire(want("cat", {"x"}));
  const auto y = acquire(want("bob", {"y"}));
  const auto first = acquire(want("ann", {"x"}).waiting(1min));
  const auto bob = acquire(want("bob", {"x"}).waiting(1min));
  const auto second = acquire(want("ann", {"y"}).waiting(1min));
  CHECK(second->state() == "");
  release(x);
  REQUIRE(first->state() == "granted");
  release(first);
  CHECK(bob->state() == "granted");
  release(y);
  CHECK(second->state() == "granted");
}

TEST_CASE_FIXTURE(BrokerRig, "a circle that leads through another place of the same owner is one") {
  const auto y = acquire(want("cat", {"y"}));
  acquire(want("dan", {"z"}));
  acquire(want("bob", {"x"}));
  acquire(want("ann", {"x", "z"}).waiting(1min));
  acquire(want("ann", {"y"}).waiting(1min));
  acquire(want("bob", {"y"}).waiting(1min));
  release(y);  // so ann has it, while her other wait is open
  const auto ann = acquire(want("ann", {"z"}).waiting(1min));
  REQUIRE(ann->state() == "Deadlock");
  CHECK(ann->error().text().ends_with(
      R"({"cycle":[{"owner":"ann","name":"z"},{"owner":"ann","name":"x"},{"owner":"bob","name":"y"}]})"));
}

TEST_CASE_FIXTURE(BrokerRig, "of a very long circle the error shows the beginning") {
  constexpr int kMany = 1000;
  const std::string long_name(200, 'n');
  const auto text = [&](int i) { return long_name + std::to_string(i % kMany); };
  for (int i = 0; i < kMany; ++i) acquire(want("owner" + std::to_string(i), {text(i)}));
  for (int i = 0; i < kMany - 1; ++i) acquire(want("owner" + std::to_string(i), {text(i + 1)}).waiting(1min));
  const auto last = acquire(want("owner" + std::to_string(kMany - 1), {text(0)}).waiting(1min));
  REQUIRE(last->state() == "Deadlock");
  CHECK(last->error().text().ends_with(R"(],"length":1000})"));
  CHECK(last->error().text().size() < 100'000);
}

TEST_CASE_FIXTURE(BrokerRig, "a wait behind many others costs little, however much its owner holds") {
  acquire(want("ann", {"x"}));
  for (int i = 0; i < 2'000; ++i) acquire(want("bob", {"of bob " + std::to_string(i)}));
  for (int i = 0; i < 5'000; ++i) {
    const std::string owner = std::to_string(i);
    acquire(want(owner, {"of " + owner}).reading());
    acquire(want(owner, {"x"}).waiting(1min));
  }
  for (int i = 0; i < 5'000; ++i) acquire(want("bob", {"x"}).waiting(1min));
  CHECK(waiting() == 10'000);
}

TEST_CASE_FIXTURE(BrokerRig, "a long line of owners with locks of their own is no circle") {
  acquire(want("ann", {"x"}));
  for (int i = 0; i < 10'000; ++i) {
    const std::string owner = std::to_string(i);
    acquire(want(owner, {"of " + owner}));
    acquire(want(owner, {"x"}).waiting(1min));
  }
  CHECK(waiting() == 10'000);
  CHECK(acquire(want("ann", {"of 7"}).waiting(1min))->state() == "Deadlock");
}

// The same against a plain depth-first search, over random mixes of everything that can be waited for, with
// several waits an owner.
#if defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
constexpr unsigned kSeeds = 500;
#else
constexpr unsigned kSeeds = 5000;  // a million steps
#endif
constexpr int kSteps = 200;

/// What the table says about who waits for whom, one more wait included that is not in it yet.
class Model {
 public:
  Model(const lock::LockTable& table, const lock::Request& start) : table_(table), start_(start.spec) {}

  bool closes_circle() { return start_.mode != lock::Mode::kPermits && leads_back(start_, nullptr); }

  /// Whether `owner` waits for that name, and `next` has it or is before him.
  bool is_step(const std::string& owner, const std::string& text, const std::string& next) const {
    const lock::Name* name = table_.find_name(text);
    if (name == nullptr) return false;
    const bool starts = owner == start_.owner && has(start_, text);
    const auto wait = std::find_if(name->queue.rbegin(), name->queue.rend(),
                                   [&](const auto* one) { return one->owner->text == owner; });
    if (!starts && wait == name->queue.rend()) return false;
    const auto is_next = [&](const auto* one) { return one->owner->text == next; };
    return std::any_of(name->holds.begin(), name->holds.end(), is_next) ||
           std::any_of(starts ? name->queue.rbegin() : std::next(wait), name->queue.rend(), is_next);
  }

 private:
  static bool has(const lock::LockSpec& spec, const std::string& text) {
    return std::find(spec.names.begin(), spec.names.end(), text) != spec.names.end();
  }

  // `wait` is null for the start, which is behind everybody.
  bool leads_back(const lock::LockSpec& spec, const lock::Waiter* wait) {
    if (wait != nullptr && !seen_.insert(wait).second) return false;
    if (spec.mode == lock::Mode::kPermits) return false;
    return std::any_of(spec.names.begin(), spec.names.end(), [&](const std::string& text) {
      const lock::Name* name = table_.find_name(text);
      return name != nullptr && (line_leads_back(*name, wait) || holders_lead_back(*name, spec));
    });
  }
  bool line_leads_back(const lock::Name& name, const lock::Waiter* wait) {
    for (const lock::Waiter* before : name.queue) {
      if (before == wait) return false;
      if (leads_back(before->request.spec, before)) return true;
    }
    return false;
  }
  bool holders_lead_back(const lock::Name& name, const lock::LockSpec& spec) {
    return std::any_of(name.holds.begin(), name.holds.end(), [&](const lock::Hold* hold) {
      const bool both_read = spec.mode == lock::Mode::kShared && hold->spec.mode == lock::Mode::kShared;
      if (both_read || hold->owner->text == spec.owner) return false;
      if (hold->owner->text == start_.owner) return true;
      return std::any_of(hold->owner->acquires.begin(), hold->owner->acquires.end(), [&](const auto* one) {
        return !one->places.empty() && leads_back(one->request.spec, one);
      });
    });
  }

  const lock::LockTable& table_;
  const lock::LockSpec& start_;
  std::set<const lock::Waiter*> seen_;
};

class Walk {
 public:
  explicit Walk(unsigned seed) : random_(seed), owners_(2 + below(6)), names_(2 + below(4)) {}

  void step() {
    const std::size_t dice = below(20);
    if (dice == 0) return withdraw();
    if (dice == 1) return release();
    const lock::Request request = wanted();
    Model model(rig_.broker.table(), request);
    const bool expected = model.closes_circle();
    Asked asked;
    try {
      asked = below(8) == 0 ? rig_.enqueue(request) : rig_.acquire(request);
    } catch (const core::Failure&) {
      return;  // refused before it could wait
    }
    const std::string state = asked->state();
    if (state == "Deadlock") {
      ++found;
      REQUIRE(expected);
      check_circle(model, request.spec, asked->error().text());
    } else if (state.empty() || state == "queued") {
      REQUIRE_FALSE(expected);
      asked_.push_back(asked);
    } else if (state == "granted") {
      asked_.push_back(asked);
    }
  }

  int found = 0;

 private:
  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }
  std::string owner() { return std::string(1, static_cast<char>('A' + below(owners_))); }

  lock::Request wanted() {
    if (below(12) == 0)
      return want(owner(), {"s"}).permits(static_cast<std::uint32_t>(1 + below(2)), 2).leased(1h).waiting(1h);
    std::set<std::string> names;
    for (std::size_t i = 0; i < (below(3) == 0 ? 2U : 1U); ++i)
      names.insert(std::string(1, static_cast<char>('a' + below(names_))));
    auto made = want(owner(), {names.begin(), names.end()}).leased(1h).waiting(1h);
    return below(2) == 0 ? made.reading() : made;
  }

  void withdraw() {
    if (asked_.empty()) return;
    const Asked one = asked_[below(asked_.size())];
    if (one->times == 0 && !one->gone) rig_.withdraw(one);
  }
  void release() {
    std::vector<Asked> granted;
    std::copy_if(asked_.begin(), asked_.end(), std::back_inserter(granted),
                 [](const Asked& one) { return one->state() == "granted"; });
    if (granted.empty()) return;
    const Asked one = granted[below(granted.size())];
    rig_.release(one);
  }

  // `{"cycle":[{"owner":"B","name":"n"},…]}` at the message's end.
  static void check_circle(const Model& model, const lock::LockSpec& spec, const std::string& message) {
    const std::string kOwner = R"({"owner":")", kName = R"(","name":")";
    std::vector<std::pair<std::string, std::string>> steps;
    for (auto at = message.find(kOwner); at != message.npos; at = message.find(kOwner, at + 1)) {
      const auto owner = at + kOwner.size();
      REQUIRE(message.substr(owner + 1, kName.size()) == kName);
      steps.emplace_back(message.substr(owner, 1), message.substr(owner + 1 + kName.size(), 1));
    }
    REQUIRE(steps.size() > 1);
    REQUIRE(steps.front().first == spec.owner);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      CAPTURE(message);
      REQUIRE(model.is_step(steps[i].first, steps[i].second, steps[(i + 1) % steps.size()].first));
    }
  }

  std::mt19937 random_;
  const std::size_t owners_;
  const std::size_t names_;
  BrokerRig rig_;
  std::vector<Asked> asked_;
};

TEST_CASE("who waits in a circle is told so, with a circle that is there, and nobody else is") {
  int found = 0;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    Walk walk(seed);
    for (int i = 0; i < kSteps; ++i) walk.step();
    found += walk.found;
  }
  CHECK(found > static_cast<int>(kSeeds));
}

}  // namespace zerosuite::test::broker_deadlock_test
