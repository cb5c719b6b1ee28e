// The socket for workers: they dial it, register, and send a heartbeat every second.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/traffic.hpp"
#include "ops/log.hpp"
#include "proxy/admission.hpp"
#include "proxy/router.hpp"
#include "rpc/server/drop_log.hpp"
#include "rpc/transport/router_transport.hpp"

namespace zerosuite::proxy {

struct WorkerSocketOptions {
  rpc::RouterOptions socket;
  wire::Limits limits;
  AdmissionOptions admission;
  std::vector<std::string> front;  ///< The endpoints for clients, sent to workers.
};

/// Loop thread only.
class WorkerSocket {
 public:
  WorkerSocket(net::Context& context, net::Reactor& reactor, Router& router, ServiceRegistry& registry,
               ops::Log& log, const WorkerSocketOptions& options);
  ~WorkerSocket();

  /// As net::Socket::bind().
  std::string bind(const std::string& endpoint) { return transport_.bind(endpoint); }
  void start();

 private:
  struct Entry;

  void receive(std::vector<net::Frame>& frames);
  void read_up();
  void on_control(const std::string& address, const net::Frame& payload);
  void on_ready(const std::string& address, std::string_view args);
  void refuse(const std::string& address, const core::Error& why);
  void admit(const std::string& address, const rpc::Registration& registration);
  rpc::Delivery tell(const std::string& address, std::string_view event, const wire::List& args = {});

  net::Reactor& reactor_;
  Router& router_;
  ServiceRegistry& registry_;
  ops::Log& log_;
  wire::Limits limits_;
  Admission admission_;
  const rpc::Greeting greeting_;
  rpc::RouterTransport transport_;
  wire::IdSource ids_;
  std::unordered_map<std::string, std::unique_ptr<Entry>, core::KeyedHash, std::equal_to<>>
      entries_;            // by the connection's identity
  rpc::DropLog refusals_;  // limits the log, since refused workers retry
};

}  // namespace zerosuite::proxy
