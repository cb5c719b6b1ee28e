// A worker's link to one proxy: registers, sends heartbeats, and serves the clients behind the proxy.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "rpc/transport/dialed_transport.hpp"
#include "rpc/transport/sink.hpp"
#include "rpc/worker/registration.hpp"
#include "wire/limits.hpp"

namespace zerosuite::rpc {

class ProxyLink;

/// What a link needs from its program. Called on the loop's thread.
class ProxyLinkHost {
 public:
  virtual Registration registration(const ProxyLink& link) = 0;
  /// A message of a client, as a ROUTER would have received it.
  virtual void receive(ProxyLink& link, std::span<const std::string_view> frames) = 0;
  /// The proxy has accepted the registration.
  virtual void linked(ProxyLink& link, const Greeting& proxy) = 0;
  /// The proxy is gone, silent or does not know us: every call from it is lost.
  virtual void unlinked(ProxyLink& link, std::string_view reason) = 0;
  /// The proxy has refused the registration; it is tried again later.
  virtual void refused(ProxyLink& link, const core::Error& why) = 0;
  /// The host's name was not found; it will be looked up again.
  virtual void not_found(ProxyLink& link, const core::Error& why) = 0;

 protected:
  ~ProxyLinkHost() = default;
};

struct ProxyLinkOptions {
  std::string endpoint;  ///< A back endpoint of the proxy.
  net::SocketOptions socket;
  std::size_t max_held_bytes = 32 << 20;
  std::size_t max_waiting_bytes = 256 << 20;  ///< Of received calls that wait for their turn.
  wire::Limits limits;
};

/// Loop thread only. Dials the proxy with a DEALER, and redials with an empty queue whenever the connection
/// ends, the proxy is silent for kPulseLimit, or it reports that it does not know us: messages queued for the
/// old proxy's clients must not reach the new one's. Clients are served in turn; see FairIntake.
class ProxyLink final : public Sink, private DialedHost {
 public:
  /// Throws core::Failure(InvalidArgument) for a malformed endpoint.
  ProxyLink(const net::Dialing& dialing, ProxyLinkHost& host, ProxyLinkOptions options);
  ~ProxyLink() override;

  Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override;

  /// Asks the proxy to send no more new calls. Calls `drained` once none can arrive any more: when the proxy
  /// confirms or counts as gone; at once when we are not registered.
  void drain(std::function<void()> drained);
  /// Deregisters. No calls may be open.
  void leave();

  const std::string& endpoint() const { return options_.endpoint; }
  /// Whether replies wait for a proxy that does not read fast enough.
  bool holding() const;

 private:
  enum class State : std::uint8_t { kDialing, kIntroduced, kLinked, kLeft };

  void connected() override;
  void disconnected() override;
  void receive(std::vector<net::Frame>& frames) override;
  void caught_up() override;
  void not_found(const core::Error& why) override;
  void introduce();
  void tell(std::string_view event, const wire::List& args = {});
  void on_control(std::string_view payload);
  void on_pulse();
  void hang_up(std::string_view reason);
  void finish_drain();

  net::Timers& timers_;
  ProxyLinkHost& host_;
  ProxyLinkOptions options_;
  wire::IdSource ids_;
  State state_ = State::kDialing;
  std::vector<net::Frame> outgoing_;
  std::vector<std::string_view> views_;
  core::TimePoint heard_;
  net::Traffic traffic_;
  net::Timer pulse_;
  bool draining_ = false;
  bool last_came_ = false;  // kDrained has come, but calls before it may still wait for their turn
  std::function<void()> drained_;
  DialedTransport transport_;
};

}  // namespace zerosuite::rpc
