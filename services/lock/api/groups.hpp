// The groups of methods that have a file of their own; bind() registers them.
#pragma once

#include "lock/broker/broker.hpp"
#include "rpc/server/server.hpp"

namespace zerosuite::lock {

/// Sessions and their events.
void bind_sessions(rpc::Server& server, Broker& broker);
/// What operators inspect and do.
void bind_operations(rpc::Server& server, Broker& broker);
/// The call shapes of redlock-py and of the recipe with SETNX and EXPIRE.
void bind_compatible(rpc::Server& server, Broker& broker);

/// Withdraws the request once nobody waits for the reply any more. Nothing when it was answered already.
template <class T>
void withdraw_when_lost(Broker& broker, const rpc::Reply<T>& reply, Acquires::Id id) {
  if (reply.wanted()) reply.on_lost([&broker, id] { broker.acquires().withdraw(id); });
}

/// To be called before the reply is given. From now on there is nothing to withdraw; but a grant is given
/// back if it reaches nobody, whether its sending finds that or a later event. A ticket's grant is kept for
/// its next wait(), and a repeated request shows that its client still wants the grant.
template <class T>
void undo_when_undelivered(Broker& broker, const rpc::Reply<T>& reply, const core::Result<Answer>& answer,
                           const std::string& request_id) {
  if (reply.lost()) return;  // it was withdrawn; others had asked for the same
  const auto* granted = answer ? std::get_if<Granted>(&*answer) : nullptr;
  if (granted == nullptr || granted->replay) return reply.on_lost({});
  if (!granted->ticket.empty())
    return reply.on_lost([&broker, ticket = granted->ticket] { broker.acquires().unheard(ticket); });
  const auto undo_by = [&reply](const auto& undo) {
    reply.on_lost(undo);
    reply.on_undelivered(undo);
  };
  const Token token = granted->token;
  if (request_id.empty())  // most: the closure then fits into the std::function
    return undo_by([&broker, token] { broker.acquires().undelivered(token, {}, {}); });
  undo_by([&broker, token, owner = granted->owner, request_id] {
    broker.acquires().undelivered(token, owner, request_id);
  });
}

}  // namespace zerosuite::lock
