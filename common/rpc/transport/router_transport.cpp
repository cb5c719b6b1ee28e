#include "rpc/transport/router_transport.hpp"

#include <iterator>
#include <utility>

#include "wire/event.hpp"

namespace zerosuite::rpc {
namespace {

using namespace std::chrono_literals;

constexpr auto kOfferAgain = 2ms;
constexpr int kCallsATurn = 8;  // per connection; they may be heavy

bool opens_call(const net::Frame& payload) {
  const wire::Event event = wire::peek(payload.to_string_view(), {});
  return event.fault == wire::Fault::kNone && event.response_to.empty() && !event.name.starts_with("_zp");
}

}  // namespace

RouterTransport::RouterTransport(net::Context& context, net::Reactor& reactor, const RouterOptions& options)
    : reactor_(reactor),
      socket_(context, zmq::socket_type::router, options.socket),
      connections_(context, reactor, socket_),
      send_queue_(reactor.timers(), socket_, {options.max_held_bytes, options.max_held_total_bytes}),
      max_postponed_bytes_(options.max_held_bytes / 4) {
  connections_.set_max_unread(options.max_unread_bytes, options.max_unread_total_bytes);
  send_queue_.on_given_up([this](std::string_view identity) { connections_.cut(identity); });
  on_gone([](std::string_view) {});
}

void RouterTransport::on_gone(net::Connections::Gone gone) {
  connections_.on_gone([this, gone = std::move(gone)](std::string_view identity) {
    forget(identity);
    gone(identity);
  });
}

void RouterTransport::start(MessageReceiver receiver) {
  receiver_ = std::move(receiver);
  watch_ = reactor_.watch(socket_.ref(), [this] { intake_.drain(socket_, taker_); });
}

void RouterTransport::forget(std::string_view identity) {
  send_queue_.forget(identity);
  if (const auto entry = postponed_.find(identity); entry != postponed_.end()) postponed_.erase(entry);
}

void RouterTransport::take(std::vector<net::Frame>& frames) {
  if (send_queue_.quiet() && postponed_.empty()) return receiver_(frames);
  const SendQueue::Standing standing = send_queue_.standing(frames.front());
  if (standing == SendQueue::Standing::kGivenUp) return;  // no reply could reach it
  const bool waits =
      standing == SendQueue::Standing::kSlow || postponed_.contains(frames.front().to_string_view());
  waits&& opens_call(frames.back()) ? postpone(frames) : receiver_(frames);
}

void RouterTransport::postpone(std::vector<net::Frame>& frames) {
  Postponed& postponed = postponed_[frames.front().to_string()];
  postponed.bytes += cost_of(frames);
  if (postponed.bytes > max_postponed_bytes_) {
    send_queue_.give_up(frames.front());
    postponed_.erase(postponed_.find(frames.front().to_string_view()));
    return;
  }
  postponed.messages.push_back(std::move(frames));
  if (!resume_.armed()) resume_.after(kOfferAgain);
}

void RouterTransport::resume() {
  for (auto entry = postponed_.begin(); entry != postponed_.end();)
    entry = resume(entry->second) ? postponed_.erase(entry) : std::next(entry);
  if (!postponed_.empty()) resume_.after(kOfferAgain);
}

// Returns whether no call of the connection waits any more.
bool RouterTransport::resume(Postponed& postponed) {
  for (int taken = 0; taken < kCallsATurn && !postponed.messages.empty(); ++taken) {
    std::vector<net::Frame>& message = postponed.messages.front();
    const SendQueue::Standing standing = send_queue_.standing(message.front());
    if (standing == SendQueue::Standing::kSlow) return false;
    if (standing == SendQueue::Standing::kGivenUp) return true;
    postponed.bytes -= cost_of(message);
    receiver_(message);
    postponed.messages.pop_front();
  }
  return postponed.messages.empty();
}

Delivery RouterTransport::send(const wire::Envelope& peer, wire::Buffer& payload) {
  outgoing_.clear();
  append_identities(outgoing_, peer);
  if (outgoing_.empty()) return Delivery::kGone;  // a ROUTER must address a connection
  outgoing_.emplace_back();
  outgoing_.push_back(to_frame(payload));
  return send_queue_.forward(outgoing_);
}

}  // namespace zerosuite::rpc
