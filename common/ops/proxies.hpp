// A program's links to the proxies it serves behind.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ops/config.hpp"
#include "ops/log.hpp"
#include "rpc/server/server.hpp"
#include "rpc/transport/sink.hpp"
#include "rpc/worker/proxy_link.hpp"

namespace zerosuite::ops {

/// Registers the server with every configured proxy, and passes it their clients' messages. Loop thread only.
class Proxies final : private rpc::ProxyLinkHost {
 public:
  Proxies(const Program& program, const Config& config, Log& log, rpc::SinkMux& links, rpc::Server& server);

  /// Dials the proxies. All methods must be registered by then.
  void dial(const net::Dialing& dialing, const rpc::ProxyLinkOptions& options);
  /// Calls `drained` once no proxy sends new calls any more.
  void drain(std::function<void()> drained);
  /// Deregisters from all proxies.
  void leave();
  /// The state that the service's replies depend on; set before dial().
  void rest_on(rpc::State state) { state_ = std::move(state); }
  /// The proxies that refuse the program, and why, one text each.
  std::vector<std::string> health_problems() const;
  /// Whether replies wait for a proxy that does not read fast enough.
  bool holding() const;

 private:
  struct Dialed {
    std::unique_ptr<rpc::ProxyLink> link;
    wire::Link number = 0;
    std::string told;    // the refusal last logged, since it recurs
    std::string missed;  // the same for a name that is not found
  };

  std::string id_on(const rpc::ProxyLink& link);
  rpc::Registration registration(const rpc::ProxyLink& link) override;
  void receive(rpc::ProxyLink& link, std::span<const std::string_view> frames) override;
  void linked(rpc::ProxyLink& link, const rpc::Greeting& proxy) override;
  void unlinked(rpc::ProxyLink& link, std::string_view reason) override;
  void refused(rpc::ProxyLink& link, const core::Error& why) override;
  void not_found(rpc::ProxyLink& link, const core::Error& why) override;
  Dialed& dialed(const rpc::ProxyLink& link);

  const Program& program_;
  const Config& config_;
  Log& log_;
  rpc::SinkMux& sinks_;
  rpc::Server& server_;
  std::string id_;
  std::string key_;
  rpc::State state_;
  std::vector<Dialed> all_;
};

}  // namespace zerosuite::ops
