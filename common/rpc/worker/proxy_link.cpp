#include "rpc/worker/proxy_link.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "rpc/transport/receive_loop.hpp"
#include "wire/event.hpp"

namespace zerosuite::rpc {
namespace {

using namespace std::chrono_literals;

constexpr auto kAskAgain = 1s;  // after a refusal, whose cause may be gone
constexpr std::string_view kUnread = "the proxy does not read";

}  // namespace

ProxyLink::ProxyLink(const net::Dialing& dialing, ProxyLinkHost& host, ProxyLinkOptions options)
    : timers_(dialing.reactor.timers()),
      host_(host),
      options_(std::move(options)),
      pulse_(timers_, [this] { on_pulse(); }),
      transport_(dialing, *this,
                 {options_.endpoint, options_.socket, options_.max_held_bytes, options_.max_waiting_bytes}) {}

ProxyLink::~ProxyLink() = default;

void ProxyLink::connected() {
  traffic_ = transport_.traffic();
  introduce();
}

void ProxyLink::disconnected() { hang_up("the connection has ended"); }

void ProxyLink::not_found(const core::Error& why) { host_.not_found(*this, why); }

void ProxyLink::introduce() {
  if (state_ == State::kLeft || draining_ || transport_.redialing()) return;
  state_ = State::kIntroduced;
  heard_ = timers_.now();
  tell(kReady, {to_value(host_.registration(*this))});
  pulse_.after(kPulseEvery);
}

void ProxyLink::tell(std::string_view event, const wire::List& args) {
  std::array<net::Frame, 2> frames{net::Frame(), control_event(ids_, event, args)};
  if (transport_.forward(frames) == Delivery::kGone) hang_up(kUnread);
}

Delivery ProxyLink::send(const wire::Envelope& peer, wire::Buffer& payload) {
  if (state_ != State::kLinked) return Delivery::kGone;
  outgoing_.clear();
  append_identities(outgoing_, peer);
  outgoing_.emplace_back();
  outgoing_.push_back(to_frame(payload));
  const Delivery delivery = transport_.forward(outgoing_);
  if (delivery == Delivery::kGone) hang_up(kUnread);  // what was kept for it is lost
  return delivery;
}

void ProxyLink::receive(std::vector<net::Frame>& frames) {
  heard_ = timers_.now();
  views_.clear();
  for (const net::Frame& frame : frames) views_.emplace_back(frame.data<char>(), frame.size());
  if (views_.size() == 2 && views_.front().empty()) return on_control(views_.back());
  if (state_ == State::kLinked) host_.receive(*this, views_);
}

void ProxyLink::on_control(std::string_view payload) {
  const wire::Event event = wire::decode(payload, options_.limits);
  if (event.fault != wire::Fault::kNone || state_ == State::kLeft) return;
  if (event.name == kAccepted && state_ == State::kIntroduced) {
    state_ = State::kLinked;
    host_.linked(*this, read_greeting(event.args));
    if (draining_) tell(kDrain);
  } else if (event.name == kRefused && state_ == State::kIntroduced) {
    state_ = State::kDialing;
    pulse_.after(kAskAgain);
    finish_drain();
    try {
      wire::Reader in(event.args);
      const auto [name, message] = wire::read<std::pair<std::string, std::string>>(in);
      host_.refused(*this, {name, message});
    } catch (const wire::Mismatch&) {
      host_.refused(*this, {core::kProtocolError, "for a reason that cannot be read"});
    }
  } else if (event.name == kUnknownWorker && state_ == State::kLinked) {
    hang_up("the proxy does not know us any more");
  } else if (event.name == kDrained) {
    last_came_ = true;
    if (!transport_.behind()) caught_up();
  }
}

void ProxyLink::caught_up() {
  if (std::exchange(last_came_, false)) finish_drain();
}

void ProxyLink::on_pulse() {
  if (state_ == State::kDialing) return introduce();  // refused before
  // A long message on a slow connection is a sign of life before it is complete.
  const core::TimePoint heard = std::max(heard_, traffic_.heard(timers_.now()));
  if (timers_.now() - heard > kPulseLimit) return hang_up("the proxy is silent");
  tell(kWorkerHeartbeat);
  pulse_.after(kPulseEvery);
}

void ProxyLink::hang_up(std::string_view reason) {
  if (state_ == State::kLeft || state_ == State::kDialing) return;  // libzmq keeps dialing by itself
  const bool was_linked = state_ == State::kLinked;
  state_ = State::kDialing;
  pulse_.cancel();
  transport_.redial();
  if (was_linked) host_.unlinked(*this, reason);
  finish_drain();
}

void ProxyLink::drain(std::function<void()> drained) {
  draining_ = true;
  drained_ = std::move(drained);
  if (state_ == State::kDialing) return finish_drain();
  if (state_ == State::kLinked) tell(kDrain);
}

void ProxyLink::finish_drain() {
  if (drained_) std::exchange(drained_, nullptr)();
}

void ProxyLink::leave() {
  if (state_ == State::kLinked || state_ == State::kIntroduced) tell(kBye);
  state_ = State::kLeft;
  pulse_.cancel();
  transport_.stay_away();
}

bool ProxyLink::holding() const { return transport_.holding(); }

}  // namespace zerosuite::rpc
