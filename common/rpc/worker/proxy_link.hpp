// A worker's line to one proxy: it introduces itself, shows that it is alive, and serves the clients behind.
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

/// What a link needs of its program. Called on the loop's thread.
class ProxyLinkHost {
 public:
  virtual Registration registration(const ProxyLink& link) = 0;
  /// A message of a client, as a ROUTER would have received it.
  virtual void receive(ProxyLink& link, std::span<const std::string_view> frames) = 0;
  /// The proxy has taken the registration, and says who it is.
  virtual void linked(ProxyLink& link, const Greeting& proxy) = 0;
  /// The proxy is gone, silent or does not know us: every call that came by it is lost.
  virtual void unlinked(ProxyLink& link, std::string_view reason) = 0;
  /// The proxy does not take the registration; it is asked again later.
  virtual void refused(ProxyLink& link, const core::Error& why) = 0;
  /// The host's name is not found; it is looked up again later.
  virtual void not_found(ProxyLink& link, const core::Error& why) = 0;

 protected:
  ~ProxyLinkHost() = default;
};

struct ProxyLinkOptions {
  std::string endpoint;  ///< A back endpoint of the proxy.
  net::SocketOptions socket;
  std::size_t max_held_bytes = 32 << 20;
  std::size_t max_waiting_bytes = 256 << 20;  ///< Of calls that were read and wait for their turn.
  wire::Limits limits;
};

/// Belongs to the loop's thread. Dials the proxy with a DEALER, and dials anew whenever the connection ends,
/// the proxy is silent for kPulseLimit, or it says that it does not know us: what was queued for the old
/// proxy's clients must not reach the new one's. Its clients are served in turn; see FairIntake.
class ProxyLink final : public Sink, private DialedHost {
 public:
  /// Throws core::Failure(InvalidArgument) when the endpoint is none.
  ProxyLink(const net::Dialing& dialing, ProxyLinkHost& host, ProxyLinkOptions options);
  ~ProxyLink() override;

  Delivery send(const wire::Envelope& peer, wire::Buffer& payload) override;

  /// Asks for no new calls, for good. Calls `drained` once none can come any more: when the proxy says so or
  /// counts as gone; at once when it does not know us.
  void drain(std::function<void()> drained);
  /// Says good-bye. No calls may be open.
  void leave();

  const std::string& endpoint() const { return options_.endpoint; }
  /// Whether answers wait for a proxy that does not read fast enough.
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
  bool last_came_ = false;  // though calls before it still wait for their turn
  std::function<void()> drained_;
  DialedTransport transport_;
};

}  // namespace zerosuite::rpc
