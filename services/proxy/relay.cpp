#include "proxy/relay.hpp"

#include <algorithm>
#include <utility>

#include "core/quota.hpp"
#include "proxy/frames.hpp"
#include "rpc/transport/frames.hpp"
#include "wire/event.hpp"
#include "wire/utf8.hpp"

namespace zerosuite::proxy {
namespace {

constexpr std::size_t kLongestErrorName = 64;
constexpr std::size_t kLeastOfWorker = 4;  // address, one identity, delimiter, payload

// Of the proxy's own server: its methods, the built-ins, and what is no call at all.
bool is_for_server(std::string_view name) {
  return name.starts_with("proxy.") || name.starts_with("_zerorpc_") || name.starts_with("_zpc_") ||
         name.starts_with("_zpx_");
}

core::Error unknown(std::string_view name, const Directory::Target& target) {
  std::string text(name);
  if (target.finding == Directory::Finding::kNoService) text += ": no such service";
  if (target.finding == Directory::Finding::kNoMethod && name.find('.') != name.npos)
    text += ": no such method";
  return {core::kNameError, std::move(text)};  // of a bare name the name alone, as from any zerorpc server
}

core::Error ambiguous(std::string_view name, const Directory::Target& target) {
  std::string text = std::string(name) + " is a method of several services: ";
  for (const std::string& candidate : target.candidates)
    text += (&candidate == &target.candidates.front() ? "" : ", ") + candidate;
  return {core::kAmbiguousMethod, std::move(text)};
}

void grant(Channel& channel, const wire::Event& event, std::uint32_t most) {
  const bool grants =
      event.name == wire::kMore || (event.name == wire::kHeartbeat && channel.version < kCreditsApart);
  if (!grants) return;
  const std::uint64_t room = most - std::min(channel.credit, most);
  channel.credit += static_cast<std::uint32_t>(std::min(wire::grant_of(event.args), room));
}

// The name an ERR carries; clients of version 1 get one text instead of three.
std::string error_name(std::string_view args) {
  wire::Reader in(args);
  const auto count = in.array().value_or(0);
  const std::string_view text = count == 0 ? std::string_view() : in.str().value_or(std::string_view());
  const std::string_view name = text.substr(0, std::min(text.find('('), text.size()));
  const bool sound = !name.empty() && name.size() <= kLongestErrorName && wire::is_utf8(name);
  return std::string(sound ? name : "malformed");
}

}  // namespace

Relay::Relay(net::Timers& timers, Front& front, Directory& directory, const RelayOptions& options)
    : timers_(timers),
      front_(front),
      directory_(directory),
      options_(options),
      dispatch_(timers, front, directory, options.dispatch),
      started_(timers.now()) {}

bool Relay::receive(std::vector<net::Frame>& frames) {
  const wire::Limits& limits = options_.dispatch.limits;
  // The server's reading rule: with three frames or more the last but one is the delimiter, unseen.
  const std::size_t around = frames.size() >= 3 ? 2 : 1;
  identities_ = frames.size() - std::min(frames.size(), around);
  if (identities_ == 0 || identities_ > limits.max_envelope_frames) return false;
  envelope_.clear();
  for (std::size_t i = 0; i < identities_; ++i) {
    if (!envelope_.push(view(frames[i]))) return false;
  }
  const wire::Event event = wire::peek(view(frames.back()), limits);
  if (event.fault != wire::Fault::kNone) return false;

  Channel* const channel =
      event.response_to.empty() ? nullptr : dispatch_.channels().find({envelope_, event.response_to});
  if (channel == nullptr && (!event.response_to.empty() || is_for_server(event.name))) return false;
  if (channel != nullptr) {
    on_follow_up(*channel, event, frames);
  } else {
    on_call(event, frames);
  }
  return true;
}

void Relay::on_call(const wire::Event& event, std::vector<net::Frame>& frames) {
  Counters& counters = dispatch_.counters();
  Channels& channels = dispatch_.channels();
  const Channels::Name name(envelope_, event.id);
  if (channels.find(name) != nullptr) {
    ++counters.duplicates;
    return;
  }
  ++counters.calls;
  if (draining_) return refuse(event, {core::kShuttingDown, "the proxy is stopping and takes no new calls"});
  if (event.timeout_ms && *event.timeout_ms <= 0)
    return refuse(event, {core::kDeadlineExceeded, "the deadline had passed when the call arrived"});

  const Directory::Target& target = directory_.look_up(event.name);
  if (target.finding == Directory::Finding::kAmbiguous) return refuse(event, ambiguous(event.name, target));
  const bool awaited = target.finding == Directory::Finding::kAwaited || !settled();
  if (target.service == nullptr && !awaited) return refuse(event, unknown(event.name, target));

  Client* const client = channels.client(envelope_.outermost());
  const core::Quota quota{options_.max_channels, options_.max_channels_per_peer};
  const std::size_t own = client == nullptr ? 0 : client->channels.size();
  const std::size_t all = channels.size();
  const bool relief = target.method != nullptr && target.method->relief;
  if (!(relief ? quota.admits_relief(own, all) : quota.admits(own, all)))
    return refuse(event, {core::kOverloaded, "too many calls are open"});
  auto channel = make_channel(event);
  channel->hash = name.hash;
  make_room(frames);  // the name is no view any more
  Channel& opened = channels.open(std::move(channel), client);
  if (target.service != nullptr) dispatch_.aim(opened, target, frames.back());
  target.service != nullptr ? dispatch_.place(opened, frames) : dispatch_.place_unknown(opened, frames);
}

std::unique_ptr<Channel> Relay::make_channel(const wire::Event& event) {
  auto channel = dispatch_.make_channel();
  channel->client = envelope_;
  channel->text.reserve(event.id.size() + event.name.size());
  channel->text.append(event.id).append(event.name);
  channel->id_size = event.id.size();
  channel->version = event.version;
  channel->opened = channel->heard = channel->beat = timers_.now();
  if (event.timeout_ms && *event.timeout_ms < std::int64_t{1} << 40)
    channel->deadline = timers_.now() + core::milliseconds(*event.timeout_ms);
  return channel;
}

void Relay::on_follow_up(Channel& channel, const wire::Event& event, std::vector<net::Frame>& frames) {
  channel.heard = timers_.now();
  grant(channel, event, options_.max_credit);
  if (event.name == wire::kHeartbeat) dispatch_.beaten(channel);
  const bool cancelled = event.name == wire::kCancel;
  if (channel.worker == nullptr) {
    return cancelled ? dispatch_.finish(channel) : dispatch_.hear(channel, event.name == wire::kHeartbeat);
  }
  make_room(frames);
  pass_on(channel, frames);
  if (cancelled) dispatch_.finish(channel);
}

// A worker that does not read must not be taken for dead because some client talks too much meanwhile: only
// so much of a client's talk is kept for it. Honest beats need it: 65 536 calls beat at once, and a pipe
// holds a thousand.
void Relay::pass_on(Channel& channel, std::vector<net::Frame>& frames) {
  Worker& worker = *channel.worker;
  Client& client = *channel.connection;
  const std::size_t bytes = rpc::size_of(frames);
  net::Sent sent = worker.outlet->attempt(frames);
  if (sent == net::Sent::kYes) client.stalled_bytes = 0;
  if (sent == net::Sent::kFull && client.stalled_bytes + bytes <= options_.stalled_bytes) {
    client.stalled_bytes += bytes;
    if (worker.outlet->forward(frames) == rpc::Delivery::kGone) sent = net::Sent::kGone;
  }
  if (sent == net::Sent::kGone) dispatch_.doom(worker);
}

// The shape that goes to a worker. No event of the message may be read any more: small payloads live inside
// their frame and move with it.
void Relay::make_room(std::vector<net::Frame>& frames) const {
  const bool delimited = frames.size() > identities_ + 1;
  if (delimited) {
    frames[identities_].rebuild();
  } else {
    frames.insert(frames.end() - 1, net::Frame());
  }
  frames.insert(frames.begin(), net::Frame());
}

void Relay::on_worker(Worker& worker, std::span<net::Frame> frames) {
  envelope_.clear();
  bool usable = frames.size() >= kLeastOfWorker;
  for (std::size_t i = 1; usable && i + 2 < frames.size(); ++i) usable = envelope_.push(view(frames[i]));
  if (usable) {
    const wire::Event event = wire::peek(view(frames.back()), options_.dispatch.limits);
    const bool answers = event.fault == wire::Fault::kNone && !event.response_to.empty();
    Channel* const channel = answers ? dispatch_.channels().find({envelope_, event.response_to}) : nullptr;
    // A worker may speak on the channels it was given, and on no others.
    if (channel != nullptr && channel->worker == &worker) return on_reply(*channel, event, frames.subspan(1));
    if (event.fault == wire::Fault::kTooLarge && !event.response_to.empty())
      return on_too_large(worker, event, frames);
  }
  ++dispatch_.counters().strays;
}

// Whoever asked is told; the worker is to send nothing more of it.
void Relay::on_too_large(Worker& worker, const wire::Event& event, std::span<net::Frame> frames) {
  Channel* const channel = dispatch_.channels().find({envelope_, event.response_to});
  if (channel == nullptr || channel->worker != &worker) {
    ++dispatch_.counters().strays;
    return;
  }
  dispatch_.refuse_answer(
      *channel,
      {core::kTooLarge, "the answer has " + std::to_string(frames.back().size()) + " bytes; the limit is " +
                            std::to_string(options_.dispatch.limits.max_frame_bytes)});
}

void Relay::on_reply(Channel& channel, const wire::Event& event, std::span<net::Frame> frames) {
  channel.heard = timers_.now();
  const bool protocol = event.name == wire::kHeartbeat || event.name == wire::kMore;
  const bool failed = event.name == wire::kErr;
  const bool over = failed || event.name == wire::kOk || event.name == wire::kStreamDone;
  if (!protocol) {
    channel.answered = true;
    channel.credit -= std::min(channel.credit, 1U);
    if (channel.idempotent) dispatch_.let_go(channel);
  }
  if (over) {
    const std::string error = failed ? error_name(event.args) : std::string();
    if (failed) dispatch_.counters().count_error(error);
    channel.worker->errors += failed ? 1 : 0;
    dispatch_.answered(*channel.worker,
                       error == core::kUnavailable.name || error == core::kShuttingDown.name);
  }
  if (front_.forward(frames) == rpc::Delivery::kGone) {
    dispatch_.lose_client(
        envelope_.outermost());  // the worker hears of this call too: its answer reached nobody
  } else if (over) {
    dispatch_.finish(channel);
  }
}

void Relay::refuse(const wire::Event& event, const core::Error& error) {
  dispatch_.counters().count_error(error.name);
  const rpc::CallInfo call{event.name, &envelope_, event.id, event.header, event.version};
  if (dispatch_.responder().error(call, error) == rpc::Delivery::kGone)
    dispatch_.lose_client(envelope_.outermost());
}

bool Relay::settled() const { return timers_.now() - started_ > options_.settle; }

ops::RelayTotals Relay::totals() const {
  const Counters& counters = dispatch_.counters();
  std::uint64_t errors = 0;
  for (const auto& [name, count] : counters.errors) errors += count;
  return {counters.calls, errors, counters.abandoned, dispatch_.channels().size()};
}

void Relay::drain(std::function<void()> idle) {
  draining_ = true;
  dispatch_.when_empty(std::move(idle));
}

void Relay::abort() {
  dispatch_.fail_all({core::kShuttingDown, "the proxy stopped before the call had ended"});
}

}  // namespace zerosuite::proxy
