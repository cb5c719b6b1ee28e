// The door for workers: they dial it, introduce themselves, and show every second that they are alive.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/traffic.hpp"
#include "ops/log.hpp"
#include "proxy/admission.hpp"
#include "proxy/relay.hpp"
#include "rpc/server/drop_log.hpp"
#include "rpc/transport/router_transport.hpp"

namespace zerosuite::proxy {

struct BackOptions {
  rpc::RouterOptions socket;
  wire::Limits limits;
  AdmissionOptions admission;
  std::vector<std::string> front;  ///< Where clients dial, as workers are told.
};

/// Belongs to the loop's thread.
class Back {
 public:
  Back(net::Context& context, net::Reactor& reactor, Relay& relay, Directory& directory, ops::Log& log,
       const BackOptions& options);
  ~Back();

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
  void admit(const std::string& address, const rpc::Introduction& introduction);
  rpc::Delivery tell(const std::string& address, std::string_view event, const wire::List& args = {});

  net::Reactor& reactor_;
  Relay& relay_;
  Directory& directory_;
  ops::Log& log_;
  wire::Limits limits_;
  Admission admission_;
  const rpc::Greeting greeting_;
  rpc::RouterTransport transport_;
  wire::IdSource ids_;
  std::unordered_map<std::string, std::unique_ptr<Entry>, core::KeyedHash, std::equal_to<>>
      entries_;            // by the connection's identity
  rpc::DropLog refusals_;  // they come again and again
};

}  // namespace zerosuite::proxy
