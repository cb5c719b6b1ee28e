// A stock zerorpc server as a worker: the proxy dials it, asks for its methods, and checks that it is alive.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/dialer.hpp"
#include "ops/log.hpp"
#include "proxy/meter.hpp"
#include "proxy/ping_watch.hpp"
#include "proxy/router.hpp"
#include "rpc/client/call_error.hpp"
#include "rpc/client/caller.hpp"

namespace zerosuite::proxy {

struct UpstreamOptions {
  std::string service;
  std::string endpoint;
  std::uint32_t weight = 100;
  std::uint32_t max_inflight = 65'536;
  std::vector<std::string> methods = {};  ///< Its methods; if empty, the server is asked.
  std::size_t max_connections = 32;
  std::size_t max_answer_bytes = 256 << 20;  ///< A longer reply ends its connection.
  core::milliseconds wedged_after{10'000};   ///< PingWatch's limit for a ping; zero = no pings.
  net::SocketOptions socket;
  std::size_t max_held_bytes = 32 << 20;
  wire::Limits limits;
};

/// Loop thread only. Calls are spread over as many connections as they need, since a stock server holds a
/// thousand messages per connection and drops the rest (Meter). The upstream is up while one of them is.
/// Probes are answered by the server's ZeroMQ thread, so a server that computes for long is not lost, and one
/// that is stopped is lost within three seconds; bytes of a long message count as answers. A server that
/// hangs while its sockets are alive is detected by pings (PingWatch).
class Upstream final : private WorkerConnection, private rpc::Sink {
 public:
  Upstream(const net::Dialing& dialing, Router& router, ServiceRegistry& registry, ops::Log& log,
           UpstreamOptions options);
  ~Upstream() override;

 private:
  struct Lane;
  using Lanes = std::vector<std::unique_ptr<Lane>>;

  std::string id() const { return options_.service + "@" + options_.endpoint; }
  core::TimePoint now() const { return dialing_.reactor.timers().now(); }
  void complain(std::string_view event, const std::string& reason);

  void add_lane();
  Lane* roomiest() const;
  void widen(const Lane& roomiest);
  void narrow();
  std::size_t lanes_up() const;
  void connected(Lane& lane);
  void lose_lane(Lane& lane, std::string_view reason);
  void start_over();
  void clear_on_lost();

  void ask(const char* method);
  void told(const char* method, rpc::Outcome<wire::Value> answer);
  void admit(const wire::Value& methods);
  std::vector<rpc::OfferedMethod> usable(const wire::Value& methods);
  void look_after();
  void look_at_pings();
  void ping();

  void receive(Lane& lane, std::vector<net::Frame>& frames);
  void hear(Lane& lane, Meter::Call& call, const wire::Event& event, net::Frame& payload);
  net::Sent send_call(std::span<net::Frame> frames, const wire::Event& event);
  bool keeps_back(Lane& lane, Meter::Call& call, const wire::Event& event);
  void pass_grants(Lane& lane);
  bool read_envelope(std::span<const net::Frame> identities);
  std::pair<Lane*, Meter::Call*> find(std::string_view id) const;

  net::Sent attempt(std::span<net::Frame> frames) override;
  rpc::Delivery forward(std::span<net::Frame> frames) override;
  rpc::Delivery send_heartbeat() override { return rpc::Delivery::kSent; }  // the probes do that
  void read_up() override;
  void lost(std::string_view reason) override;
  rpc::Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override;

  net::Dialing dialing_;
  Router& router_;
  ServiceRegistry& registry_;
  ops::Log& log_;
  UpstreamOptions options_;
  wire::Limits unlimited_;  // a too long reply is refused later, where its caller is known
  Lanes lanes_;             // at least one
  Lanes dead_;              // kept until the functions running in them have returned
  Worker* worker_ = nullptr;
  PingWatch pings_;
  std::string complaint_;    // the last reason logged
  bool suspect_ = false;     // it has hung, and has not replied to a ping since
  bool hushed_ = false;      // outcomes of the proxy's own calls are ignored
  wire::Envelope envelope_;  // of the current message
  wire::IdSource ids_;
  core::TimePoint looked_{};
  net::Timer bury_;
  net::Timer ask_again_;
  net::Timer look_;
  rpc::Caller caller_;  // the proxy's own calls; the last member, as its destructor ends open calls
};

}  // namespace zerosuite::proxy
