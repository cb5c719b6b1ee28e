// The heart of the proxy: every message is read as far as its name, and passed on as it is.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "ops/relay.hpp"
#include "proxy/dispatch.hpp"

namespace zerosuite::proxy {

struct RelayOptions {
  DispatchOptions dispatch;
  std::size_t max_channels = 262'144;
  std::size_t max_channels_per_peer = 65'536;
  std::uint32_t max_credit = 1'000'000;  ///< Events that a client may have granted ahead.
  /// Of one client's messages, kept for workers that do not read: half of what is kept for a worker.
  std::size_t stalled_bytes = 16 << 20;
  core::milliseconds settle{3500};  ///< After the start, names that nobody offers yet are waited for.
};

/// Belongs to the loop's thread; knows no socket.
class Relay final : public ops::Relay {
 public:
  Relay(net::Timers& timers, Front& front, Directory& directory, const RelayOptions& options);

  /// Takes calls of workers' methods and what belongs to them. Calls of the proxy's own methods, and whatever
  /// is no event, are for its server.
  bool receive(std::vector<net::Frame>& frames) override;
  /// One message of a worker: `[address or room for one][client's identities …][empty][payload]`.
  void on_worker(Worker& worker, std::span<net::Frame> frames);

  void lose_client(std::string_view identity) override { dispatch_.lose_client(identity); }
  void drain(std::function<void()> idle) override;
  void abort() override;
  ops::RelayTotals totals() const override;
  bool draining() const { return draining_; }

  Dispatch& dispatch() { return dispatch_; }
  const Dispatch& dispatch() const { return dispatch_; }

 private:
  void on_call(const wire::Event& event, std::vector<net::Frame>& frames);
  std::unique_ptr<Channel> make_channel(const wire::Event& event);
  void on_follow_up(Channel& channel, const wire::Event& event, std::vector<net::Frame>& frames);
  void pass_on(Channel& channel, std::vector<net::Frame>& frames);
  void on_reply(Channel& channel, const wire::Event& event, std::span<net::Frame> frames);
  void on_too_large(Worker& worker, const wire::Event& event, std::span<net::Frame> frames);
  void refuse(const wire::Event& event, const core::Error& error);
  void make_room(std::vector<net::Frame>& frames) const;
  bool settled() const;

  net::Timers& timers_;
  Front& front_;
  Directory& directory_;
  RelayOptions options_;
  Dispatch dispatch_;
  core::TimePoint started_;
  bool draining_ = false;
  wire::Envelope envelope_;     // of the message at hand
  std::size_t identities_ = 0;  // likewise
};

}  // namespace zerosuite::proxy
