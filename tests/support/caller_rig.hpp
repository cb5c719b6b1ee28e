// A caller on a fake clock whose server is the test: what it sends is read, what it gets is written by hand.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "rpc/client/caller.hpp"
#include "rpc/client/value_handler.hpp"
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

}  // namespace zerosuite::test
