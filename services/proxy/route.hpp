// A conversation between a client and a worker, from its first event to its last.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/socket.hpp"
#include "net/timers.hpp"
#include "proxy/intrusive_list.hpp"
#include "rpc/conversation.hpp"
#include "rpc/heartbeat.hpp"
#include "wire/envelope.hpp"

namespace zerosuite::proxy {

struct Client;
struct Service;
struct Worker;

struct Route;

/// Handles the timers of all routes.
class RouteTimers {
 public:
  virtual void due(Route& route) = 0;

 protected:
  ~RouteTimers() = default;
};

/// The state that a call has only while no worker has it.
struct PendingState {
  PendingState(rpc::Heartbeat ours, core::TimePoint its_end) : heartbeat(ours), until(its_end) {}

  rpc::Heartbeat heartbeat;  ///< Sent by the proxy in place of a worker.
  core::TimePoint until;
  std::vector<net::Frame> request;  ///< While waiting, the whole message,
  std::size_t bytes = 0;            ///< and its size.
  std::string lost_message;         ///< While orphaned, the message of its ERR.
};

/// Loop thread only.
struct Route {
  enum class State : std::uint8_t {
    kNew,       ///< Being placed.
    kWaiting,   ///< Queued for a worker.
    kOpen,      ///< `worker` has it.
    kOrphaned,  ///< Its worker was lost in the middle of a stream; the ERR waits for the client's credit.
  };

  Route(net::Timers& timers, RouteTimers& its_keeper)
      : keeper(its_keeper), timer(timers, [this] { keeper.due(*this); }) {}

  /// The id given by the client, encoded.
  std::string_view id() const { return std::string_view(text).substr(0, id_size); }
  /// The method as the client wrote it.
  std::string_view name() const { return std::string_view(text).substr(id_size); }
  /// The method without the service.
  std::string_view method() const { return name().substr(name().size() - method_size); }

  RouteTimers& keeper;
  wire::Envelope client;
  std::string text;      ///< The id and the name in one allocation.
  std::size_t hash = 0;  ///< RouteTable::Name::hash.
  std::size_t id_size = 0;
  std::size_t method_size = 0;
  rpc::Conversation conversation;
  Client* connection = nullptr;
  Service* service = nullptr;
  Worker* worker = nullptr;
  std::string key;  ///< For a sticky service, the key of the first argument.

  State state = State::kNew;
  bool idempotent = false;
  bool retried = false;
  bool answered = false;  ///< A reply event has passed.

  core::TimePoint opened{};
  core::TimePoint heard{};                ///< The last event of either side.
  core::TimePoint beat{};                 ///< The client's last heartbeat; `opened` before the first.
  core::Clock::duration gap{0};           ///< The longest gap between two of them; zero before the first.
  std::unique_ptr<PendingState> pending;  ///< Null unless waiting or orphaned.
  net::Frame kept;                        ///< The payload of an idempotent call, for a retry.

  net::Timer timer;
  ListHook<Route> of_client;
  ListHook<Route> of_worker;
  ListHook<Route> of_queue;
};

}  // namespace zerosuite::proxy
