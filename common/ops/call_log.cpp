#include "ops/call_log.hpp"

#include <vector>

#include "core/text.hpp"
#include "ops/config/text.hpp"

namespace zerosuite::ops {
namespace {

std::string route(const wire::Envelope& peer) { return pseudonym(peer.bytes()); }

/// Stock ids are text; an integer id is shown as its encoded bytes.
std::string shown_id(std::string_view encoded) {
  const std::string_view text = wire::id_text(encoded);
  return text.empty() ? core::hex(encoded) : std::string(text);
}

}  // namespace

void CallLog::about(const rpc::CallInfo& call, std::string_view event, std::initializer_list<Field> more) {
  if (!log_.enabled(Level::kDebug)) return;
  std::vector<Field> fields = {
      {"method", call.method}, {"peer", route(*call.peer)}, {"channel", shown_id(call.id)}};
  const std::string_view trace = wire::header_text(call.header, "traceparent");
  if (!trace.empty()) fields.emplace_back("traceparent", trace);
  fields.insert(fields.end(), more.begin(), more.end());
  log_.write(Level::kDebug, event, fields);
}

void CallLog::before(const rpc::CallInfo& call) { about(call, "call"); }

void CallLog::after(const rpc::CallInfo& call) { about(call, "answered"); }

void CallLog::failed(const rpc::CallInfo& call, const core::Error& error) {
  about(call, "failed", {{"error", error.name}, {"message", error.text()}});
}

void CallLog::lost(const rpc::CallInfo& call) { about(call, "lost"); }

void CallLog::dropped(const wire::Envelope& peer, std::string_view reason) {
  log_.write(Level::kWarn, "dropped", {{"peer", route(peer)}, {"reason", reason}});
}

}  // namespace zerosuite::ops
