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

/// Withdraws the attempt, or gives back what it was granted, once nobody waits for the reply any more. `id`
/// is zero when it was decided already.
template <class T>
void withdraw_when_lost(Broker& broker, const rpc::Reply<T>& reply, Acquires::Id id) {
  if (id != 0) reply.on_lost([&broker, id] { broker.acquires().withdraw(id); });
}

/// Gives the grant that the reply is about to carry back if it reaches nobody. A ticket's grant is kept for
/// its next wait(), and a repeated request shows that its client still wants the grant.
template <class T>
void undo_when_undelivered(Broker& broker, const rpc::Reply<T>& reply, const Granted& granted,
                           const std::string& request_id) {
  if (granted.replay || !granted.ticket.empty()) return;
  const Token token = granted.token;
  if (request_id.empty()) {  // the usual case: this closure fits into a std::function
    reply.on_undelivered([&broker, token] { broker.acquires().undelivered(token, {}, {}); });
    return;
  }
  reply.on_undelivered([&broker, token, owner = granted.owner, request_id] {
    broker.acquires().undelivered(token, owner, request_id);
  });
}

}  // namespace zerosuite::lock
