// A process that answers calls, as the proxy sees it.
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

/// The way to one worker. Messages are `[room for an address][client's identities …][empty][payload]`.
class WorkerConnection {
 public:
  /// Sends if the worker's pipe takes it now; otherwise the frames are left as they are.
  virtual net::Sent attempt(std::span<net::Frame> frames) = 0;
  /// Sends, or keeps what the pipe does not take.
  virtual rpc::Delivery forward(std::span<net::Frame> frames) = 0;
  /// Shows the worker that the proxy is alive; kGone when it is not there any more.
  virtual rpc::Delivery send_heartbeat() = 0;
  /// Takes in what the worker has sent and nobody has read yet: it is about to be taken out.
  virtual void read_up() = 0;
  /// The worker was taken out. The outlet may destroy itself in this call, which is the last.
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
  std::string key;     ///< Of its process; told to nobody.
  rpc::State state;    ///< What its answers rest on.
  Service* service = nullptr;
  WorkerConnection* connection = nullptr;
  bool bare_names = false;  ///< It knows no `service.` in front of a name: a stock server.
  std::map<std::string, bool, std::less<>> methods;  ///< By name, and whether it is idempotent there.
  bool sticky = false;                               ///< It asks for calls by their first argument.
  Load load;
  IntrusiveList<Route, &Route::of_worker> channels;
  std::size_t connections = 1;
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
};

}  // namespace zerosuite::proxy
