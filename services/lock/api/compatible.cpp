#include <cmath>

#include "lock/api/answer.hpp"
#include "lock/api/groups.hpp"
#include "lock/api/request.hpp"

namespace zerosuite::lock {
namespace {

using core::Failure, core::Result;
using rpc::Reply;
using wire::List, wire::Value;

constexpr milliseconds kRedlockPatience{600};  // redlock-py tries three times, 200 ms apart

// In the form of uuid.uuid4(), which the recipe uses.
std::string random_uuid() {
  std::string key = random_name();
  for (const std::size_t dash : {20U, 16U, 12U, 8U}) key.insert(dash, "-");
  return key;
}

milliseconds seconds(const char* what, double value) {
  constexpr double kMost = 24 * 3600;
  if (value >= 0 && value <= kMost) return milliseconds(std::llround(value * 1000));
  throw Failure(core::kInvalidArgument, std::string(what) + " must be from 0 to 86400 seconds");
}

template <class Shape>
void take(Broker& broker, const Reply<Value>& reply, Request request, Shape fingerprint) {
  request.client = reply.call().client();
  const Acquires::Id id =
      broker.acquire(std::move(request), [&broker, reply, fingerprint](const Result<Answer>& answer) {
        undo_when_undelivered(broker, reply, answer, {});
        if (!answer) return reply(answer.error());
        const auto* granted = std::get_if<Granted>(&*answer);
        reply(granted == nullptr ? Value(false) : fingerprint(*granted));
      });
  withdraw_when_lost(broker, reply, id);
}

void give_back(Broker& broker, const Reply<Value>& reply, const Hold& hold) {
  broker.release({hold.spec.names.front(), hold.spec.owner, hold.token, HoldKey::Kind::kLock},
                 [reply](const Result<Released>& released) { reply(static_cast<bool>(released)); });
}

void unlock(Broker& broker, const Reply<Value>& reply, const ListArgument& lock) {
  wire::Reader in(lock.elements);
  if (lock.size == 3) in.skip(wire::kChecked);  // the validity
  const auto name = lock.size == 3 ? in.text() : std::nullopt;
  const auto key = name ? in.text() : std::nullopt;
  if (!key) throw Failure(core::kTypeError, "unlock() takes what lock() answered: [validity, resource, key]");
  const Hold* hold = broker.held_by(std::string(*name), std::string(*key));
  hold == nullptr ? reply(false) : give_back(broker, reply, *hold);
}

void release_lock(Broker& broker, const Reply<Value>& reply, const std::string& name, const std::string& id) {
  check_name(name);
  if (const Hold* hold = broker.held_by(name, id)) return give_back(broker, reply, *hold);
  reply(broker.info(name).holders.empty());  // as in the recipe: nothing to release is not a failure
}

}  // namespace

void bind_compatible(rpc::Server& server, Broker& broker) {
  server.method("lock", {"resource", "ttl_ms"},
                "redlock-py's lock(): [validity, resource, key], or False after about 600 ms.",
                [&broker](const Reply<Value>& reply, std::string resource, std::int64_t ttl_ms) {
                  Request request;
                  request.spec.names = {resource};
                  request.spec.owner = random_name();
                  request.spec.lease = milliseconds(ttl_ms);
                  request.wait = kRedlockPatience;
                  take(broker, reply, std::move(request),
                       [resource = std::move(resource)](const Granted& granted) {
                         return Value(List{granted.validity, resource, granted.owner});
                       });
                });
  server.method("unlock", {"lock"}, "redlock-py's unlock(): releases what lock() returned.",
                [&broker](const Reply<Value>& reply, ListArgument lock) { unlock(broker, reply, lock); });
  server.method("acquire_lock", {"lock_name", {"acquire_time", 10}, {"time_out", 10}},
                "Acquires a lock for time_out seconds, waiting for up to acquire_time seconds. Returns an "
                "identifier, or False.",
                [&broker](const Reply<Value>& reply, std::string name, double acquire_time, double time_out) {
                  Request request;
                  request.spec.names = {std::move(name)};
                  request.spec.owner = random_uuid();
                  request.spec.lease = seconds("time_out", time_out);
                  request.wait = seconds("acquire_time", acquire_time);
                  take(broker, reply, std::move(request),
                       [](const Granted& granted) { return Value(granted.owner); });
                });
  server.method("release_lock", {"lock_name", "identifier"},
                "Releases what acquire_lock() returned. Returns False if another owner holds the lock.",
                [&broker](const Reply<Value>& reply, const std::string& name, const std::string& identifier) {
                  release_lock(broker, reply, name, identifier);
                });
}

}  // namespace zerosuite::lock
