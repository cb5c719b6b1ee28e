// A caller on a fake clock whose server is the test, and a server on a real socket.
#pragma once

#include <array>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "net/offload.hpp"
#include "net/offload_pool.hpp"
#include "rpc/client/caller.hpp"
#include "rpc/client/value_handler.hpp"
#include "rpc/server/server.hpp"
#include "rpc/transport/router_transport.hpp"
#include "support/fakes.hpp"

namespace zerosuite::test {

/// "RemoteError Busy: no": the class and text of the exception a call ended with.
inline std::string describe(const std::exception_ptr& error) {
  const auto with = [](const char* type, const core::Failure& failure) {
    return std::string(type) + " " + failure.name() + ": " + failure.what();
  };
  try {
    std::rethrow_exception(error);
  } catch (const rpc::RemoteError& failure) {
    return with("RemoteError", failure);
  } catch (const rpc::LostRemote& failure) {
    return with("LostRemote", failure);
  } catch (const rpc::TimeoutExpired& failure) {
    return with("TimeoutExpired", failure);
  } catch (const rpc::Cancelled& failure) {
    return with("Cancelled", failure);
  } catch (const rpc::ProtocolError& failure) {
    return with("ProtocolError", failure);
  } catch (const rpc::CallError& failure) {
    return with("CallError", failure);
  } catch (const std::exception& failure) {
    return std::string("another exception: ") + failure.what();
  }
}

/// Takes values and items of any kind, and keeps a line about each.
class LineListener final : public rpc::ResponseHandler {
 public:
  explicit LineListener(std::string& lines) : lines_(lines) {}

  void value(wire::Reader& in) override { note("value " + show(wire::read_value(in))); }
  bool item(wire::Reader& in) override {
    note("item " + show(wire::read_value(in)));
    return true;
  }
  void done() override { note("done"); }
  void failed(std::exception_ptr error) override { note(describe(error)); }

 private:
  void note(const std::string& line) { lines_ += (lines_.empty() ? "" : "; ") + line; }

  std::string& lines_;
};

/// What it sends is read, what it gets is written by hand.
class CallerRig {
 public:
  struct Call {
    rpc::Caller::CallId number = 0;
    std::string id;  ///< Encoded.
  };

  explicit CallerRig(const rpc::CallerOptions& options = {}) : caller(timers, sink, options) {}

  /// Calls, and takes whatever comes.
  Call start(const std::string& method, core::milliseconds timeout = {}) {
    return start(method, std::make_unique<LineListener>(lines), timeout);
  }
  Call start(const std::string& method, std::unique_ptr<rpc::ResponseHandler> listener,
             core::milliseconds timeout = {}) {
    wire::Buffer args;
    const std::string encoded = list();
    args.write(encoded.data(), encoded.size());
    const auto number = caller.start({method, std::move(args), timeout, {}}, std::move(listener));
    if (number == 0 || sink.messages.empty()) return {number, {}};
    return {number, std::string(sink.messages.back().event().id)};
  }

  /// An event of the server on the call's channel.
  void reply(const Call& call, const std::string& event, const std::string& args) {
    receive(encode({.response_to = call.id, .name = event, .args = args}));
  }
  void receive(std::string_view payload) {
    const std::array<std::string_view, 2> frames{"", payload};
    caller.receive(frames);
  }

  /// What the calls brought since it was asked last.
  std::string took() { return std::exchange(lines, {}); }
  /// What was sent since it was asked last.
  std::string sent() {
    std::string text;
    for (const auto& message : std::exchange(sink.messages, {}))
      text += (text.empty() ? "" : "; ") + show(message.event());
    return text;
  }
  void pass(core::Clock::duration duration) { test::pass(timers, duration); }

  std::string lines;
  net::Timers timers{kStart};
  RecordingSink sink;
  rpc::Caller caller;
};

/// Turned by a thread of its own.
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
