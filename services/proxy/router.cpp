#include "proxy/router.hpp"

#include <algorithm>
#include <utility>

#include "core/quota.hpp"
#include "core/text.hpp"
#include "proxy/frames.hpp"
#include "rpc/transport/receive_loop.hpp"
#include "wire/event.hpp"

namespace zerosuite::proxy {
namespace {

constexpr std::size_t kLongestErrorName = 64;
constexpr std::size_t kLeastOfWorker = 4;  // address, one identity, delimiter, payload

// Whether the name is for the proxy's own server: its methods, the built-ins, and events that are not calls.
bool is_for_server(std::string_view name) {
  return name.starts_with("proxy.") || name.starts_with("_zerorpc_") || name.starts_with("_zpc_") ||
         name.starts_with("_zpx_");
}

core::Error unknown(std::string_view name, const ServiceRegistry::Target& target) {
  std::string text(name);
  if (target.finding == ServiceRegistry::Finding::kNoService) text += ": no such service";
  if (target.finding == ServiceRegistry::Finding::kNoMethod && name.find('.') != name.npos)
    text += ": no such method";
  return {core::kNameError, std::move(text)};  // for a bare name the name alone, as from any zerorpc server
}

core::Error ambiguous(std::string_view name, const ServiceRegistry::Target& target) {
  std::string text = std::string(name) + " is a method of several services: ";
  for (const std::string& candidate : target.candidates)
    text += (&candidate == &target.candidates.front() ? "" : ", ") + candidate;
  return {core::kAmbiguousMethod, std::move(text)};
}

// The error name in an ERR; for version 1, which has one text instead of three, the part before "(".
std::string error_name(std::string_view args) {
  wire::Reader in(args);
  const auto count = in.array().value_or(0);
  const std::string_view text = count == 0 ? std::string_view() : in.str().value_or(std::string_view());
  const std::string_view name = text.substr(0, std::min(text.find('('), text.size()));
  const bool sound = !name.empty() && name.size() <= kLongestErrorName && core::is_utf8(name);
  return std::string(sound ? name : "malformed");
}

}  // namespace

Router::Router(net::Timers& timers, ClientSink& front, ServiceRegistry& registry,
               const RouterOptions& options)
    : timers_(timers),
      clients_out_(front),
      registry_(registry),
      options_(options),
      dispatcher_(timers, front, registry, options.dispatch),
      started_(timers.now()) {}

bool Router::receive(std::vector<net::Frame>& frames) {
  const wire::Limits& limits = options_.dispatch.limits;
  // As servers read it: with three or more frames, the last but one is taken as the delimiter, unchecked.
  const std::size_t around = frames.size() >= 3 ? 2 : 1;
  identities_ = frames.size() - std::min(frames.size(), around);
  if (identities_ == 0 || identities_ > limits.max_envelope_frames) return false;
  envelope_.clear();
  for (std::size_t i = 0; i < identities_; ++i) {
    if (!envelope_.push(view(frames[i]))) return false;
  }
  const wire::Event event = wire::peek(view(frames.back()), limits);
  if (event.fault != wire::Fault::kNone) return false;

  Route* const route =
      event.response_to.empty() ? nullptr : dispatcher_.routes().find({envelope_, event.response_to});
  if (route == nullptr && (!event.response_to.empty() || is_for_server(event.name))) return false;
  if (route != nullptr) {
    on_follow_up(*route, event, frames);
  } else {
    on_call(event, frames);
  }
  return true;
}

void Router::on_call(const wire::Event& event, std::vector<net::Frame>& frames) {
  Counters& counters = dispatcher_.counters();
  RouteTable& channels = dispatcher_.routes();
  const RouteTable::Name name(envelope_, event.id);
  if (channels.find(name) != nullptr) {
    ++counters.duplicates;
    return;
  }
  ++counters.calls;
  if (draining_) return refuse(event, {core::kShuttingDown, "the proxy is stopping and takes no new calls"});
  if (event.timeout_ms && *event.timeout_ms <= 0)
    return refuse(event, {core::kDeadlineExceeded, "the deadline had passed when the call arrived"});

  const ServiceRegistry::Target& target = registry_.look_up(event.name);
  if (target.finding == ServiceRegistry::Finding::kAmbiguous)
    return refuse(event, ambiguous(event.name, target));
  const bool awaited = target.finding == ServiceRegistry::Finding::kAwaited || !settled();
  if (target.service == nullptr && !awaited) return refuse(event, unknown(event.name, target));

  Client* const client = channels.client(envelope_.outermost());
  const core::Quota quota{options_.max_channels, options_.max_channels_per_peer};
  const std::size_t own = client == nullptr ? 0 : client->channels.size();
  const std::size_t all = channels.size();
  const bool relief = target.method != nullptr && target.method->relief;
  if (!(relief ? quota.admits_relief(own, all) : quota.admits(own, all)))
    return refuse(event, {core::kOverloaded, "too many calls are open"});
  auto route = make_route(event);
  route->hash = name.hash;
  make_room(frames);  // invalidates views of the frames
  Route& opened = channels.open(std::move(route), client);
  if (target.service != nullptr) dispatcher_.resolve(opened, target, frames.back());
  target.service != nullptr ? dispatcher_.place(opened, frames) : dispatcher_.place_unknown(opened, frames);
}

std::unique_ptr<Route> Router::make_route(const wire::Event& event) {
  auto route = dispatcher_.make_route();
  route->client = envelope_;
  route->text.reserve(event.id.size() + event.name.size());
  route->text.append(event.id).append(event.name);
  route->id_size = event.id.size();
  route->conversation = {event.version, event.timeout_ms, timers_.now()};
  route->opened = route->heard = route->beat = timers_.now();
  return route;
}

void Router::on_follow_up(Route& route, const wire::Event& event, std::vector<net::Frame>& frames) {
  route.heard = timers_.now();
  route.conversation.grant(event.name, event.args, options_.max_credit);
  if (event.name == wire::kHeartbeat) dispatcher_.on_heartbeat(route);
  const bool cancelled = event.name == wire::kCancel;
  if (route.worker == nullptr) {
    return cancelled ? dispatcher_.finish(route)
                     : dispatcher_.on_client_event(route, event.name == wire::kHeartbeat);
  }
  make_room(frames);
  pass_on(route, frames);
  if (cancelled) dispatcher_.finish(route);
}

// A worker that does not read must not be considered dead because a client sends too much meanwhile, so only
// a limited amount per client is kept. Some must be: 65 536 calls may send heartbeats at once, and a pipe
// holds a thousand messages.
void Router::pass_on(Route& route, std::vector<net::Frame>& frames) {
  Worker& worker = *route.worker;
  Client& client = *route.connection;
  const std::size_t bytes = rpc::size_of(frames);
  net::Sent sent = worker.connection->attempt(frames);
  if (sent == net::Sent::kYes) client.stalled_bytes = 0;
  if (sent == net::Sent::kFull && client.stalled_bytes + bytes <= options_.stalled_bytes) {
    client.stalled_bytes += bytes;
    if (worker.connection->forward(frames) == rpc::Delivery::kGone) sent = net::Sent::kGone;
  }
  if (sent == net::Sent::kGone) dispatcher_.lose_later(worker);
}

// Brings the frames into the form for workers. Invalidates the message's events: small payloads are stored in
// their frame and move with it.
void Router::make_room(std::vector<net::Frame>& frames) const {
  const bool delimited = frames.size() > identities_ + 1;
  if (delimited) {
    frames[identities_].rebuild();
  } else {
    frames.insert(frames.end() - 1, net::Frame());
  }
  frames.insert(frames.begin(), net::Frame());
}

void Router::on_worker(Worker& worker, std::span<net::Frame> frames) {
  envelope_.clear();
  bool usable = frames.size() >= kLeastOfWorker;
  for (std::size_t i = 1; usable && i + 2 < frames.size(); ++i) usable = envelope_.push(view(frames[i]));
  if (usable) {
    const wire::Event event = wire::peek(view(frames.back()), options_.dispatch.limits);
    const bool answers = event.fault == wire::Fault::kNone && !event.response_to.empty();
    Route* const route = answers ? dispatcher_.routes().find({envelope_, event.response_to}) : nullptr;
    // A worker may only use the channels it was given.
    if (route != nullptr && route->worker == &worker) return on_reply(*route, event, frames.subspan(1));
    if (event.fault == wire::Fault::kTooLarge && !event.response_to.empty())
      return on_too_large(worker, event, frames);
  }
  ++dispatcher_.counters().strays;
}

// Fails the call for the client, and cancels it at the worker.
void Router::on_too_large(Worker& worker, const wire::Event& event, std::span<net::Frame> frames) {
  Route* const route = dispatcher_.routes().find({envelope_, event.response_to});
  if (route == nullptr || route->worker != &worker) {
    ++dispatcher_.counters().strays;
    return;
  }
  dispatcher_.refuse_answer(
      *route,
      {core::kTooLarge, "the answer has " + std::to_string(frames.back().size()) + " bytes; the limit is " +
                            std::to_string(options_.dispatch.limits.max_frame_bytes)});
}

void Router::on_reply(Route& route, const wire::Event& event, std::span<net::Frame> frames) {
  route.heard = timers_.now();
  const bool protocol = event.name == wire::kHeartbeat || event.name == wire::kMore;
  const bool failed = event.name == wire::kErr;
  const bool over = failed || event.name == wire::kOk || event.name == wire::kStreamDone;
  if (!protocol) {
    route.answered = true;
    route.conversation.replied();
    if (route.idempotent) dispatcher_.drop_retry_copy(route);
  }
  if (over) {
    const std::string error = failed ? error_name(event.args) : std::string();
    if (failed) dispatcher_.counters().count_error(error);
    route.worker->errors += failed ? 1 : 0;
    dispatcher_.answered(*route.worker,
                         error == core::kUnavailable.name || error == core::kShuttingDown.name);
  }
  if (clients_out_.forward(frames) == rpc::Delivery::kGone) {
    dispatcher_.lose_client(
        envelope_.outermost());  // cancels this call at the worker too: its reply was not delivered
  } else if (over) {
    dispatcher_.finish(route);
  }
}

void Router::refuse(const wire::Event& event, const core::Error& error) {
  dispatcher_.counters().count_error(error.name);
  const rpc::CallInfo call{event.name, &envelope_, event.id, event.header, event.version};
  if (dispatcher_.writer().error(call, error) == rpc::Delivery::kGone)
    dispatcher_.lose_client(envelope_.outermost());
}

bool Router::settled() const { return timers_.now() - started_ > options_.settle; }

ops::InterceptorTotals Router::totals() const {
  const Counters& counters = dispatcher_.counters();
  std::uint64_t errors = 0;
  for (const auto& [name, count] : counters.errors) errors += count;
  return {counters.calls, errors, counters.abandoned, dispatcher_.routes().size()};
}

void Router::drain(std::function<void()> idle) {
  draining_ = true;
  dispatcher_.when_empty(std::move(idle));
}

void Router::abort() {
  dispatcher_.fail_all({core::kShuttingDown, "the proxy stopped before the call had ended"});
}

}  // namespace zerosuite::proxy
