// A zerorpc client for C++ programs.
//
//   rpc::Client math("tcp://127.0.0.1:4301");
//
//   // Waits for the reply:
//   int sum = math.call<int>("add", 88, 77);
//   // Waits when asked:
//   std::future<int> later = math.async<int>("add", 88, 77);
//   // Calls back:
//   math.start<int>("add", [](rpc::Outcome<int> outcome) { … }, 88, 77);
//   // Many values, with back-pressure:
//   for (int n : math.stream<int>("range", 0, 10)) …
//   // One call's own options:
//   math.call<int>({"add", {.timeout = 500ms}}, 88, 77);
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include "core/text.hpp"
#include "rpc/client/call_error.hpp"
#include "rpc/client/connection.hpp"
#include "rpc/client/items.hpp"
#include "rpc/client/value_handler.hpp"

namespace zerosuite::rpc {

/// What to call: a method's name, and options.
struct Request {
  Request(const char* its_method) : method(its_method) {}
  Request(std::string its_method) : method(std::move(its_method)) {}
  Request(std::string its_method, CallOptions its_options)
      : method(std::move(its_method)), options(std::move(its_options)) {}

  std::string method;
  CallOptions options;
};

/// One connection to one service. Every member may be used from any number of threads at once, and any number
/// of calls can be open. Connecting never fails: a call to an absent server waits until its timeout, or until
/// the server counts as lost after three heartbeat intervals. So does a call to a host whose name is not
/// found; the name is looked up repeatedly, on a thread of its own.
///
/// A call ends with its value or with an error of call_error.hpp: RemoteError, LostRemote, TimeoutExpired,
/// Cancelled, ProtocolError. Arguments that cannot be sent throw wire::Mismatch before anything is sent.
class Client {
 public:
  /// Throws core::Failure(InvalidArgument) for a malformed endpoint.
  explicit Client(const std::string& endpoint, const ClientOptions& options = {})
      : connection_(std::make_shared<Connection>(endpoint, options)) {}
  /// Ends open calls with Cancelled: when it returns, their futures are ready and their callbacks have run.
  /// No other thread may be waiting in call(), and no callback of this client may destroy it.
  ~Client() { connection_->close_and_wait(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Calls and waits. R may be void. Throws the call's error, and std::logic_error when called from one of
  /// this client's own callbacks.
  template <class R, class... A>
  R call(const Request& request, const A&... args) {
    std::optional<Outcome<NilForVoid<R>>> outcome;
    net::LeaderFollower::Waiter waiter;
    auto keep = [&](Outcome<NilForVoid<R>> result) {
      outcome.emplace(std::move(result));
      connection_->leader().finish(waiter);
    };
    connection_->call_and_wait(prepare(request, args...), listen<R>(std::move(keep)), waiter);
    if constexpr (std::is_void_v<R>) {
      outcome->value();
    } else {
      return std::move(outcome->value());
    }
  }

  /// Calls; the future has the value or the error.
  template <class R, class... A>
  std::future<R> async(const Request& request, const A&... args) {
    std::promise<R> promise;
    auto future = promise.get_future();
    auto settle = [promise = std::move(promise)](Outcome<NilForVoid<R>> outcome) mutable {
      if (!outcome.ok()) return promise.set_exception(outcome.error());
      if constexpr (std::is_void_v<R>) {
        promise.set_value();
      } else {
        promise.set_value(std::move(outcome.value()));
      }
    };
    connection_->call(prepare(request, args...), listen<R>(std::move(settle)));
    return future;
  }

  /// Calls; `callback(Outcome<R>)` runs on the thread that drives the client at that time, and must return
  /// soon and not throw. It may start further calls but not wait for one. For a method that returns nothing R
  /// may be void; the callback then gets an Outcome<std::monostate>.
  template <class R, class F, class... A>
  void start(const Request& request, F callback, const A&... args) {
    connection_->call(prepare(request, args...), listen<R>(std::move(callback)));
  }

  /// Calls a streaming method.
  template <class T, class... A>
  Items<T> stream(const Request& request, const A&... args) {
    return Items<T>(connection_, prepare(request, args...));
  }

  /// Ends every open call with Cancelled and refuses new ones the same way. Returns at once.
  void close() { connection_->close(); }

 private:
  template <class... A>
  PreparedCall prepare(const Request& request, const A&... args) const {
    PreparedCall prepared{{request.method, wire::Buffer(128), connection_->timeout(request.options), {}},
                          request.options.stop};
    if (!core::is_utf8(request.method))
      throw wire::Mismatch(wire::Mismatch::Why::kText, "a method's name must be UTF-8");
    request.options.trace.add_to(prepared.call.context);
    wire::Packer packer(prepared.call.args);
    packer.pack_array(sizeof...(A));
    (wire::pack(packer, args), ...);
    return prepared;
  }

  std::shared_ptr<Connection> connection_;
};

}  // namespace zerosuite::rpc
