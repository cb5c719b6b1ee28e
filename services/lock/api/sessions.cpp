#include "core/text.hpp"
#include "lock/api/answer.hpp"
#include "lock/api/groups.hpp"
#include "rpc/server/stream_writer.hpp"

namespace zerosuite::lock {
namespace {

using rpc::StreamWriter;
using wire::Value;

Subscriber listener_of(const StreamWriter<EventView>& writer) {
  return {.tell = [writer](const SharedEvent& event) { return writer.push({event}); },
          .end = [writer] { writer.end(); },
          .client = writer.call().client()};
}

}  // namespace

void bind_sessions(rpc::Server& server, Broker& broker) {
  server.method(
      "session_open", {"owner", {"ttl_ms", 30'000}},
      "Streams the events of the owner's locks, starting with the session's id. Locks acquired with "
      "bind='session' end with the stream, or ttl_ms after the last session_renew().",
      [&broker](const StreamWriter<EventView>& writer, const std::string& owner, std::int64_t ttl_ms) {
        check_owner(owner);
        core::check_range("ttl_ms", ttl_ms, 1000, 86'400'000);
        const std::string id = broker.sessions().open(owner, milliseconds(ttl_ms), listener_of(writer));
        writer.on_lost([&broker, id] { broker.sessions().lost(id); });
      });
  server.method("session_renew", {"session"},
                "Keeps a session alive for its ttl_ms, even without its stream.",
                [&broker](const std::string& session) { return broker.sessions().renew(session).count(); });
  server.method("session_close", {"session"}, "Ends a session, and releases the locks bound to it.",
                [&broker](const rpc::Reply<Value>& reply, const std::string& session) {
                  broker.sessions().close(session, [reply](std::size_t released) {
                    reply(wire::Dict{{"released", released}});
                  });
                });
  server.method("watch", {{"prefix", ""}}, "Streams the events of the locks whose names begin with prefix.",
                [&broker](const StreamWriter<EventView>& writer, const std::string& prefix) {
                  check_prefix(prefix);
                  const EventBus::Id id = broker.events().join_prefix(prefix, listener_of(writer));
                  writer.on_lost([&broker, id] { broker.events().leave(id); });
                  broker.events().tell(id, {.kind = Event::Kind::kOpen});
                });
}

}  // namespace zerosuite::lock
