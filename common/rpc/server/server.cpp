#include "rpc/server/server.hpp"

#include <algorithm>
#include <vector>

namespace zerosuite::rpc {
namespace {

constexpr std::string_view kProtocolPrefix = "_zpc_";
constexpr std::string_view kExtensionPrefix = "_zpx_";

std::string_view fault_error(wire::Fault fault) {
  switch (fault) {
    case wire::Fault::kTooLarge:
    case wire::Fault::kLongHeader:
      return core::kTooLarge;
    case wire::Fault::kBadName:
      return core::kTypeError;
    default:
      return core::kInvalidArgument;
  }
}

}  // namespace

std::string_view describe(Drop drop) {
  constexpr std::array<std::string_view, kDrops> kTexts{"more identity frames than the limit",
                                                        "for a channel that is not open",
                                                        "a second call under an id that is in use"};
  return kTexts[static_cast<std::size_t>(drop)];
}

/// One request while its method runs. Creates a channel only when the method asks for one.
struct Server::Dispatch final : Call {
  Dispatch(Server& its_server, const Method& its_method, const CallInfo& its_info,
           const wire::Event& its_event)
      : server(its_server), method(its_method), call_info(its_info), event(its_event) {}

  const CallInfo& info() const override { return call_info; }
  std::string_view args() const override { return event.args; }
  EventWriter& writer() override { return server.writer_; }
  net::Offload& offload() override { return server.offload_; }
  std::shared_ptr<Channel> defer() override {
    server.channels_.check_room(call_info,
                                method.relief ? ChannelTable::Room::kKeptBack : ChannelTable::Room::kShared);
    ChannelHost& host = server;  // a private base: the conversion is only known here
    server.unkept_ = std::make_shared<Channel>(host, call_info, event);
    return server.unkept_;
  }
  void answered(Delivery delivery) override {
    if (delivery == Delivery::kGone) server.lose_client(*call_info.peer);
  }

  Server& server;
  const Method& method;
  const CallInfo& call_info;
  const wire::Event& event;
};

Server::Server(net::Timers& timers, Sink& sink, net::Offload& offload, ServerOptions options)
    : timers_(timers),
      offload_(offload),
      options_(std::move(options)),
      writer_(sink, options_.limits.max_frame_bytes),
      channels_({.total = options_.max_channels, .per_client = options_.max_channels_per_peer}),
      chores_(timers, options_.watch) {
  add_builtins(methods_, options_.name, [this]() -> const Catalogue& { return *catalogue_; });
}

Server::~Server() {
  for (const auto& channel : channels_.all()) channel->detach();
  for (const auto& channel : to_lose_) channel->detach();
}

void Server::receive(std::span<const std::string_view> frames, wire::Link link) {
  // As zerorpc-python does: with three or more frames, the last but one is taken to be the delimiter
  // unchecked.
  const std::size_t around = frames.size() >= 3 ? 2 : 1;
  const std::size_t identities = frames.size() - std::min(frames.size(), around);
  envelope_.clear(link);
  bool usable = !frames.empty() && identities <= options_.limits.max_envelope_frames;
  // Also for a message that is refused, since the log names its sender.
  for (std::size_t i = 0; i < identities && i < options_.limits.max_envelope_frames; ++i)
    usable = envelope_.push(frames[i]) && usable;
  if (!usable) return drop(envelope_, Drop::kEnvelope);

  const wire::Event event = wire::decode(frames.back(), options_.limits);
  if (event.fault != wire::Fault::kNone) return refuse(envelope_, event);
  if (!event.response_to.empty()) return on_channel_event(envelope_, event);
  // A stray heartbeat or grant opens no channel.
  if (event.name.starts_with(kProtocolPrefix) || event.name.starts_with(kExtensionPrefix))
    return drop(envelope_, Drop::kLate);
  on_request(envelope_, event);
}

void Server::on_request(const wire::Envelope& peer, const wire::Event& event) {
  if (const auto open = channels_.find(peer, event.id)) {
    if (!open->marked_lost()) return drop(peer, Drop::kDuplicateId);
    channels_.remove(*open);  // left by an earlier connection with that identity
  }
  ++stats_.calls;
  const CallInfo call{event.name, &peer, event.id, event.header, event.version};
  const auto fail = [&](std::string_view name, const std::string& message) {
    if (writer_.error(call, {std::string(name), message}) == Delivery::kGone) lose_client(peer);
  };

  if (draining_) return fail(core::kShuttingDown, options_.name + " is stopping and takes no new calls");
  if (event.timeout_ms && *event.timeout_ms <= 0)
    return fail(core::kDeadlineExceeded, "the deadline had passed when the call arrived");
  const Method* const method = find(event.name);
  if (method == nullptr) return fail(core::kNameError, std::string(event.name));
  run(*method, call, event);
}

void Server::run(const Method& method, const CallInfo& call, const wire::Event& event) {
  for (Observer* observer : writer_.observers()) observer->before(call);
  current_ = &call;
  Dispatch dispatch(*this, method, call, event);
  try {
    method.invoke(method, dispatch);
  } catch (...) {  // whatever a method throws, its client gets an ERR
    dispatch.answered(writer_.error(call, current_error()));
  }
  current_ = nullptr;
  keep_open();
}

void Server::on_channel_event(const wire::Envelope& peer, const wire::Event& event) {
  const auto channel = channels_.find(peer, event.response_to);
  if (!channel || channel->marked_lost()) {
    const bool recalled =
        event.name == wire::kCancel && recalls_.recall(peer, event.response_to, timers_.now());
    return recalled ? count_lost() : drop(peer, Drop::kLate);
  }
  if (event.name == wire::kHeartbeat) return channel->heard_heartbeat(event.args);
  if (event.name == wire::kMore) return channel->granted(event.args);
  if (event.name == wire::kCancel) return channel->cancelled();
}

void Server::refuse(const wire::Envelope& peer, const wire::Event& event) {
  ++stats_.faults[static_cast<std::size_t>(event.fault)];
  report(peer, wire::describe(event.fault));
  if (!event.answerable() || event.name.starts_with(kProtocolPrefix)) return;
  const CallInfo call{event.name, &peer, event.id, event.header, event.version};
  const core::Error error{std::string(fault_error(event.fault)), std::string(wire::describe(event.fault))};
  if (writer_.error(call, error) == Delivery::kGone) lose_client(peer);
}

void Server::drop(const wire::Envelope& peer, Drop reason) {
  ++stats_.drops[static_cast<std::size_t>(reason)];
  if (reason != Drop::kLate) report(peer, describe(reason));  // late events are normal at the end of a stream
}

void Server::report(const wire::Envelope& peer, std::string_view reason) {
  if (!drop_log_.first(peer, reason, timers_.now())) return;
  for (Observer* observer : writer_.observers()) observer->dropped(peer, reason);
}

const Method* Server::find(std::string_view name) const {
  if (const Method* method = methods_.find(name)) return method;
  const std::string& service = options_.name;
  if (name.size() <= service.size() || name[service.size()] != '.' || !name.starts_with(service))
    return nullptr;
  return methods_.find(name.substr(service.size() + 1));
}

// Called when the method has returned without a reply; or earlier, when all open calls are about to end.
void Server::keep_open() {
  const auto channel = std::exchange(unkept_, nullptr);
  if (!channel || !channel->open()) return;
  channel->keep();
  channels_.add(channel);
}

void Server::closed(Channel& channel) {
  channels_.remove(channel);
  if (channels_.size() == 0 && idle_) std::exchange(idle_, nullptr)();
}

// All are marked before the first method is notified: what one of them releases must not be granted to the
// next. They are notified at the end of the turn, since the loss may have been found while a method is
// sending; and in pieces, since a method's cleanup may take long and there may be very many.
void Server::lose_all(const ChannelTable::Pointers& channels) {
  for (const auto& channel : channels) {
    if (channel->marked_lost()) continue;
    channel->mark_lost();
    to_lose_.push_back(channel);
  }
  start_losing();
}

void Server::start_losing() {
  if (!to_lose_.empty() && !std::exchange(losing_, true))
    chores_.add([this] { return losing_ = lose_next(); });
}

bool Server::lose_next() {
  const auto channel = std::move(to_lose_.front());
  to_lose_.pop_front();
  channel->lose();
  return !to_lose_.empty();
}

void Server::lose_client(const wire::Envelope& peer) {
  keep_open();
  lose_all(channels_.of_client(peer.client()));
}

// The channel's method has just replied in vain and must be notified before the others.
void Server::peer_gone(Channel& channel) {
  if (!channel.marked_lost()) lose_client(*channel.call().peer);
  to_lose_.push_front(channel.shared_from_this());
}

void Server::lose_later(Channel& channel) {
  keep_open();
  channel.mark_lost();
  to_lose_.push_front(channel.shared_from_this());
  start_losing();
}

void Server::lose_connection(std::string_view identity) {
  keep_open();
  lose_all(channels_.of_client(wire::Envelope::client_of(0, identity)));
}

void Server::lose_link(wire::Link link) {
  keep_open();
  lose_all(channels_.of_link(link));
}

void Server::drain(std::function<void()> idle) {
  keep_open();
  draining_ = true;
  idle_ = std::move(idle);
  if (channels_.size() == 0 && idle_) std::exchange(idle_, nullptr)();
}

void Server::abort() {
  keep_open();
  for (const auto& channel : channels_.all()) {
    if (channel->marked_lost()) {
      channel->lose();
      continue;
    }
    channel->give_up({core::kShuttingDown, options_.name + " stopped before " +
                                               std::string(channel->call().method) + "() had answered"});
  }
}

ServerStats Server::stats() const {
  ServerStats stats = stats_;
  stats.errors = writer_.errors();
  stats.channels = channels_.size();
  return stats;
}

}  // namespace zerosuite::rpc
