// The life cycle of acquires: tried at once, or queued until they are granted, time out or are withdrawn.
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

/// Loop thread only. Callbacks must not call back into the broker.
class Acquires {
 public:
  using Id = std::uint64_t;
  using Callback = core::Done<Answer>;

  Acquires(const BrokerContext& context, Leases& leases);

  /// Takes the request's lock, or waits for it. `told` may be called before this returns. Returns an id for
  /// withdraw(). Throws core::Failure if the request is refused at once: by the limits, by request
  /// deduplication, or because of how the names are in use.
  Id acquire(Request request, Callback told);
  /// As acquire(), but without a waiting call: Busy(kQueued) with a ticket if it is not granted at once.
  Id enqueue(Request request, Callback told);
  /// Waits for a ticket's grant; Busy(kQueued) after `wait`, and the place is kept for the next wait().
  /// Throws core::Failure(NotHeld) if there is no such ticket.
  Id wait(const std::string& ticket, milliseconds wait, Callback told);
  /// Cancels a ticket and gives back its grant, if any. Returns false if there is no such ticket.
  bool cancel(const std::string& ticket);
  /// The caller no longer waits: the client vanished or gave up. No effect once `told` was called; a grant
  /// that was not delivered is then given back with undelivered().
  void withdraw(Id id);
  /// The reply that carried an acquire's grant was not delivered: the grant is given back, unless a repeat of
  /// the request got a reply too. `owner` is used only with a request_id.
  void undelivered(Token token, const std::string& owner, const std::string& request_id);
  /// The same for a ticket's grant, which is kept for its next wait().
  void unheard(const std::string& ticket);

  /// Fails a waiter whose session has ended with SessionLost.
  void lose_session(Waiter& waiter);
  /// Fails all waiters, not necessarily in this call, and all later requests with ShuttingDown.
  void drain();
  bool draining() const { return draining_; }
  std::size_t waiting() const { return queues_.size(); }
  /// Number of long tasks, done in pieces, that are not finished.
  std::size_t chores() const { return queues_.chores(); }

  // Called by Leases: a hold has ended; a name may be free.
  void gone(const Hold& hold);
  void freed(const std::string& name) { queues_.freed(name); }
  /// Lets the requests that took and entered the hold be repeated.
  void remember(const Hold& hold);
  /// Forgets some of the remembered requests that are due; false if more are due.
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
  ExpiringMap<std::string, Granted> claimed_;  // by ticket, grants that were delivered
  Seats ticket_seats_;
  std::unordered_map<Id, std::unique_ptr<Waiter>> acquires_;
  std::unordered_map<std::string, Id, core::KeyedHash> tickets_;
  Id last_ = 0;
  bool draining_ = false;
};

}  // namespace zerosuite::lock
