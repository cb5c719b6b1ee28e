// Thousands of random steps, each followed by the same questions: does nobody hold what another holds, do
// tokens rise, is everybody told once, is it first come, first served.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

#include "support/broker_rig.hpp"

namespace zerosuite::test::broker_model_test {

using core::milliseconds;

constexpr int kSeeds = 40;
constexpr int kSteps = 400;

class Walk {
 public:
  explicit Walk(unsigned seed) : random_(seed), watcher_(rig_.watch("")) {}

  void step() {
    using Step = void (Walk::*)();
    constexpr Step kAll[] = {&Walk::acquire, &Walk::acquire,  &Walk::acquire, &Walk::acquire, &Walk::enqueue,
                             &Walk::wait,    &Walk::withdraw, &Walk::cancel,  &Walk::release, &Walk::release,
                             &Walk::extend,  &Walk::pass,     &Walk::session, &Walk::force,   &Walk::engine};
    (this->*kAll[below(std::size(kAll))])();
    check_holders();
    check_tokens();
    check_line();
    REQUIRE(rig_.engine.refused == 0);
  }

 private:
  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  std::string owner() { return std::string(1, static_cast<char>('a' + below(5))); }
  Asked any() { return asked_[below(asked_.size())]; }

  // "x", "y" and "z" are locks, "s" is a semaphore.
  Want wanted() {
    auto made = want(owner(), {"s"}).permits(static_cast<std::uint32_t>(1 + below(3)), 3);
    if (!chance(5)) {
      made = want(made.spec.owner, {});
      for (const char* name : {"x", "y", "z"}) {
        if (chance(3)) made.spec.names.emplace_back(name);
      }
      if (made.spec.names.empty()) made.spec.names = {"x"};
      if (chance(2)) made = made.reading();
    }
    made = made.leased(milliseconds(10 + below(4000)));
    if (chance(2)) made = made.waiting(milliseconds(below(3000)));
    if (chance(4)) made = made.called(std::to_string(below(4)));
    if (chance(6)) made = made.delayed(milliseconds(below(300)));
    if (const auto session = sessions_.find(made.spec.owner); session != sessions_.end() && chance(2))
      made = made.bound_to(session->second->id);
    if (chance(5)) made = made.confirming(std::min(made.spec.lease, milliseconds(200)));
    return made;
  }
  // A refusal is an answer too.
  template <class Call>
  void waiter(Call call) {
    try {
      Asked made = call();
      if (chance(8)) {
        rig_.vanish_when_told(made);
      }
      asked_.push_back(std::move(made));
    } catch (const core::Failure& failure) {
      REQUIRE(failure.name() != core::kInternalError.name);
    }
  }

  void acquire() {
    waiter([&] { return rig_.acquire(wanted()); });
  }
  void enqueue() {
    waiter([&] { return rig_.enqueue(wanted()); });
  }
  std::string ticket() {
    for (int i = 0; i < 10 && !asked_.empty(); ++i) {
      const Asked one = any();
      if (one->state() == "queued") return one->busy().ticket;
    }
    return "none";
  }
  void wait() {
    waiter([&] { return rig_.wait(ticket(), milliseconds(below(2000))); });
  }
  void cancel() { rig_.cancel(ticket()); }
  void withdraw() {
    if (asked_.empty()) return;
    const Asked one = any();
    // Its place may be another's by now, who sent the same request again.
    if (one->times > 0 || one->gone || one->id == 0) return;
    rig_.withdraw(one);
  }
  std::optional<lock::HoldKey> key() {
    for (int i = 0; i < 10 && !asked_.empty(); ++i) {
      const Asked one = any();
      if (one->state() == "granted") return key_of(one);
    }
    return std::nullopt;
  }
  void release() {
    const auto one = key();
    if (!one) return;
    rig_.broker.leases().release(*one, [](const auto&) {});
    rig_.turn();
  }
  void extend() {
    if (const auto one = key()) rig_.extend(*one, milliseconds(10 + below(4000)));
  }
  void pass() { chance(4) ? rig_.stall(milliseconds(below(200))) : rig_.pass(milliseconds(below(500))); }
  void session() {
    const std::string one = owner();
    const auto found = sessions_.find(one);
    if (found == sessions_.end()) {
      sessions_[one] = rig_.session(one);
      return;
    }
    const std::string id = found->second->id;
    sessions_.erase(found);
    if (chance(2)) return rig_.broker.sessions().lost(id);
    rig_.close(id);
  }
  void force() {
    if (chance(4)) rig_.force_release(std::string(1, "xyzs"[below(4)]), "");
  }
  void engine() {
    if (chance(3)) rig_.engine.slow = !rig_.engine.slow;
    if (chance(3) && !rig_.engine.in_flight.empty()) return rig_.commit();
    rig_.commit_all();
  }

  void check_holders() {
    for (const auto& [text, name] : rig_.broker.table().names()) {
      std::uint32_t permits = 0;
      std::size_t writers = 0;
      std::set<std::string> owners;
      for (const lock::Hold* hold : name.holds) {
        permits += hold->spec.mode == lock::Mode::kPermits ? hold->spec.permits : 0;
        writers += hold->spec.mode == lock::Mode::kExclusive ? 1 : 0;
        owners.insert(hold->spec.owner);
      }
      REQUIRE(permits <= 3);
      REQUIRE((writers == 0 || name.holds.size() == 1));
      REQUIRE((text == "s" || owners.size() == name.holds.size()));
    }
  }
  void check_tokens() {
    for (; heard_ < watcher_->events.size(); ++heard_) {
      const lock::Event& event = watcher_->events[heard_];
      if (event.kind != lock::Event::Kind::kGranted || event.token == newest_[event.name]) continue;
      REQUIRE(event.token > newest_[event.name]);
      newest_[event.name] = event.token;
    }
  }
  // In order of their coming, and nobody waits for what he could have.
  void check_line() {
    for (const auto& [text, name] : rig_.broker.table().names()) {
      REQUIRE(std::is_sorted(name.queue.begin(), name.queue.end(),
                             [](const auto* one, const auto* other) { return one->id < other->id; }));
      if (name.queue.empty() || !rig_.engine.in_flight.empty()) continue;
      const lock::Waiter& first = *name.queue.front();
      const lock::LockTable& table = rig_.broker.table();
      REQUIRE_FALSE((table.first_in_line(first.request.spec, &first) && table.admits(first.request.spec)));
    }
  }

  std::mt19937 random_;
  BrokerRig rig_{{.ticket_ttl = 2s, .memory = 5s}};
  Heard watcher_;
  std::map<std::string, Heard> sessions_;
  std::vector<Asked> asked_;
  std::map<std::string, lock::Token> newest_;
  std::size_t heard_ = 0;
};

TEST_CASE("whatever happens in whatever order, locks exclude, lines are kept and everybody hears once") {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    Walk walk(seed);
    for (int i = 0; i < kSteps; ++i) walk.step();
  }
}

}  // namespace zerosuite::test::broker_model_test
