// A server on a real socket, turned by a thread of its own.
#pragma once

#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "net/offload.hpp"
#include "net/offload_pool.hpp"
#include "rpc/server/server.hpp"
#include "rpc/transport/router_transport.hpp"

namespace zerosuite::test {

class LiveServer {
 public:
  /// `set_up` registers the methods; it and they run on the server's thread.
  explicit LiveServer(std::function<void(rpc::Server&)> set_up,
                      const std::string& endpoint = "tcp://127.0.0.1:*") {
    std::promise<std::pair<std::string, net::Mailbox*>> started;
    auto start = started.get_future();
    thread_ = std::thread([this, endpoint, set_up = std::move(set_up),
                           started = std::move(started)]() mutable { serve(endpoint, set_up, started); });
    std::tie(endpoint_, mailbox_) = start.get();
  }
  ~LiveServer() {
    mailbox_->post([this] { reactor_->stop(); });
    thread_.join();
  }
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;

  const std::string& endpoint() const { return endpoint_; }
  /// Runs `job` on the server's thread, soon.
  void post(std::function<void()> job) { mailbox_->post(std::move(job)); }

 private:
  void serve(const std::string& endpoint, const std::function<void(rpc::Server&)>& set_up,
             std::promise<std::pair<std::string, net::Mailbox*>>& started) {
    net::Reactor reactor;
    net::Context context(reactor);
    net::Mailbox mailbox(reactor);
    net::Pool pool(reactor, {.threads = 1});
    rpc::RouterTransport transport(context, reactor);
    rpc::Server server(reactor.timers(), transport, pool, {.name = "live", .limits = {}, .channel = {}});
    set_up(server);
    reactor_ = &reactor;
    const std::string bound = transport.bind(endpoint);
    transport.start(
        rpc::by_view([&server](std::span<const std::string_view> frames) { server.receive(frames); }));
    started.set_value({bound, &mailbox});
    reactor.run();
  }

  net::Reactor* reactor_ = nullptr;  // of the server's thread
  net::Mailbox* mailbox_ = nullptr;
  std::string endpoint_;
  std::thread thread_;
};

}  // namespace zerosuite::test
