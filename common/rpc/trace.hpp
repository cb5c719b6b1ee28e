// W3C trace context (www.w3.org/TR/trace-context), as it travels in event headers.
#pragma once

#include <string>

#include "rpc/observer.hpp"

namespace zerosuite::rpc {

/// A call's place in a trace, passed on to the calls it causes by CallOptions::trace. A value; empty when the
/// caller sent none.
struct TraceContext {
  std::string parent;  ///< traceparent
  std::string state;   ///< tracestate

  /// The context that came with `call`: Server::current_call() inside a method, or Reply::call() later.
  static TraceContext of(const CallInfo& call) {
    return {std::string(wire::header_text(call.header, "traceparent")),
            std::string(wire::header_text(call.header, "tracestate"))};
  }

  /// Adds the header keys that are set. Throws wire::Mismatch when one is not UTF-8.
  void add_to(wire::Context& context) const {
    if (!parent.empty()) context.add("traceparent", parent);
    if (!state.empty()) context.add("tracestate", state);
  }
};

}  // namespace zerosuite::rpc
