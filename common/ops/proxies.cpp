#include "ops/proxies.hpp"

#include <algorithm>
#include <utility>

#include "core/random.hpp"
#include "ops/config/text.hpp"

namespace zerosuite::ops {
namespace {

constexpr std::size_t kMostProxies = 255;  // a link's number is a byte, and 0 is the program's own socket

}  // namespace

Proxies::Proxies(const Program& program, const Config& config, Log& log, rpc::SinkMux& links,
                 rpc::Server& server)
    : program_(program),
      config_(config),
      log_(log),
      sinks_(links),
      server_(server),
      id_(std::string(program.name) + "-" + core::random_hex(4)),
      key_(core::random_hex(16)) {}

void Proxies::dial(const net::Dialing& dialing, const rpc::ProxyLinkOptions& options) {
  if (!program_.worker) return;      // even if the file, which is shared by all programs, names proxies
  rpc::ProxyLinkHost& host = *this;  // a private base: the conversion is only known here
  for (const std::string& endpoint : config_.proxies) {
    if (all_.size() == kMostProxies)
      throw core::Failure(core::kInvalidArgument, "there may be 255 proxies, not more");
    if (config_.is_default("proxy"))
      log_.write(Level::kInfo, "joins the default proxy",
                 {{"proxy", endpoint}, {"hint", "--proxy none serves alone"}});
    rpc::ProxyLinkOptions own = options;
    own.endpoint = endpoint;
    Dialed& added = all_.emplace_back();
    added.link = std::make_unique<rpc::ProxyLink>(dialing, host, std::move(own));
    added.number = sinks_.add(*added.link);
  }
}

// A different id on each link: two endpoints may belong to the same proxy.
std::string Proxies::id_on(const rpc::ProxyLink& link) {
  const int number = dialed(link).number;
  return number == 1 ? id_ : id_ + "." + std::to_string(number);
}

rpc::Registration Proxies::registration(const rpc::ProxyLink& link) {
  return {.id = id_on(link),
          .key = key_,
          .service = std::string(program_.name),
          .version = std::string(program_.version),
          .methods = rpc::read_methods({rpc::OwnMethods(server_.methods()).methods()}),
          .weight = config_.weight,
          .max_inflight = config_.max_inflight,
          .sticky = program_.sticky,
          .state = state_};
}

void Proxies::receive(rpc::ProxyLink& link, std::span<const std::string_view> frames) {
  server_.receive(frames, dialed(link).number);
}

void Proxies::linked(rpc::ProxyLink& link, const rpc::Greeting& proxy) {
  dialed(link).told.clear();
  dialed(link).missed.clear();
  std::string front;
  for (const std::string& endpoint : proxy.front) front += (front.empty() ? "" : ",") + endpoint;
  log_.write(Level::kInfo, "registered",
             {{"proxy", link.endpoint()}, {"worker", id_on(link)}, {"of", proxy.name}, {"front", front}});
}

void Proxies::unlinked(rpc::ProxyLink& link, std::string_view reason) {
  log_.write(Level::kWarn, "proxy lost", {{"proxy", link.endpoint()}, {"reason", reason}});
  server_.lose_link(dialed(link).number);
}

void Proxies::refused(rpc::ProxyLink& link, const core::Error& why) {
  Dialed& refusing = dialed(link);
  const std::string reason = why.name + ": " + why.message;
  if (refusing.told == reason) return;
  refusing.told = reason;
  log_.write(
      Level::kError, "refused",
      {{"proxy", link.endpoint()}, {"error", why.name}, {"reason", why.message}, {"data", state_.where}});
}

std::vector<std::string> Proxies::health_problems() const {
  std::vector<std::string> problems;
  for (const Dialed& each : all_) {
    if (!each.told.empty())
      problems.push_back("not behind the proxy at " + each.link->endpoint() + ": " + each.told);
  }
  return problems;
}

void Proxies::not_found(rpc::ProxyLink& link, const core::Error& why) {
  Dialed& missing = dialed(link);
  if (std::exchange(missing.missed, why.message) == why.message) return;
  log_.write(Level::kWarn, "proxy not found", {{"proxy", link.endpoint()}, {"reason", why.message}});
}

Proxies::Dialed& Proxies::dialed(const rpc::ProxyLink& link) {
  return *std::find_if(all_.begin(), all_.end(),
                       [&](const Dialed& each) { return each.link.get() == &link; });
}

void Proxies::drain(std::function<void()> drained) {
  const auto done = [left = std::make_shared<std::size_t>(all_.size() + 1), drained = std::move(drained)] {
    if (--*left == 0) drained();
  };
  for (const Dialed& each : all_) each.link->drain(done);
  done();
}

void Proxies::leave() {
  for (const Dialed& each : all_) each.link->leave();
}

bool Proxies::holding() const {
  return std::any_of(all_.begin(), all_.end(), [](const Dialed& each) { return each.link->holding(); });
}

}  // namespace zerosuite::ops
