#include <utility>
#include <variant>

#include "id/api/groups.hpp"

namespace zerosuite::id {
namespace {

using OneOrMany = std::variant<std::string, std::vector<std::string>>;

OneOrMany issue(RandomIds& ids, RandomKind kind, std::size_t n) {
  std::vector<std::string> issued = ids.issue(kind, n);
  if (issued.size() == 1) return std::move(issued.front());
  return issued;
}

// A KSUID may run ahead of the clock by up to a second, so the reply waits until the store has recorded its
// time.
void bind_ksuid(rpc::Server& server, RandomIds& ids, Reach& reach, const BatchLimits& limits) {
  server.method("ksuid", {{"n", 1}},
                "A KSUID, greater than all earlier ones of this service; a list of n if n > 1.",
                [&](const rpc::Reply<OneOrMany>& reply, std::int64_t n) {
                  OneOrMany issued = issue(ids, RandomKind::kKsuid, batch_size(n, limits.list));
                  if (reach.kept()) return reply(issued);
                  reach.once_kept([reply, issued = std::move(issued)] { reply(issued); });
                });
}

}  // namespace

void bind_random(rpc::Server& server, RandomIds& ids, Reach& reach, const BatchLimits& limits) {
  server.method("uuid1", {"node", "clock_seq"},
                "A version 1 UUID, as Python's uuid.uuid1(node, clock_seq); what is not given is random, "
                "and constant while the service runs.",
                [&ids](std::optional<std::int64_t> node, std::optional<std::int64_t> clock_seq) {
                  return ids.uuid1({node, clock_seq});
                });
  const auto add = [&](const char* name, RandomKind kind, const char* doc) {
    server.method(name, {{"n", 1}}, doc, [&ids, &limits, kind](std::int64_t n) {
      return issue(ids, kind, batch_size(n, limits.list));
    });
  };
  add("uuid4", RandomKind::kUuid4, "A version 4 UUID, of random bits; a list of n if n > 1.");
  add("uuid6", RandomKind::kUuid6, "A version 6 UUID, which sorts by time; a list of n if n > 1.");
  add("uuid7", RandomKind::kUuid7,
      "A version 7 UUID, greater than all earlier ones of this service; a list of n if n > 1.");
  add("ulid", RandomKind::kUlid,
      "A ULID, greater than all earlier ones of this service; a list of n if n > 1.");
  bind_ksuid(server, ids, reach, limits);
  add("xid", RandomKind::kXid, "An Xid; a list of n if n > 1.");
  add("objectid", RandomKind::kObjectId, "A MongoDB ObjectId; a list of n if n > 1.");
}

}  // namespace zerosuite::id
