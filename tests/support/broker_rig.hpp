// The lock broker over a fake engine and a fake clock. What the rig's end does not find settled, is leaked.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lock/broker/broker.hpp"
#include "net/deferred.hpp"
#include "support/fake_lock_engine.hpp"
#include "support/fakes.hpp"
#include "support/lock_words.hpp"
#include "support/want.hpp"

namespace zerosuite::test {

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
      later.add(
          [this, one, ticket] { ticket.empty() ? undelivered(*one) : broker.acquires().unheard(ticket); });
    };
  }
  void undelivered(const AskedState& asked) {
    broker.acquires().undelivered(asked.granted().token, asked.granted().owner, asked.request_id);
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
  net::Deferred later{timers};
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

}  // namespace zerosuite::test
