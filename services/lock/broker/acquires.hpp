// The life of acquires: tried at once, or queued until they are granted, time out or are given up.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "lock/broker/leases.hpp"
#include "lock/broker/request_dedup.hpp"
#include "lock/broker/wait_queues.hpp"

namespace zerosuite::lock {

/// Loop thread only. What is told of an answer must not call back into the broker.
class Acquires {
 public:
  using Id = std::uint64_t;
  using Callback = core::Done<Answer>;

  Acquires(const BrokerContext& context, Leases& leases);

  /// Takes the request's lock, or waits for it. `told` may be called before this returns. Answers an id for
  /// withdraw(). Throws core::Failure when it is refused at once: by the limits, the memory of requests, or
  /// what the names are used for.
  Id acquire(Request request, Callback told);
  /// The same without anybody waiting: Busy(kQueued) with a ticket when it is not granted at once.
  Id enqueue(Request request, Callback told);
  /// Waits for what a ticket stands for; Busy(kQueued) after `wait`, and the place is kept for the next wait.
  /// Throws core::Failure(NotHeld) when there is no such ticket.
  Id wait(const std::string& ticket, milliseconds wait, Callback told);
  /// Gives a ticket up, and what it was granted. False when there is none.
  bool cancel(const std::string& ticket);
  /// Nobody waits for the answer any more: a client that vanished, or gave up. Nothing when it was answered
  /// before: then undelivered() is for what it was granted.
  void withdraw(Id id);
  /// What an acquire was answered as granted reached nobody, as it turns out: it is given back, unless the
  /// same request was answered to somebody else too. The owner matters for a request_id only.
  void undelivered(Token token, const std::string& owner, const std::string& request_id);
  /// The same of what a ticket was told it was granted: that is kept for its next wait().
  void unheard(const std::string& ticket);

  /// What was asked for under a session that has ended is refused with SessionLost.
  void lose_session(Waiter& waiter);
  /// Tells everybody who waits ShuttingDown, sooner or later, and from now on all who come.
  void drain();
  bool draining() const { return draining_; }
  std::size_t waiting() const { return queues_.size(); }
  /// Long work that is still to be done, in pieces.
  std::size_t chores() const { return queues_.chores(); }

  // From Leases: a hold has ended; a name may be had again.
  void gone(const Hold& hold);
  void freed(const std::string& name) { queues_.freed(name); }
  /// The requests that a hold was taken and entered by may be asked again.
  void remember(const Hold& hold);
  /// What is remembered, but not for any longer; false when there is more of it.
  bool forget();

 private:
  enum class Kind : std::uint8_t { kCall, kTicket };

  Id start(Request request, Kind kind, Callback told);
  std::optional<Id> replay(const Request& request, Callback& told);
  Id resume(Waiter& waiter, const Request& request, Callback told);
  void remember(const Waiter& waiter, const Granted& granted);
  void again(Granted before, Callback& told);
  void refuse_names(const Request& request, const Owner* owner) const;
  void refuse_tickets(const Request& request, const Owner* owner) const;
  Waiter& make(Request request, Kind kind, Callback told);
  void queue(Waiter& waiter);
  void searched(Waiter& waiter, const Cycle& cycle);
  void take_turn(Waiter& waiter);
  void ask(Waiter& waiter);
  void asked(Id id, const core::Result<std::optional<Grant>>& answer);
  void on_conflict(Waiter& waiter);
  void granted(Waiter& waiter, Hold& hold);
  void deliver(Waiter& waiter);
  void give_back(Waiter& waiter);
  void take_back(Token token, const LockSpec& spec);
  void enter(Waiter& waiter, Hold& hold);
  void entered(Id id, const core::Result<Hold*>& hold);
  void note_claimed(const Granted& granted);
  void enter_others(Token token);
  void claim(Waiter& waiter);
  void on_timer(Waiter& waiter);
  void end_wait(Waiter& waiter);
  void report_place(Waiter& waiter);
  void fail(Waiter& waiter, const core::Error& error);
  void drop(Waiter& waiter);
  Waiter* find(Id id);
  Waiter* find(const std::string& ticket);
  Granted view(const Waiter& waiter, const Hold& hold) const;

  BrokerContext context_;
  Leases& leases_;
  const std::function<void(Waiter&)> on_timer_;
  WaitQueues queues_;
  RequestDedup dedup_;
  ExpiringMap<std::string, Granted> claimed_;  // tickets that were told of their grant
  Seats ticket_seats_;
  std::unordered_map<Id, std::unique_ptr<Waiter>> acquires_;
  std::unordered_map<std::string, Id, core::KeyedHash> tickets_;
  Id last_ = 0;
  bool draining_ = false;
};

}  // namespace zerosuite::lock
