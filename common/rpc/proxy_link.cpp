#include "rpc/proxy_link.hpp"

#include <array>
#include <utility>

#include "net/monitor.hpp"
#include "rpc/frames.hpp"
#include "rpc/outbox.hpp"
#include "wire/event.hpp"

namespace zerosuite::rpc {
namespace {

using namespace std::chrono_literals;

constexpr auto kAskAgain = 1s;  // after a refusal: whoever stands in the way may be gone
constexpr std::string_view kUnread = "the proxy does not read";

}  // namespace

/// One connection's life.
struct ProxyLink::Line {
  Line(ProxyLink& link)
      : socket(link.context_, zmq::socket_type::dealer, link.options_.socket),
        outbox(link.reactor_.timers(), socket, link.options_.max_held_bytes),
        intake(link.reactor_.timers()),
        receiver([&link](std::vector<net::Frame>& frames) { link.receive(frames); }),
        monitor(link.context_, link.reactor_, socket,
                [&link](net::Connection connection) {
                  connection == net::Connection::kUp ? link.introduce()
                                                     : link.hang_up("the connection has ended");
                }),
        watch(link.reactor_.watch(socket.ref(), [this] { intake.drain(socket, receiver); })) {
    socket.connect(link.options_.endpoint);
  }

  net::Socket socket;
  Outbox outbox;
  FrameIntake intake;
  MessageReceiver receiver;
  net::Monitor monitor;
  net::Reactor::Watch watch;
};

ProxyLink::ProxyLink(net::Context& context, net::Reactor& reactor, ProxyLinkHost& host,
                     ProxyLinkOptions options)
    : context_(context),
      reactor_(reactor),
      host_(host),
      options_(std::move(options)),
      pulse_(reactor.timers(), [this] { on_pulse(); }),
      redial_(reactor.timers(), [this] { dial(); }) {
  dial();
}

ProxyLink::~ProxyLink() = default;

void ProxyLink::dial() {
  pulse_.cancel();
  if (line_) line_->socket.drop_queue();
  line_.reset();
  state_ = State::kDialing;
  try {
    line_ = std::make_unique<Line>(*this);
  } catch (const zmq::error_t&) {  // out of descriptors
    redial_.after(kAskAgain);
  }
}

void ProxyLink::introduce() {
  if (state_ == State::kLeft || draining_ || redial_.armed()) return;
  state_ = State::kIntroduced;
  heard_ = reactor_.timers().now();
  tell(kReady, {to_value(host_.introduction(*this))});
  pulse_.after(kPulseEvery);
}

void ProxyLink::tell(std::string_view event, const wire::List& args) {
  std::array<net::Frame, 2> frames{net::Frame(), control_event(ids_, event, args)};
  if (line_->outbox.forward(frames) == Delivery::kGone) hang_up(kUnread);
}

Delivery ProxyLink::send(const wire::Envelope& peer, wire::Buffer& payload) {
  if (state_ != State::kLinked) return Delivery::kGone;
  outgoing_.clear();
  append_identities(outgoing_, peer);
  outgoing_.emplace_back();
  outgoing_.push_back(to_frame(payload));
  const Delivery delivery = line_->outbox.forward(outgoing_);
  if (delivery == Delivery::kGone) hang_up(kUnread);  // and what was kept for it is lost
  return delivery;
}

void ProxyLink::receive(std::vector<net::Frame>& frames) {
  if (redial_.armed()) return;  // the line is being given up
  heard_ = reactor_.timers().now();
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
  } else if (event.name == kStranger && state_ == State::kLinked) {
    hang_up("the proxy does not know us any more");
  } else if (event.name == kDrained) {
    finish_drain();
  }
}

void ProxyLink::on_pulse() {
  if (state_ == State::kDialing) return introduce();  // refused before
  if (reactor_.timers().now() - heard_ > kPulseLimit) return hang_up("the proxy is silent");
  tell(kPulse);
  pulse_.after(kPulseEvery);
}

void ProxyLink::hang_up(std::string_view reason) {
  if (state_ == State::kLeft || state_ == State::kDialing) return;  // libzmq goes on dialing by itself
  const bool was_linked = state_ == State::kLinked;
  state_ = State::kDialing;
  pulse_.cancel();
  redial_.after(0ms);
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
  redial_.cancel();
}

bool ProxyLink::holding() const { return line_ != nullptr && line_->outbox.holding(); }

}  // namespace zerosuite::rpc
