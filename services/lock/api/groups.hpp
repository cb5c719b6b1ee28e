// The groups of methods with a file of their own; bind() registers them.
#pragma once

#include "lock/broker/broker.hpp"
#include "rpc/server/server.hpp"

namespace zerosuite::lock {

/// Sessions and their events.
void bind_sessions(rpc::Server& server, Broker& broker);
/// Inspection and control, for operators.
void bind_operations(rpc::Server& server, Broker& broker);
/// The call shapes of redlock-py and of the recipe with SETNX and EXPIRE.
void bind_compatible(rpc::Server& server, Broker& broker);

/// Withdraws the request when its client is lost. No effect if the reply was already given.
template <class T>
void withdraw_when_lost(Broker& broker, const rpc::Reply<T>& reply, Acquires::Id id) {
  if (reply.wanted()) reply.on_lost([&broker, id] { broker.acquires().withdraw(id); });
}

/// To be called just before the reply is given. From then on there is nothing to withdraw, but an undelivered
/// grant is given back. A ticket's grant is kept for its next wait() instead; a replayed grant is kept, since
/// the repeated request shows that its client wants it.
template <class T>
void undo_when_undelivered(Broker& broker, const rpc::Reply<T>& reply, const core::Result<Answer>& answer,
                           const std::string& request_id) {
  if (reply.lost()) return;  // it was withdrawn; the request had other callers
  const auto* granted = answer ? std::get_if<Granted>(&*answer) : nullptr;
  if (granted == nullptr || granted->replay) return reply.on_lost({});
  if (!granted->ticket.empty())
    return reply.on_lost([&broker, ticket = granted->ticket] { broker.acquires().unheard(ticket); });
  const Token token = granted->token;
  if (request_id.empty())  // the usual case: the closure then fits into the std::function
    return reply.on_undelivered([&broker, token] { broker.acquires().undelivered(token, {}, {}); });
  reply.on_undelivered([&broker, token, owner = granted->owner, request_id] {
    broker.acquires().undelivered(token, owner, request_id);
  });
}

}  // namespace zerosuite::lock
