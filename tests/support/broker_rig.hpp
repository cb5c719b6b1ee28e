// The lock broker over a fake engine and a fake clock: acquires as tests write them, and answers in words.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/function.hpp"
#include "lock/broker/broker.hpp"
#include "lock/broker/request.hpp"
#include "lock/engine.hpp"
#include "net/deferred.hpp"
#include "support/fakes.hpp"

namespace zerosuite::test {

using core::milliseconds;

/// want("ann", {"x"}).reading().waiting(5s)
struct Want : lock::Request {
  Want waiting(milliseconds duration) const {
    return with([&](Want& want) { want.wait = duration; });
  }
  Want leased(milliseconds duration) const {
    return with([&](Want& want) { want.spec.lease = duration; });
  }
  Want reading() const {
    return with([](Want& want) { want.spec.mode = lock::Mode::kShared; });
  }
  Want permits(std::uint32_t wanted, std::uint32_t limit) const {
    return with([&](Want& want) {
      want.spec.mode = lock::Mode::kPermits;
      want.spec.permits = wanted;
      want.spec.limit = limit;
    });
  }
  Want called(const std::string& request_id) const {
    return with([&](Want& want) { want.spec.request_id = request_id; });
  }
  Want numbered(std::int64_t id) const {
    return with([&](Want& want) {
      want.number = id;
      want.spec.request_id = std::to_string(id);
    });
  }
  Want bound_to(const std::string& id) const {
    return with([&](Want& want) { want.session = id; });
  }
  Want delayed(milliseconds duration) const {
    return with([&](Want& want) { want.spec.lock_delay = duration; });
  }
  Want confirming(milliseconds duration) const {
    return with([&](Want& want) { want.confirm = duration; });
  }

  template <class Change>
  Want with(Change change) const {
    Want changed = *this;
    change(changed);
    return changed;
  }
};

inline Want want(const std::string& owner, std::vector<std::string> names = {"x"}) {
  Want made;
  made.spec.owner = owner;
  made.spec.names = std::move(names);
  return made;
}

/// What became of an acquire. What is done about being told comes later, never inside the call.
struct AskedState {
  void hear(core::Result<lock::Answer> told) {
    ++times;
    CHECK_MESSAGE(times == 1, "told more than once");
    if (gone) return;  // another asked for the same; the server drops such an answer
    answer = std::move(told);
    if (when_told) when_told();
  }
  /// "" until it is told; then the state, or the error's name.
  std::string state() const {
    if (!answer) return "";
    if (!*answer) return answer->error().name;
    if (std::holds_alternative<lock::Granted>(**answer)) return granted().replay ? "replay" : "granted";
    constexpr const char* kWords[] = {"held", "timeout", "queued"};
    return kWords[static_cast<std::size_t>(busy().reason)];
  }
  const lock::Granted& granted() const { return std::get<lock::Granted>(*answer.value()); }
  const lock::Busy& busy() const { return std::get<lock::Busy>(*answer.value()); }
  const core::Error& error() const { return answer.value().error(); }

  std::optional<core::Result<lock::Answer>> answer;
  lock::Acquires::Id id = 0;
  std::string request_id;
  int times = 0;
  bool gone = false;  ///< Nobody hears it any more.
  std::function<void()> when_told;
};
using Asked = std::shared_ptr<AskedState>;

inline lock::HoldKey key_of(const Asked& asked) {
  const lock::Granted& granted = asked->granted();
  return {granted.names.front(), granted.owner, granted.token};
}

/// What a call answered; nullopt = nothing yet.
template <class T>
using SharedAnswer = std::shared_ptr<std::optional<core::Result<T>>>;

template <class T, class Call>
SharedAnswer<T> answered(Call call) {
  auto answer = std::make_shared<std::optional<core::Result<T>>>();
  call(core::Done<T>([answer](core::Result<T> result) {
    CHECK_MESSAGE(!*answer, "answered more than once");
    *answer = std::move(result);
  }));
  return answer;
}

/// "" = not yet; "ok", or the error's name.
template <class T>
std::string outcome(const SharedAnswer<T>& answer) {
  if (!*answer) return "";
  return **answer ? "ok" : (**answer).error().name;
}
template <class T>
const T& value(const SharedAnswer<T>& answer) {
  return *answer->value();
}

/// "ok", or the name of what it throws.
inline std::string outcome(const std::function<void()>& call) {
  try {
    call();
  } catch (const core::Failure& failure) {
    return failure.name();
  }
  return "ok";
}

/// What a listener was told: "granted x", one after the other.
struct HeardState {
  lock::Subscriber subscriber() {
    return {.tell =
                [this](const lock::SharedEvent& context) {
                  const lock::Event& event = *context;
                  if (on_event) on_event(event);
                  if (!room) return false;
                  words += (words.empty() ? "" : ", ") + std::string(word(event.kind)) +
                           (event.name.empty() ? "" : " " + event.name);
                  events.push_back(event);
                  return true;
                },
            .end = [this] { ++ends; }};
  }
  std::string id;  // of a session
  lock::EventBus::Id listener_id = 0;
  std::string words;
  std::vector<lock::Event> events;
  bool room = true;
  int ends = 0;
  std::function<void(const lock::Event&)> on_event;
};
using Heard = std::shared_ptr<HeardState>;

/// It answers late, fails, or forgets, as the test says.
class FakeLockEngine final : public lock::Engine {
 public:
  lock::Outcome<std::optional<lock::Grant>> acquire(const lock::LockSpec& spec,
                                                    core::Done<std::optional<lock::Grant>>& done) override {
    core::Result<std::optional<lock::Grant>> answer = std::optional<lock::Grant>();
    if (trouble) {
      answer = *trouble;
    } else if (taken(spec)) {
      ++refused;
    } else {
      kept.emplace(next_token, spec);
      answer = std::optional(lock::Grant{next_token++, spec.lease});
    }
    return conclude(std::move(answer), done);
  }
  lock::Outcome<bool> amend(lock::Token token, const lock::LockSpec& spec, core::Done<bool>& done) override {
    core::Result<bool> answer = kept.contains(token);
    if (trouble) {
      answer = *trouble;
    } else if (*answer) {
      kept[token] = spec;
    }
    return conclude(std::move(answer), done);
  }
  lock::Outcome<bool> release(lock::Token token, lock::Ending ending, core::Done<bool>& done) override {
    endings.push_back(ending);
    return conclude<bool>(kept.erase(token) > 0, done);
  }
  void watch_free(const std::string& name, std::function<void()> freed) override {
    watches.emplace(name, std::move(freed));
  }
  std::vector<lock::RecoveredHold> holds() const override { return left; }
  core::milliseconds recovering() const override { return recovers_in; }
  lock::Capabilities capabilities() const override {
    lock::Capabilities what;
    what.epoch = 7;
    what.indefinite = true;
    return what;
  }

  /// What an earlier process left; to be said before the broker is made.
  void leave(lock::RecoveredHold held) {
    kept.emplace(held.token, held.spec);
    next_token = std::max(next_token, held.token + 1);
    left.push_back(std::move(held));
  }
  /// The oldest commit in flight is done.
  void commit() {
    auto next = std::move(in_flight.front());
    in_flight.pop_front();
    next();
  }
  void commit_all() {
    while (!in_flight.empty()) commit();
  }
  /// Somebody beside the broker gives the name back.
  void free(const std::string& name) {
    elsewhere.erase(name);
    std::vector<std::function<void()>> calls;
    const auto [first, last] = watches.equal_range(name);
    for (auto at = first; at != last; ++at) calls.push_back(at->second);
    watches.erase(first, last);
    for (const auto& call : calls) call();
  }

  bool slow = false;  ///< Completions wait for commit().
  std::optional<core::Error> trouble;
  std::set<std::string> elsewhere;  ///< Held by somebody whom the broker does not know.
  core::milliseconds recovers_in{0};
  lock::Token next_token = 100;
  std::map<lock::Token, lock::LockSpec> kept;
  std::vector<lock::Ending> endings;
  std::vector<lock::RecoveredHold> left;
  std::multimap<std::string, std::function<void()>> watches;
  std::deque<core::MoveFunction<void()>> in_flight;
  std::size_t refused = 0;

 private:
  template <class T>
  lock::Outcome<T> conclude(core::Result<T> answer, core::Done<T>& done) {
    if (!slow && in_flight.empty()) return answer;
    in_flight.emplace_back(
        [answer = std::move(answer), then = std::move(done)]() mutable { then(std::move(answer)); });
    return std::nullopt;
  }
  bool taken(const lock::LockSpec& spec) const {
    return std::any_of(spec.names.begin(), spec.names.end(), [&](const std::string& name) {
      if (elsewhere.contains(name)) return true;
      std::uint32_t permits = spec.permits;
      for (const auto& [token, held] : kept) {
        if (std::find(held.names.begin(), held.names.end(), name) == held.names.end()) continue;
        if (held.mode != spec.mode || held.mode == lock::Mode::kExclusive) return true;
        permits += held.permits;
      }
      return spec.mode == lock::Mode::kPermits && permits > spec.limit;
    });
  }
};

/// What its end does not find settled, is leaked.
class BrokerRig {
 public:
  explicit BrokerRig(const lock::Limits& limits = {}, const std::vector<lock::RecoveredHold>& left = {})
      : engine(leave(left)), broker(timers, engine, limits, [this] { return clock += piece; }) {}
  ~BrokerRig() { CHECK(leaks() == ""); }
  BrokerRig(const BrokerRig&) = delete;
  BrokerRig& operator=(const BrokerRig&) = delete;

  // Each call is followed by the end of a turn, unless `one_turn`.
  Asked acquire(const lock::Request& request) {
    return ask(request, [&](auto told) { return broker.acquire(request, std::move(told)); });
  }
  Asked enqueue(const lock::Request& request) {
    return ask(request, [&](auto told) { return broker.enqueue(request, std::move(told)); });
  }
  Asked wait(const std::string& ticket, core::milliseconds wait) {
    return ask({}, [&](auto told) { return broker.acquires().wait(ticket, wait, std::move(told)); });
  }
  void withdraw(const Asked& asked) {
    asked->gone = true;
    broker.acquires().withdraw(asked->id);
    turn();
  }
  /// Its client will be found gone when it is told of a grant, and the server says so at the end of that
  /// turn.
  void vanish_when_told(const Asked& asked) {
    asked->when_told = [this, one = asked.get()] {
      if (one->state() != "granted") return;
      const std::string& ticket = one->granted().ticket;
      deferred.add(
          [this, one, ticket] { ticket.empty() ? undelivered(*one) : broker.acquires().unheard(ticket); });
    };
  }
  void undelivered(const AskedState& asked) {
    broker.acquires().undelivered(asked.granted().token, asked.granted().owner, asked.request_id);
  }
  /// What the owner was granted reached nobody, as its proxy says.
  void undelivered(const Asked& asked) {
    undelivered(*asked);
    turn();
  }
  bool cancel(const std::string& ticket) {
    const bool there = broker.acquires().cancel(ticket);
    turn();
    return there;
  }

  SharedAnswer<lock::Released> release(const lock::HoldKey& key) {
    return then<lock::Released>([&](auto done) { broker.release(key, std::move(done)); });
  }
  SharedAnswer<lock::Released> release(const Asked& asked) { return release(key_of(asked)); }
  SharedAnswer<lock::Extended> extend(const lock::HoldKey& key, core::milliseconds lease) {
    return then<lock::Extended>([&](auto done) { broker.leases().extend(key, lease, std::move(done)); });
  }
  SharedAnswer<lock::Extended> extend(const Asked& asked, core::milliseconds lease) {
    return extend(key_of(asked), lease);
  }
  SharedAnswer<lock::Answer> downgrade(const Asked& asked) {
    return then<lock::Answer>([&](auto done) { broker.downgrade(key_of(asked), std::move(done)); });
  }
  SharedAnswer<lock::BatchResult> release_many(const std::string& owner,
                                               const std::vector<lock::Ticketed>& held,
                                               const std::string& request_id = {}) {
    return then<lock::BatchResult>(
        [&](auto done) { broker.release_many(owner, held, request_id, std::move(done)); });
  }
  Heard session(const std::string& owner, core::milliseconds ttl = core::milliseconds(10'000)) {
    const auto heard = heard_.emplace_back(std::make_shared<HeardState>());
    heard->id = broker.sessions().open(owner, ttl, heard->subscriber());
    owners_.insert(owner);
    return heard;
  }
  /// The client of its stream has vanished.
  void lose(const Heard& session) {
    broker.sessions().lost(session->id);
    turn();
  }
  Heard watch(const std::string& prefix) {
    const auto heard = heard_.emplace_back(std::make_shared<HeardState>());
    heard->listener_id = broker.events().join_prefix(prefix, heard->subscriber());
    return heard;
  }
  /// What it has released by the end of this call.
  std::size_t close(const std::string& session) {
    std::size_t released = 0;
    broker.sessions().close(session, [&](std::size_t count) { released = count; });
    finish();
    return released;
  }
  lock::Revoked force_release(const std::string& name, const std::string& reason = {}) {
    const auto revoked =
        answered<lock::Revoked>([&](auto done) { broker.force_release(name, reason, std::move(done)); });
    finish();
    return value(revoked);
  }
  void drain(lock::EventBus::Stay stay = lock::EventBus::Stay::kStays) {
    broker.drain(stay);
    turn();
  }
  /// The oldest commit in flight is done; or all are, and what they bring about.
  void commit() {
    engine.commit();
    turn();
  }
  void commit_all() {
    do {
      engine.commit_all();
      turn();
    } while (!engine.in_flight.empty());
  }
  /// Somebody beside the broker gives the name back.
  void free(const std::string& name) {
    engine.free(name);
    turn();
  }
  /// The end of a turn of the loop, without a moment passing.
  void turn() {
    if (!one_turn) timers.advance_to(timers.now());
  }
  /// As many turns as it takes to do what is done in pieces, without a moment passing.
  void finish() {
    one_turn = false;
    while (broker.chores() > 0) turn();
  }
  void pass(core::milliseconds duration) { test::pass(timers, duration); }
  /// Time goes by, but nobody has looked at what is due.
  void stall(core::milliseconds duration) { timers.set_now(timers.now() + duration); }
  std::size_t waiting() const { return broker.acquires().waiting(); }

  net::Timers timers{kStart};
  net::Deferred deferred{timers};
  bool one_turn = false;           ///< All that is called until finish() comes in one turn.
  core::Clock::duration piece{0};  ///< So long each piece of a chore takes,
  core::TimePoint clock = kStart;  ///< by this clock.
  FakeLockEngine engine;
  lock::Broker broker;

 private:
  static FakeLockEngine leave(const std::vector<lock::RecoveredHold>& left) {
    FakeLockEngine made;
    for (const lock::RecoveredHold& held : left) made.leave(held);
    return made;
  }
  template <class Call>
  Asked ask(const lock::Request& request, Call call) {
    auto asked = std::make_shared<AskedState>();
    asked->request_id = request.spec.request_id;
    if (!request.spec.owner.empty()) owners_.insert(request.spec.owner);
    asked->id = call([asked](core::Result<lock::Answer> answer) { asked->hear(std::move(answer)); });
    asked_.push_back(asked);
    turn();
    return asked;
  }
  template <class T, class Call>
  SharedAnswer<T> then(Call call) {
    auto answer = answered<T>(call);
    turn();
    return answer;
  }

  // Ends all there is, and says what is left nevertheless.
  std::string leaks() {
    engine.slow = false;
    engine.trouble.reset();
    commit_all();
    for (const Asked& asked : asked_) asked->when_told = {};
    for (const Heard& heard : heard_) {
      heard->on_event = {};
      if (!heard->id.empty()) outcome([&] { close(heard->id); });  // if it is still there
    }
    drain();
    finish();
    const auto& names = broker.table().names();
    while (broker.leases().size() > 0) {
      std::vector<std::string> held;
      for (const auto& [text, name] : names) held.push_back(text);
      for (const std::string& name : held) force_release(name, "the end");
    }
    timers.advance_to(timers.now() + lock::kMostLockDelay + std::chrono::seconds(1));

    std::string left;
    for (const auto& [text, name] : names) left += "name " + text + "; ";
    for (const std::string& owner : owners_) {
      if (broker.table().find_owner(owner) != nullptr) left += "owner " + owner + "; ";
    }
    for (const Asked& asked : asked_) {
      if (asked->times == 0 && !asked->gone) left += "an acquire of id " + std::to_string(asked->id) + "; ";
    }
    if (waiting() > 0) left += std::to_string(waiting()) + " who wait; ";
    if (!engine.kept.empty()) left += std::to_string(engine.kept.size()) + " in the engine; ";
    return left;
  }

  std::set<std::string> owners_;
  std::vector<Asked> asked_;
  std::vector<Heard> heard_;
};

/// In which ann holds x.
struct HeldRig : BrokerRig {
  Asked ann = acquire(want("ann"));
};

/// In which ann has a session.
struct SessionRig : BrokerRig {
  Heard ann = session("ann");
};

}  // namespace zerosuite::test
