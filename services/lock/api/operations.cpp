#include <utility>

#include "core/text.hpp"
#include "lock/api/answer.hpp"
#include "lock/api/groups.hpp"

namespace zerosuite::lock {
namespace {

using wire::Dict, wire::List, wire::Value;

std::size_t page_size(std::int64_t limit) {
  core::check_range("limit", limit, 1, 1000);
  return static_cast<std::size_t>(limit);
}

Value holds(const Broker& broker, const std::string& owner, std::int64_t limit, const std::string& cursor) {
  const HoldsPage page = broker.holds_of(owner, page_size(limit), cursor);
  List list;
  for (const auto& [name, holder] : page.holds) {
    Value entry = value_of(holder);
    Dict& dict = std::get<Dict>(entry.data);
    dict.insert(dict.begin(), wire::DictEntry{"name", name});
    list.push_back(std::move(entry));
  }
  return Dict{{"holds", std::move(list)}, {"cursor", page.cursor}};
}

Value list(const Broker& broker, const std::string& prefix, std::int64_t limit, const std::string& cursor) {
  check_prefix(prefix);
  return value_of(broker.list(prefix, page_size(limit), cursor));
}

Value engine_info(const Broker& broker) {
  Value info = value_of(broker.engine().capabilities());
  Dict& dict = std::get<Dict>(info.data);
  dict.add("epoch", broker.epoch()).add("recovering_ms", broker.engine().recovering());
  return info;
}

Value stats(const Broker& broker) {
  Value stats = value_of(broker.counters());
  std::get<Dict>(stats.data)
      .add("held", broker.leases().size())
      .add("names", broker.table().names().size())
      .add("waiting", broker.acquires().waiting())
      .add("sessions", broker.sessions().size())
      .add("listeners", broker.events().size())
      .add("draining", broker.acquires().draining())
      .add("recovering_ms", broker.engine().recovering());
  return stats;
}

Value drain(Broker& broker) {
  const std::size_t waiting = broker.acquires().waiting();
  broker.drain(EventBus::Stay::kStays);
  return Dict{{"waiters", waiting}, {"held", broker.leases().size()}};
}

}  // namespace

void bind_operations(rpc::Server& server, Broker& broker) {
  server.query("info", {"name"}, "The holders of a lock and its waiters, in order.",
               [&broker](const std::string& name) { return value_of(broker.info(name)); });
  server.query(
      "list", {{"prefix", ""}, {"limit", 100}, {"cursor", ""}},
      "The locks in use whose names begin with prefix, limit per page; cursor is the start of the next page.",
      [&broker](const std::string& prefix, std::int64_t limit, const std::string& cursor) {
        return list(broker, prefix, limit, cursor);
      });
  server.query("holds", {"owner", {"limit", 1000}, {"cursor", ""}},
               "The holds of an owner, about limit names per page; cursor is the start of the next page.",
               [&broker](const std::string& owner, std::int64_t limit, const std::string& cursor) {
                 return holds(broker, owner, limit, cursor);
               });
  server.method(
      "force_release", {"name", {"reason", ""}},
      "Revokes a lock from its holders. Later grants have no smaller token than the one returned: pass it to "
      "the resource to shut out the old holders.",
      [&broker](const rpc::Reply<Value>& reply, const std::string& name, const std::string& reason) {
        check_reason(reason);
        broker.force_release(name, reason, reply.with([](const Revoked& revoked) {
          return Dict{{"released", revoked.released},
                      {"token", revoked.released == 0 ? Value() : revoked.token}};
        }));
      });
  server.method("drain", "Stops granting and fails all waiters; releases still work.",
                [&broker] { return drain(broker); });
  server.query("engine_info", "What the engine guarantees, and whether it is still recovering.",
               [&broker] { return engine_info(broker); });
  server.query("stats", "Counters since the start, and current values.", [&broker] { return stats(broker); });
}

}  // namespace zerosuite::lock
