// What a Client and its streams share: the socket, the protocol, and the threads that drive them.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "net/offload_leader_follower.hpp"
#include "net/offload_names.hpp"
#include "net/reactor.hpp"
#include "rpc/client/caller.hpp"
#include "rpc/trace.hpp"
#include "rpc/transport/dealer_transport.hpp"

namespace zerosuite::rpc {

struct ClientOptions {
  core::milliseconds timeout{30'000};  ///< To a call's first reply event; zero waits for ever.
  /// Stream items the server may send ahead of the program; at least 2. A stock server silently drops items
  /// when its socket's queue is full: 1000 messages, of which libzmq may count up to half as unread when they
  /// are not. So keep the sum over all open streams below 500 with stock servers; servers of this suite lose
  /// nothing.
  std::uint32_t slots = 480;
  CallerOptions caller;  ///< Heartbeat interval and limits.
};

/// One call's own settings.
struct CallOptions {
  std::optional<core::milliseconds> timeout = {};  ///< Instead of the client's.
  std::stop_token stop = {};                       ///< Requesting a stop, from any thread, cancels the call.
  TraceContext trace = {};                         ///< Sent along, so that both calls belong to one trace.
};

/// A call ready to be sent.
struct PreparedCall {
  OutgoingCall call;
  std::stop_token stop;
};

/// Any thread.
class Connection {
 public:
  Connection(const std::string& endpoint, const ClientOptions& options);

  /// Starts the call soon, on the driving thread.
  void call(PreparedCall prepared, std::unique_ptr<ResponseHandler> listener);
  /// Starts the call and waits until the listener has finished `waiter`.
  void call_and_wait(PreparedCall prepared, std::unique_ptr<ResponseHandler> listener,
                     net::LeaderFollower::Waiter& waiter);
  /// Starts the call from the driving thread.
  Caller::CallId start(PreparedCall prepared, std::unique_ptr<ResponseHandler> listener);
  void cancel(Caller::CallId id);
  void close();
  /// The same, and returns when all listeners and stop callbacks are gone. Not from a callback.
  void close_and_wait();

  net::LeaderFollower& leader() { return leader_; }
  /// For the driving thread.
  Caller& caller() { return caller_; }
  std::uint32_t slots() const { return options_.slots; }
  core::milliseconds timeout(const CallOptions& options) const {
    return options.timeout.value_or(options_.timeout);
  }

 private:
  void close_now();

  ClientOptions options_;
  net::Reactor reactor_;
  net::Context context_;
  net::Names names_;
  DealerTransport transport_;
  Caller caller_;
  bool closed_ = false;         // for the driving thread
  net::LeaderFollower leader_;  // last, so that its thread ends first
};

}  // namespace zerosuite::rpc
