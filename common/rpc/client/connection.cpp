#include "rpc/client/connection.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace zerosuite::rpc {
namespace {

std::exception_ptr cancelled(const std::string& why) { return std::make_exception_ptr(Cancelled(why)); }

// Passes everything on, and cancels the call when a stop is requested.
class StoppableListener final : public ResponseHandler {
 public:
  StoppableListener(std::unique_ptr<ResponseHandler> listener, const std::stop_token& stop,
                    std::function<void()> cancel)
      : listener_(std::move(listener)), on_stop_(stop, std::move(cancel)) {}

  void value(wire::Reader& in) override { listener_->value(in); }
  bool item(wire::Reader& in) override { return listener_->item(in); }
  void done() override { listener_->done(); }
  void failed(std::exception_ptr error) override { listener_->failed(std::move(error)); }

 private:
  std::unique_ptr<ResponseHandler> listener_;
  std::stop_callback<std::function<void()>> on_stop_;
};

ClientOptions checked(ClientOptions options) {
  options.slots = std::max(options.slots, 2U);  // a window of one would never grant and stall the stream
  return options;
}

}  // namespace

Connection::Connection(const std::string& endpoint, const ClientOptions& options)
    : options_(checked(options)),
      context_(reactor_),
      names_(reactor_),
      transport_(context_, reactor_),
      caller_(reactor_.timers(), transport_, options_.caller),
      leader_(reactor_, [this] { return caller_.open() > 0; }) {
  transport_.dial({context_, reactor_, names_}, endpoint);
  transport_.start(by_view([this](std::span<const std::string_view> frames) { caller_.receive(frames); }));
}

void Connection::call(PreparedCall prepared, std::unique_ptr<ResponseHandler> listener) {
  leader_.post([this, prepared = std::move(prepared), listener = std::move(listener)]() mutable {
    start(std::move(prepared), std::move(listener));
  });
}

void Connection::call_and_wait(PreparedCall prepared, std::unique_ptr<ResponseHandler> listener,
                               net::LeaderFollower::Waiter& waiter) {
  leader_.run([&] { start(std::move(prepared), std::move(listener)); }, waiter);
}

Caller::CallId Connection::start(PreparedCall prepared, std::unique_ptr<ResponseHandler> listener) {
  const std::string& method = prepared.call.method;
  if (closed_ || prepared.stop.stop_requested()) {
    listener->failed(
        cancelled(closed_ ? "the client is closed" : "the call to " + method + " was cancelled"));
    return 0;
  }
  if (!prepared.stop.stop_possible()) return caller_.start(std::move(prepared.call), std::move(listener));

  const Caller::CallId id = caller_.next_id();
  auto stoppable =
      std::make_unique<StoppableListener>(std::move(listener), prepared.stop, [this, id] { cancel(id); });
  caller_.start(std::move(prepared.call), std::move(stoppable));
  if (prepared.stop.stop_requested())
    caller_.cancel(id);  // requested between the check above and the callback's registration
  return id;
}

void Connection::cancel(Caller::CallId id) {
  leader_.post([this, id] { caller_.cancel(id); });
}

void Connection::close() {
  leader_.post([this] { close_now(); });
}

void Connection::close_and_wait() {
  net::LeaderFollower::Waiter waiter;
  const auto close_and_finish = [&] {
    close_now();
    leader_.finish(waiter);
  };
  leader_.run(close_and_finish, waiter);
}

void Connection::close_now() {
  closed_ = true;
  caller_.close(cancelled("the client was closed"));
}

}  // namespace zerosuite::rpc
