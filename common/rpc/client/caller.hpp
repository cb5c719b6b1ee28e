// A zerorpc client without a socket: calls and time in, messages out; messages in, replies out
// (docs/protocol.md).
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.hpp"
#include "net/timers.hpp"
#include "rpc/client/call_error.hpp"
#include "rpc/transport/sink.hpp"
#include "wire/event.hpp"
#include "wire/id.hpp"
#include "wire/limits.hpp"

namespace zerosuite::rpc {

/// Adds header keys to every call that leaves, as zerorpc-python's get_task_context does.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  /// Called on the driving thread. Must not throw.
  virtual void outgoing(std::string_view method, wire::Context& context) = 0;
};

struct CallerOptions {
  core::milliseconds heartbeat{5000};  ///< Our interval; zero sends none and never loses a server.
  std::size_t max_open_calls = 100'000;
  std::size_t max_unsent_bytes = 256 << 20;  ///< Of calls the server does not take yet; else Overloaded.
  wire::Limits limits;
  CallObserver* observer = nullptr;  ///< Must outlive the client; may be null.
};

/// Receives the reply to one call: exactly one of value(), done() and failed(), as the last event; before
/// done() or failed() any number of item(). `in` is positioned at the value. Called on the driving thread.
class ResponseHandler {
 public:
  virtual ~ResponseHandler() = default;
  virtual void value(wire::Reader& in) = 0;
  /// Returning false cancels the call: failed() follows.
  virtual bool item(wire::Reader& in) = 0;
  virtual void done() = 0;
  virtual void failed(std::exception_ptr error) = 0;
};

/// One call about to be made.
struct OutgoingCall {
  std::string method;
  wire::Buffer args;           ///< The encoded array.
  core::milliseconds timeout;  ///< To the first reply event; zero waits for ever.
  wire::Context context;       ///< Further header keys.
};

/// For the thread that drives the loop.
class Caller {
 public:
  using CallId = std::uint64_t;

  Caller(net::Timers& timers, Sink& sink, const CallerOptions& options);
  ~Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  /// Sends the call, or keeps it until the server can take it; a call that ends before that is never sent.
  /// The listener is destroyed after its last event. Returns 0 when the listener has already failed with
  /// Overloaded.
  CallId start(OutgoingCall call, std::unique_ptr<ResponseHandler> listener);
  /// The id that start() will return next. Ids are never reused.
  CallId next_id() const { return ids_.count() + 1; }
  /// Cancels a call: its listener fails with Cancelled, a server of this suite stops working on it, a stock
  /// one notices by missing heartbeats. Does nothing when the call has ended.
  void cancel(CallId id);
  /// Grants the server `items` more stream items.
  void grant(CallId id, std::uint32_t items);
  /// Fails every open call with `error`.
  void close(const std::exception_ptr& error);

  /// One message as a DEALER receives it: delimiter, payload.
  void receive(std::span<const std::string_view> frames);

  std::size_t open() const { return calls_.size(); }
  /// Number of messages that were not for an open call or could not be read.
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct OpenCall;
  using Calls = std::unordered_map<CallId, std::unique_ptr<OpenCall>>;

  void on_event(OpenCall& call, const wire::Event& event);
  void on_reply(OpenCall& call, const wire::Event& event);
  void on_error(OpenCall& call, std::string_view args);
  void wake(OpenCall& call);
  void rearm(OpenCall& call);
  void send(const OpenCall& call, std::string_view event, std::uint32_t number);
  void keep_unsent(OpenCall& call);
  void send_unsent();
  void fail(CallId id, std::exception_ptr error);
  std::unique_ptr<OpenCall> take(CallId id);

  net::Timers& timers_;
  Sink& sink_;
  CallerOptions options_;
  wire::IdSource ids_;
  wire::Buffer buffer_;
  Calls calls_;
  std::deque<CallId> unsent_;  // in order; may still contain calls that have ended
  net::Timer retry_;
  std::size_t unsent_bytes_ = 0;
  core::milliseconds patience_{1};  // before the next attempt to send what is unsent
  std::uint64_t dropped_ = 0;
};

}  // namespace zerosuite::rpc
