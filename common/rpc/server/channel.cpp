#include "rpc/server/channel.hpp"

#include <algorithm>

namespace zerosuite::rpc {
namespace {

using namespace std::chrono_literals;
using core::TimePoint;

constexpr int kItemsATurn = 64;       // per turn, so that other channels get theirs
constexpr auto kSlowPeerPause = 1ms;  // before more is sent to a client that does not read

// Zero when the client announces no interval of heartbeats.
core::Clock::duration announced(const wire::Event& request, const ChannelOptions& options) {
  const core::milliseconds interval(std::max<std::int64_t>(request.heartbeat_ms.value_or(0), 0));
  return interval < options.max_heartbeat ? interval : options.max_heartbeat;
}

}  // namespace

Channel::Channel(ChannelHost& host, const CallInfo& call, const wire::Event& request)
    : host_(&host),
      call_(call),
      timer_(host.timers(), [this] { wake(); }),
      heartbeat_(Heartbeat::server(host.channel_options().heartbeat, call.version, host.timers().now(),
                                   host.channel_options().passive_limit,
                                   announced(request, host.channel_options()))),
      conversation_(call.version, request.timeout_ms, host.timers().now()) {}

void Channel::keep() {
  peer_ = *call_.peer;
  id_ = call_.id;
  trace_ = wire::trace_keys(call_.header);
  method_ = call_.method;
  call_ = {method_, &peer_, id_, trace_, call_.version};
  kept_ = true;
  rearm();
}

void Channel::heard_heartbeat(std::string_view args) {
  const bool answer = heartbeat_.heard(host_->timers().now());
  if (conversation_.grant(wire::kHeartbeat, args, host_->channel_options().max_credit)) resume();
  if (!open()) return;
  if (answer) settle(host_->writer().heartbeat(call_));
  if (open()) rearm();
}

void Channel::granted(std::string_view args) {
  conversation_.grant(wire::kMore, args, host_->channel_options().max_credit);
  resume();
}

void Channel::mark_lost() {
  marked_lost_ = true;
  timer_.cancel();
}

void Channel::fail(const core::Error& error) {
  if (marked_lost()) return host_->peer_gone(*this);
  if (!open()) return;
  settle(host_->writer().error(call_, error));
  if (!open()) return;
  close();
  on_lost_ = nullptr;
}

void Channel::give_up(const core::Error& error) {
  if (!open()) return;
  const auto lost = std::exchange(on_lost_, nullptr);  // fail() would drop it without a call
  fail(error);
  lost_ = true;
  if (lost) lost();
}

void Channel::abandon() { fail({core::kAbandoned, "the service dropped the call without answering it"}); }

void Channel::stream(std::shared_ptr<ItemSource> items) {
  if (!open()) return;
  items_ = std::move(items);
  resume();
}

void Channel::resume() {
  if (marked_lost()) return host_->peer_gone(*this);
  if (!open() || !items_ || resume_at_ != TimePoint::max()) return;
  pump();
}

void Channel::on_lost(std::function<void()> lost) {
  if (lost_) return lost();
  if (host_ == nullptr) return;
  on_lost_ = std::move(lost);
  to_undo_ = false;
}

void Channel::on_undelivered(std::function<void()> undo) {
  if (host_ == nullptr) return;
  on_lost_ = std::move(undo);
  to_undo_ = true;
}

void Channel::clear_on_lost() { const auto last = std::exchange(on_lost_, nullptr); }

void Channel::lose() {
  if (host_ == nullptr) return;
  if (!failed_) {
    for (Observer* observer : host_->writer().observers()) observer->lost(call_);
    host_->count_lost();
  }
  close();
  tell_lost();
}

void Channel::detach() {
  host_ = nullptr;
  timer_.cancel();
  tell_lost();
}

void Channel::wake() {
  const auto self = shared_from_this();  // of a stream, only the server's table owns it
  const TimePoint now = host_->timers().now();
  if (now >= conversation_.deadline())
    return give_up({core::kDeadlineExceeded,
                    "the deadline passed before " + std::string(call_.method) + "() had answered"});
  beat();
  if (open() && now >= resume_at_) pump();
  if (open()) rearm();
}

void Channel::beat() {
  switch (heartbeat_.due(host_->timers().now())) {
    case Heartbeat::Due::kNothing:
      return;
    case Heartbeat::Due::kSend:
      return settle(host_->writer().heartbeat(call_));
    case Heartbeat::Due::kLost:
      return heartbeat_.ever_heard() ? lose() : give_up_unheard();
  }
}

// The client may be gone, or it may be waiting with an interval longer than the server's patience: in that
// case it gets the reason.
void Channel::give_up_unheard() {
  const auto silence =
      std::chrono::duration_cast<core::milliseconds>(heartbeat_.silence(host_->timers().now()));
  host_->count_lost();
  give_up({core::kLostRemote, "the client of " + method_ + "() has sent no heartbeat in " +
                                  std::to_string(silence.count()) + " ms"});
}

void Channel::rearm() { timer_.at(std::min({heartbeat_.next(), conversation_.deadline(), resume_at_})); }

// Sends items while there is credit, a batch at a time. The stream ends with STREAM_DONE, or with an ERR in
// place of an item, which uses a credit too.
void Channel::pump() {
  resume_at_ = TimePoint::max();
  for (int sent = 0; open() && conversation_.has_credit(); ++sent) {
    if (sent == kItemsATurn) {
      resume_at_ = host_->timers().now();
      break;
    }
    try {
      if (!send_item()) break;
    } catch (...) {
      settle(host_->writer().error(call_, current_error()));
      if (open()) end_by_error();
    }
  }
  if (open()) rearm();
}

bool Channel::send_item() {
  const Advance next = items_->advance();
  if (!open() || next == Advance::kNothingYet) return false;  // advance() itself may end the channel
  conversation_.replied();
  if (next == Advance::kEnd) {
    settle(host_->writer().stream_done(call_));
    if (open()) close();
    return false;
  }
  wire::Packer out = host_->writer().begin(call_, wire::kStream);
  items_->pack(out);
  const Delivery delivery = host_->writer().send(call_);
  if (delivery == Delivery::kHeld) resume_at_ = host_->timers().now() + kSlowPeerPause;
  settle(delivery);
  return delivery == Delivery::kSent;
}

// An item could not be sent. The method may be in the middle of pushing it, and is notified afterwards.
void Channel::end_by_error() {
  if (!on_lost_) return close();
  failed_ = true;
  host_->lose_later(*this);
}

void Channel::settle(Delivery delivery) {
  if (delivery == Delivery::kGone && open()) host_->peer_gone(*this);
}

void Channel::close() {
  if (host_ == nullptr) return;
  ChannelHost* const host = std::exchange(host_, nullptr);
  timer_.cancel();
  if (!kept_) {
    call_ = {};  // its views end with the message
    return;
  }
  host->closed(*this);
}

void Channel::tell_lost() {
  lost_ = true;
  if (on_lost_) std::exchange(on_lost_, nullptr)();
}

}  // namespace zerosuite::rpc
