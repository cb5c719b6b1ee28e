// A worker process as the proxy sees it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "net/socket.hpp"
#include "proxy/balance.hpp"
#include "proxy/intrusive_list.hpp"
#include "proxy/route.hpp"
#include "rpc/transport/sink.hpp"
#include "rpc/worker/registration.hpp"

namespace zerosuite::proxy {

/// Sends to one worker. Messages are `[room for an address][client's identities …][empty][payload]`.
class WorkerConnection {
 public:
  /// Sends if the worker's pipe has room now; otherwise leaves the frames unchanged.
  virtual net::Sent attempt(std::span<net::Frame> frames) = 0;
  /// Sends, or keeps the message if the pipe is full.
  virtual rpc::Delivery forward(std::span<net::Frame> frames) = 0;
  /// Shows the worker that the proxy is alive; kGone if the worker is gone.
  virtual rpc::Delivery send_heartbeat() = 0;
  /// Handles the worker's unread messages; called before the worker is removed.
  virtual void read_up() = 0;
  /// The worker was removed. This is the last call, and the connection may destroy itself in it.
  virtual void lost(std::string_view reason) = 0;

 protected:
  ~WorkerConnection() = default;
};

inline constexpr std::string_view kConnectionEnded =
    "its connection has ended";  ///< A reason of WorkerConnection::lost().

struct Service;

struct Worker {
  std::string id;
  std::string version;
  std::string origin;  ///< "registered", or the endpoint of a static upstream.
  std::string key;     ///< Of its process; secret.
  rpc::State state;    ///< The data that it serves from.
  Service* service = nullptr;
  WorkerConnection* connection = nullptr;
  bool bare_names = false;  ///< It is a stock server, which knows its methods without `service.`.
  std::map<std::string, bool, std::less<>> methods;  ///< By name, whether idempotent on this worker.
  bool sticky = false;                               ///< It requires calls to be sticky by first argument.
  Load load;
  IntrusiveList<Route, &Route::of_worker> channels;
  std::size_t connections = 1;
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
};

}  // namespace zerosuite::proxy
