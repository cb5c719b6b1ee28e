#include "rpc/client/caller.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "rpc/heartbeat.hpp"

namespace zerosuite::rpc {
namespace {

using core::TimePoint;

const wire::Envelope kServer;  // a DEALER needs no address

std::string seconds(core::Clock::duration duration) {
  const auto ms = std::chrono::duration_cast<core::milliseconds>(duration).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
}

std::optional<std::string> text_of(wire::Reader& in) {
  const auto text = in.text();
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

struct RemoteFailure {
  std::string name;
  std::string message;
  std::string traceback;
};

// ERR carries [name, message, traceback or nil]; one string from a server of protocol version 1; or [text,
// nil, nil] from one in Go.
std::optional<RemoteFailure> read_failure(std::string_view args) {
  wire::Reader in(args);
  const auto count = in.array().value_or(0);
  if (count != 1 && count != 3) return std::nullopt;
  auto first = text_of(in);
  if (!first) return std::nullopt;
  if (count == 1 || in.nil()) return RemoteFailure{"RemoteError", *std::move(first), ""};
  auto message = text_of(in);
  if (!message) return std::nullopt;
  return RemoteFailure{*std::move(first), *std::move(message), text_of(in).value_or("")};
}

}  // namespace

struct Caller::OpenCall {
  OpenCall(Caller& caller, CallId its_id, std::string_view encoded)
      : id(its_id),
        timer(caller.timers_, [&caller, this] { caller.wake(*this); }),
        heartbeat(Heartbeat::client(caller.options_.heartbeat, caller.timers_.now())) {
    std::copy(encoded.begin(), encoded.end(), encoded_id.begin());
  }

  std::exception_ptr timed_out() const {
    return std::make_exception_ptr(
        TimeoutExpired("timeout after " + seconds(timeout) + ", when calling remote method " + method));
  }

  CallId id;
  std::array<char, wire::IdSource::kSize> encoded_id;
  net::Timer timer;
  Heartbeat heartbeat;
  TimePoint deadline = TimePoint::max();
  core::milliseconds timeout{0};
  std::string method;
  std::string unsent;  // the request, until the server takes it
  std::unique_ptr<ResponseHandler> listener;
};

Caller::Caller(net::Timers& timers, Sink& sink, const CallerOptions& options)
    : timers_(timers), sink_(sink), options_(options), retry_(timers, [this] { send_unsent(); }) {}

Caller::~Caller() { close(std::make_exception_ptr(Cancelled("the client was closed"))); }

Caller::CallId Caller::start(OutgoingCall call, std::unique_ptr<ResponseHandler> listener) {
  if (calls_.size() >= options_.max_open_calls) {
    listener->failed(
        std::make_exception_ptr(CallError(core::kOverloaded, "too many calls are open on this client")));
    return 0;
  }
  const std::string_view encoded_id = ids_.next();
  if (call.timeout.count() > 0) call.context.add("timeout_ms", call.timeout.count());
  if (options_.observer) options_.observer->outgoing(call.method, call.context);
  buffer_.clear();
  wire::begin_event(buffer_, {encoded_id, {}, call.method, &call.context});
  buffer_.write(call.args.data(), call.args.size());

  auto open = std::make_unique<OpenCall>(*this, ids_.count(), encoded_id);
  open->method = std::move(call.method);
  open->timeout = call.timeout;
  open->listener = std::move(listener);
  if (call.timeout.count() > 0) open->deadline = timers_.now() + call.timeout;
  rearm(*open);

  const CallId id = open->id;
  const bool unsent = !unsent_.empty() || sink_.send(kServer, buffer_) == Delivery::kGone;
  if (unsent && unsent_bytes_ + buffer_.size() > options_.max_unsent_bytes) {
    open->listener->failed(std::make_exception_ptr(
        CallError(core::kOverloaded, "too much waits on this client for a server that takes nothing")));
    return 0;
  }
  if (unsent) keep_unsent(*open);
  calls_.emplace(id, std::move(open));
  return id;
}

void Caller::cancel(CallId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  send(*found->second, wire::kCancel, 0);
  fail(id, std::make_exception_ptr(Cancelled("the call to " + found->second->method + " was cancelled")));
}

void Caller::grant(CallId id, std::uint32_t items) {
  const auto found = calls_.find(id);
  if (found != calls_.end()) send(*found->second, wire::kMore, items);
}

void Caller::close(const std::exception_ptr& error) {
  while (!calls_.empty()) {
    const CallId id = calls_.begin()->first;
    send(*calls_.begin()->second, wire::kCancel, 0);
    fail(id, error);
  }
}

void Caller::receive(std::span<const std::string_view> frames) {
  if (frames.empty()) return;
  const wire::Event event = wire::decode(frames.back(), options_.limits);
  const auto id = event.response_to.empty() ? std::nullopt : ids_.count_of(wire::id_text(event.response_to));
  const auto found = id ? calls_.find(*id) : calls_.end();
  if (found == calls_.end()) {
    ++dropped_;
    return;
  }
  if (event.fault != wire::Fault::kNone) {
    ++dropped_;
    return fail(*id, protocol_error("the remote's answer: " + std::string(wire::describe(event.fault))));
  }
  on_event(*found->second, event);
}

void Caller::on_event(OpenCall& call, const wire::Event& event) {
  if (event.name == wire::kHeartbeat) {
    call.heartbeat.heard(timers_.now());
    return rearm(call);
  }
  call.heartbeat.alive(timers_.now());
  if (event.name != wire::kMore) on_reply(call, event);  // a caller sends no stream, so a grant means nothing
}

void Caller::on_reply(OpenCall& call, const wire::Event& event) {
  call.deadline = TimePoint::max();
  wire::Reader in(event.args);
  if (event.name == wire::kStream) {
    rearm(call);
    if (call.listener->item(in)) return;
    send(call, wire::kCancel, 0);
    return fail(call.id, protocol_error(call.method +
                                        " answered with items of another kind, or more than were granted"));
  }
  if (event.name == wire::kErr) return on_error(call, event.args);
  if (event.name == wire::kStreamDone) return take(call.id)->listener->done();
  const bool ok = event.name == wire::kOk && in.array().value_or(0) >= 1;
  if (!ok) {
    const std::string text =
        "the remote answered " + call.method + " with a malformed event " + std::string(event.name);
    return fail(call.id, protocol_error(text));
  }
  take(call.id)->listener->value(in);
}

void Caller::on_error(OpenCall& call, std::string_view args) {
  const auto failure = read_failure(args);
  if (!failure) return fail(call.id, protocol_error("the remote sent an ERR of another shape"));
  // A server of this suite watches the same deadline; the program must see no difference in which side
  // notices first.
  if (call.timeout.count() > 0 && failure->name == core::kDeadlineExceeded.name)
    return fail(call.id, call.timed_out());
  fail(call.id, std::make_exception_ptr(RemoteError(failure->name, failure->message, failure->traceback)));
}

void Caller::wake(OpenCall& call) {
  const TimePoint now = timers_.now();
  if (now >= call.deadline) {
    send(call, wire::kCancel, 0);
    return fail(call.id, call.timed_out());
  }
  switch (call.heartbeat.due(now)) {
    case Heartbeat::Due::kNothing:
      break;
    case Heartbeat::Due::kSend:
      send(call, wire::kHeartbeat, 0);
      break;
    case Heartbeat::Due::kLost:
      return fail(call.id, std::make_exception_ptr(LostRemote(
                               "Lost remote after " + seconds(2 * options_.heartbeat) + " heartbeat")));
  }
  rearm(call);
}

void Caller::rearm(OpenCall& call) {
  const TimePoint next = std::min(call.heartbeat.next(), call.deadline);
  next == TimePoint::max() ? call.timer.cancel() : call.timer.at(next);
}

void Caller::keep_unsent(OpenCall& call) {
  call.unsent.assign(buffer_.data(), buffer_.size());
  unsent_bytes_ += call.unsent.size();
  call.heartbeat = Heartbeat::client({}, timers_.now());  // a server that is absent cannot be lost
  rearm(call);
  if (unsent_.empty()) patience_ = core::milliseconds(1);
  unsent_.push_back(call.id);
  if (!retry_.armed()) retry_.after(patience_);
}

void Caller::send_unsent() {
  constexpr core::milliseconds kLongestPatience{64};
  for (; !unsent_.empty(); unsent_.pop_front()) {
    const auto found = calls_.find(unsent_.front());
    if (found == calls_.end()) continue;
    OpenCall& call = *found->second;
    buffer_.clear();
    buffer_.write(call.unsent.data(), call.unsent.size());
    if (sink_.send(kServer, buffer_) == Delivery::kGone) {
      patience_ = std::min(2 * patience_, kLongestPatience);
      return retry_.after(patience_);
    }
    unsent_bytes_ -= call.unsent.size();
    call.unsent = {};
    call.heartbeat = Heartbeat::client(options_.heartbeat, timers_.now());
    rearm(call);
  }
}

void Caller::send(const OpenCall& call, std::string_view event, std::uint32_t number) {
  if (!call.unsent.empty()) return;  // the server has not received the call yet
  buffer_.clear();
  wire::begin_event(buffer_, {ids_.next(), {call.encoded_id.data(), call.encoded_id.size()}, event, nullptr});
  wire::Packer out(buffer_);
  out.pack_array(1);  // node throws on nil args
  wire::pack(out, number);
  sink_.send(kServer, buffer_);
}

void Caller::fail(CallId id, std::exception_ptr error) {
  if (const auto call = take(id)) call->listener->failed(std::move(error));
}

std::unique_ptr<Caller::OpenCall> Caller::take(CallId id) {
  auto entry = calls_.extract(id);
  if (!entry) return nullptr;
  unsent_bytes_ -= entry.mapped()->unsent.size();
  return std::move(entry.mapped());
}

}  // namespace zerosuite::rpc
