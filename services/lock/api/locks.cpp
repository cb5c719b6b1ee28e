#include "lock/api/locks.hpp"

#include "lock/api/answer.hpp"
#include "lock/api/groups.hpp"
#include "lock/api/request.hpp"

namespace zerosuite::lock {
namespace {

using core::Failure, core::Result;
using rpc::Reply;
using wire::Value;
using OwnerArgument = std::optional<std::string>;

const Value kNil;
const Value kLease(30'000);
const Value kNoWait(0);

// The parts of a request that its reply needs.
struct Asked {
  std::string request_id = {};
  AnswerView::Form form = AnswerView::Form::kName;
};

// Replies once the broker has decided; withdraws the request when the client is lost.
template <class Start>
void answer_later(Broker& broker, const Reply<AnswerView>& reply, Asked asked, Start start) {
  const Acquires::Id id = start([&broker, reply, asked = std::move(asked)](const Result<Answer>& answer) {
    undo_when_undelivered(broker, reply, answer, asked.request_id);
    if (!answer) return reply(answer.error());
    reply(AnswerView{*answer, broker.epoch(), asked.form});
  });
  withdraw_when_lost(broker, reply, id);
}

void start(Broker& broker, const Reply<AnswerView>& reply, Request&& request,
           AnswerView::Form form = AnswerView::Form::kName) {
  const auto begin = [&](Acquires::Callback told) {
    return broker.acquire(std::move(request), std::move(told));
  };
  answer_later(broker, reply, {request.spec.request_id, form}, begin);
}

void acquire(Broker& broker, const Reply<AnswerView>& reply, AcquireArgs wanted, const LockSpec& kind = {}) {
  wanted.client = reply.call().client();
  Request request = request_of(std::move(wanted), broker);
  if (kind.mode == Mode::kPermits) {
    if (request.spec.mode != Mode::kExclusive)
      throw Failure(core::kInvalidArgument, "a semaphore has no option 'mode'");
    request.spec.mode = kind.mode;
    request.spec.permits = kind.permits;
    request.spec.limit = kind.limit;
  }
  start(broker, reply, std::move(request));
}

core::Done<BatchResult> answer(const Reply<Value>& reply, std::string_view done) {
  return reply.with([done](const BatchResult& result) { return value_of(result, done); });
}

void bind_acquire(rpc::Server& server, Broker& broker) {
  server.method("acquire",
                {"name", {"owner", kNil}, {"lease_ms", kLease}, {"wait_ms", kNoWait}, {"opts", kNil}},
                "Acquires a lock for lease_ms, waiting for up to wait_ms. Returns the grant with its token, "
                "or ok=False and the holder.",
                [&broker](const Reply<AnswerView>& reply, std::string name, OwnerArgument owner,
                          std::int64_t lease_ms, std::int64_t wait_ms, rpc::Options opts) {
                  acquire(broker, reply, {{std::move(name)}, std::move(owner), lease_ms, wait_ms, opts});
                });
  server.method("try_acquire", {"name", {"owner", kNil}, {"lease_ms", kLease}}, "acquire() without waiting.",
                [&broker](const Reply<AnswerView>& reply, std::string name, OwnerArgument owner,
                          std::int64_t lease_ms) {
                  acquire(broker, reply, {{std::move(name)}, std::move(owner), lease_ms});
                });
  server.method("acquire_many",
                {"names", {"owner", kNil}, {"lease_ms", kLease}, {"wait_ms", kNoWait}, {"opts", kNil}},
                "Acquires several locks or none, with one token; waits without holding any of them.",
                [&broker](const Reply<AnswerView>& reply, ListArgument names, OwnerArgument owner,
                          std::int64_t lease_ms, std::int64_t wait_ms, rpc::Options opts) {
                  Request request = request_of({names_of(names, broker.limits()), std::move(owner), lease_ms,
                                                wait_ms, opts, reply.call().client()},
                                               broker);
                  start(broker, reply, std::move(request), AnswerView::Form::kNames);
                });
  server.method(
      "sem_acquire",
      {"name",
       {"owner", kNil},
       {"limit", 1},
       {"permits", 1},
       {"lease_ms", kLease},
       {"wait_ms", kNoWait},
       {"opts", kNil}},
      "Acquires permits of a semaphore that has limit of them. Returns the same as acquire(), and the "
      "permits left as available.",
      [&broker](const Reply<AnswerView>& reply, std::string name, OwnerArgument owner, std::uint32_t limit,
                std::uint32_t permits, std::int64_t lease_ms, std::int64_t wait_ms, rpc::Options opts) {
        acquire(broker, reply, {{std::move(name)}, std::move(owner), lease_ms, wait_ms, opts},
                {.mode = Mode::kPermits, .permits = permits, .limit = limit});
      });
}

void bind_tickets(rpc::Server& server, Broker& broker) {
  server.method(
      "enqueue", {"name", {"owner", kNil}, {"lease_ms", kLease}, {"opts", kNil}},
      "Joins the queue without waiting. Returns state 'granted', or 'queued' with a ticket for wait() "
      "and cancel().",
      [&broker](const Reply<AnswerView>& reply, std::string name, OwnerArgument owner, std::int64_t lease_ms,
                rpc::Options opts) {
        Request request = request_of(
            {{std::move(name)}, std::move(owner), lease_ms, 0, opts, reply.call().client()}, broker);
        answer_later(broker, reply, {request.spec.request_id}, [&](Acquires::Callback told) {
          return broker.enqueue(std::move(request), std::move(told));
        });
      });
  server.method("wait", {"ticket", {"wait_ms", 20'000}},
                "Waits up to wait_ms for a ticket's grant. Returns the same as enqueue(); the place is kept.",
                [&broker](const Reply<AnswerView>& reply, std::string ticket, std::int64_t wait_ms) {
                  answer_later(broker, reply, {}, [&](Acquires::Callback told) {
                    return broker.acquires().wait(ticket, milliseconds(wait_ms), std::move(told));
                  });
                });
  server.method("cancel", {"ticket"}, "Cancels a ticket, and releases its lock if it was granted.",
                [&broker](const std::string& ticket) { return broker.acquires().cancel(ticket); });
}

void bind_holds(rpc::Server& server, Broker& broker) {
  const auto release = [&broker](HoldKey::Kind kind) {
    return [&broker, kind](const Reply<Released>& reply, std::string name, std::string owner, Token token,
                           rpc::Options opts) {
      broker.release({std::move(name), std::move(owner), token, kind, request_id_of(opts)}, reply);
    };
  };
  server.method("release", {"name", "owner", "token", {"opts", kNil}},
                "Releases a lock. Returns hold_count, zero when others may acquire it.",
                release(HoldKey::Kind::kLock));
  server.method("sem_release", {"name", "owner", "token", {"opts", kNil}}, "Releases permits of a semaphore.",
                release(HoldKey::Kind::kSemaphore));
  server.method(
      "release_many", {"owner", "held", {"opts", kNil}},
      "Releases each [name, token] of held, sets as a whole. Returns the names released and those lost.",
      [&broker](const Reply<Value>& reply, const std::string& owner, ListArgument held, rpc::Options opts) {
        broker.release_many(owner, held_of(held, broker.limits()), request_id_of(opts),
                            answer(reply, "released"));
      });
  server.method(
      "extend", {"name", "owner", "token", {"lease_ms", kLease}},
      "Makes a hold last for lease_ms from now, unless it lasts longer already. Never revives one.",
      [&broker](const Reply<Extended>& reply, std::string name, std::string owner, Token token,
                std::int64_t lease_ms) {
        check_lease(milliseconds(lease_ms), broker.limits());
        broker.leases().extend({std::move(name), std::move(owner), token}, milliseconds(lease_ms), reply);
      });
  server.method("renew", {"owner", "held", {"lease_ms", kLease}},
                "extend() for each [name, token] of held. Returns the names that are ok and those lost.",
                [&broker](const Reply<Value>& reply, const std::string& owner, ListArgument held,
                          std::int64_t lease_ms) {
                  broker.renew(owner, held_of(held, broker.limits()), milliseconds(lease_ms),
                               answer(reply, "ok"));
                });
  server.method("downgrade", {"name", "owner", "token"},
                "Turns an exclusive hold into a shared one, without releasing it in between.",
                [&broker](const Reply<AnswerView>& reply, std::string name, std::string owner, Token token) {
                  broker.downgrade({std::move(name), std::move(owner), token, HoldKey::Kind::kLock},
                                   reply.with([&broker](const Answer& granted) {
                                     return AnswerView{granted, broker.epoch()};
                                   }));
                });
  server.query(
      "check", {"name", "token"},
      "Whether a token is valid now: for a resource that cannot remember the greatest token seen.",
      [&broker](const std::string& name, Token token) { return value_of(broker.check(name, token)); });
}

}  // namespace

void bind(rpc::Server& server, Broker& broker) {
  bind_acquire(server, broker);
  bind_tickets(server, broker);
  bind_holds(server, broker);
  bind_sessions(server, broker);
  bind_operations(server, broker);
  bind_compatible(server, broker);
  server.declare_relief({"cancel", "release", "sem_release", "release_many", "extend", "renew", "downgrade",
                         "force_release", "session_renew", "session_close", "unlock", "release_lock"});
}

}  // namespace zerosuite::lock
