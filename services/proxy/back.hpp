// The door for workers: they dial it, introduce themselves, and show every second that they are alive.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ops/log.hpp"
#include "proxy/relay.hpp"
#include "rpc/drop_log.hpp"
#include "rpc/router_transport.hpp"

namespace zerosuite::proxy {

/// Belongs to the loop's thread.
class Back {
 public:
  Back(net::Context& context, net::Reactor& reactor, Relay& relay, Directory& directory, ops::Log& log,
       const rpc::RouterOptions& socket, const wire::Limits& limits);
  ~Back();

  /// As net::Socket::bind().
  std::string bind(const std::string& endpoint) { return transport_.bind(endpoint); }
  void start();

 private:
  struct Entry;

  void receive(std::vector<net::Frame>& frames);
  void on_control(const std::string& address, std::string_view payload);
  void on_ready(const std::string& address, std::string_view args);
  void refuse(const std::string& address, const core::Error& why);
  void admit(const std::string& address, const rpc::Introduction& introduction);
  rpc::Delivery tell(const std::string& address, std::string_view event, const wire::List& args = {});

  net::Reactor& reactor_;
  Relay& relay_;
  Directory& directory_;
  ops::Log& log_;
  wire::Limits limits_;
  rpc::RouterTransport transport_;
  wire::IdSource ids_;
  std::unordered_map<std::string, std::unique_ptr<Entry>> entries_;  // by the connection's identity
  rpc::DropLog refusals_;                                            // they come again and again
};

}  // namespace zerosuite::proxy
