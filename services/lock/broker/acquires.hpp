// The life of acquires: tried at once, or waiting in line until they are granted, time out or are given up.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "lock/broker/leases.hpp"
#include "lock/broker/request_dedup.hpp"

namespace zerosuite::lock {

/// Strictly first come, first served for each name: nobody is granted a name before those who have waited for
/// it longer, readers included, and a set waits without holding. Loop thread only.
class Acquires {
 public:
  using Id = std::uint64_t;
  using Callback = core::Done<Answer>;

  Acquires(const BrokerContext& context, Leases& holds);

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
  /// Nobody waits for the answer any more: a client that vanished, or gave up. What was granted but could not
  /// be told is given back. Nothing when it was answered before.
  void withdraw(Id id);
  /// What an acquire was answered as granted reached nobody, as it turns out: it is given back, unless the
  /// same request was asked again meanwhile and so was heard of. The owner matters for a request_id only.
  void undelivered(Token token, const std::string& owner, const std::string& request_id);

  /// What was asked for under a session that has ended is refused with SessionLost.
  void lose_session(Waiter& waiter);
  /// Tells everybody who waits ShuttingDown, sooner or later, and from now on all who come.
  void drain();
  bool draining() const { return draining_; }
  std::size_t waiting() const { return waiting_; }
  /// Long work that is still to be done, in pieces.
  std::size_t chores() const { return handing_over_.size() + searching_.size(); }

  /// The hold as an acquire answers it.
  Granted view(const Hold& hold) const;

  // From Leases: a hold has ended; a name may be had again.
  void gone(const Hold& hold);
  void freed(const std::string& name);
  /// The requests that a hold was taken and entered by may be asked again.
  void remember(const Hold& hold);
  /// What is remembered, but not for any longer; false when there is more of it.
  bool forget();

 private:
  enum class Kind : std::uint8_t { kCall, kTicket };

  Id start(Request request, Kind kind, Callback told);
  std::optional<Id> replay(const Request& request, Callback& told);
  Id resume(Waiter& waiter, const Request& request, Callback told);
  static void join(Waiter& waiter, Callback told);
  void remember(const Waiter& waiter, const Granted& granted);
  void again(Granted before, Callback& told);
  void refuse_misuse(const Request& request, const Owner* owner) const;
  [[noreturn]] void refuse_more() const;
  void refuse_tickets(const Request& request, const Owner* owner) const;
  void refuse_crowd(const Request& request) const;
  Waiter& make(Request request, Kind kind, Callback told);
  void queue(Waiter& waiter);
  void ask(Waiter& waiter);
  void asked(Id id, const core::Result<std::optional<Grant>>& answer);
  void on_conflict(Waiter& waiter);
  void granted(Waiter& waiter, Hold& hold);
  void enter(Waiter& waiter, Hold& hold);
  void entered(Id id, const core::Result<Hold*>& hold);
  void enter_others(Token token);
  void give_back(Waiter& waiter);
  void deliver(Waiter& waiter);
  void spec(Waiter& waiter);
  void leave_ticket(Waiter& waiter);
  void on_timer(Waiter& waiter);
  void end_wait(Waiter& waiter);
  void report_place(Waiter& waiter);
  void fail(Waiter& waiter, const core::Error& error);
  void drop(Waiter& waiter);
  void leave_line(Waiter& waiter);
  void touch(Name& name);
  void search(Id id);
  void serve();
  bool serve_next();
  void grant(Waiter& first);
  Waiter* find(Id id);
  Waiter* find(const std::string& ticket);
  Granted view(const Waiter& waiter, const Hold& hold) const;
  Busy busy(const LockSpec& spec, Busy::Reason reason) const;

  BrokerContext context_;
  Leases& leases_;
  const std::function<void(Waiter&)> on_timer_;
  RequestDedup dedup_;
  ExpiringMap<std::string, Granted> claimed_;  // tickets that were told of their grant
  Seats waiters_;
  Seats ticket_seats_;
  std::unordered_map<Id, std::unique_ptr<Waiter>> acquires_;
  std::unordered_map<std::string, Id, core::KeyedHash> tickets_;
  std::deque<Name*> touched_;
  // Lists of their own: neither waits for other chores, nor for one another.
  net::Chores handing_over_;
  net::Chores searching_;
  std::size_t waiting_ = 0;
  std::uint64_t searches_ = 0;  // for deadlocks
  Id last_ = 0;
  bool serving_ = false;
  bool draining_ = false;
};

}  // namespace zerosuite::lock
