// A stock zerorpc server as a worker: the proxy dials it, asks what it can do, and knows by the connection
// whether it lives.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "net/reactor.hpp"
#include "ops/log.hpp"
#include "proxy/relay.hpp"
#include "rpc/call_error.hpp"
#include "rpc/caller.hpp"

namespace zerosuite::proxy {

struct UpstreamOptions {
  std::string service;
  std::string endpoint;
  std::uint32_t weight = 100;
  std::uint32_t max_inflight = 65'536;
  net::SocketOptions socket;
  std::size_t max_held_bytes = 32 << 20;
  wire::Limits limits;
};

/// Belongs to the loop's thread. ZeroMQ's own thread of the server answers the probes, so one that computes
/// for long stays, and one that is stopped is lost within three seconds.
class Upstream final : private Outlet, private rpc::Sink {
 public:
  Upstream(net::Context& context, net::Reactor& reactor, Relay& relay, Directory& directory, ops::Log& log,
           UpstreamOptions options);
  ~Upstream();

 private:
  struct Line;

  std::string id() const;
  void dial();
  void hang_up();
  void ask(const char* method);
  void told(const char* method, rpc::Outcome<wire::Value> answer);
  void admit(std::vector<rpc::OfferedMethod> methods);
  void receive(std::vector<net::Frame>& frames);

  net::Sent attempt(std::span<net::Frame> frames) override;
  rpc::Delivery forward(std::span<net::Frame> frames) override;
  rpc::Delivery pulse() override { return rpc::Delivery::kSent; }  // the probes do that
  void lost(std::string_view reason) override;
  rpc::Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override;

  net::Context& context_;
  net::Reactor& reactor_;
  Relay& relay_;
  Directory& directory_;
  ops::Log& log_;
  UpstreamOptions options_;
  std::unique_ptr<Line> line_;
  Worker* worker_ = nullptr;
  std::string complaint_;  // what the log said last
  bool closing_ = false;   // as its caller goes, that fails the question that may be open
  net::Timer redial_;      // not from inside the old line's own callbacks
  net::Timer ask_again_;
  rpc::Caller caller_;  // the proxy's own calls; last, for as it goes it ends those that are open
};

}  // namespace zerosuite::proxy
