#include "proxy/meter.hpp"

#include <algorithm>

namespace zerosuite::proxy {
namespace {

using namespace std::chrono_literals;

constexpr auto kGhostsFor = 30s;
constexpr std::uint64_t kMostOwed = 1'000'000;

std::string name_of(const wire::Envelope& client, const wire::IdKey& id) {
  std::string name(1, static_cast<char>(id.kind));
  name.append(std::to_string(id.text.size())).append(1, ':').append(id.text);
  name.append(reinterpret_cast<const char*>(&id.number), sizeof id.number).append(client.bytes());
  return name;
}

bool is_last(const wire::Event& event) {
  return event.name == wire::kOk || event.name == wire::kErr || event.name == wire::kStreamDone;
}

}  // namespace

Meter::Call* Meter::open(const wire::Envelope& client, const wire::Event& event, core::TimePoint now) {
  const auto [entry, fresh] = calls_.try_emplace(name_of(client, wire::id_key(event.id)));
  if (!fresh) return nullptr;
  Call& call = entry->second;
  call.client = client;
  call.id = event.id;
  call.version = event.version;
  call.sent = now;
  used_ += kForCall;
  return &call;
}

Meter::Call* Meter::find(const wire::Envelope& client, std::string_view id) {
  const wire::IdKey key = wire::id_key(id);
  auto found = calls_.find(name_of(client, key));
  if (found == calls_.end()) found = calls_.find(name_of(client, key.respelled()));
  return found == calls_.end() ? nullptr : &found->second;
}

void Meter::close(Call& call) {
  leave_line(call);
  used_ -= call.out_ + 1;
  if (call.streams_) {
    --streams_;
    streaming_ -= call.out_;
  }
  calls_.erase(name_of(call.client, wire::id_key(call.id)));
}

void Meter::grant(Call& call, std::uint64_t events) {
  if (call.abandoned != core::TimePoint::max()) return;
  call.owed_ += std::min(events, kMostOwed - call.owed_);
  wait(call);
}

void Meter::wait(Call& call) {
  if (call.waiting_ || call.owed_ == 0 || call.out_ > 0) return;
  call.waiting_ = true;
  waiting_.append(call);
}

void Meter::leave_line(Call& call) {
  if (std::exchange(call.waiting_, false)) waiting_.remove(call);
}

bool Meter::may_beat(Call& call) {
  if (call.beat_after_ == heard_) return false;
  call.beat_after_ = heard_;
  return true;
}

void Meter::abandon(Call& call, core::TimePoint now) {
  leave_line(call);
  call.owed_ = 0;
  call.abandoned = std::min(call.abandoned, now);
}

void Meter::heard(Call& call, const wire::Event& event) {
  ++heard_;
  call.heard = true;
  if (event.name == wire::kHeartbeat || event.name == wire::kMore) return;
  if (is_last(event)) return close(call);
  if (!call.streams_) {
    call.streams_ = true;
    ++streams_;
    streaming_ += call.out_;
  }
  if (call.out_ > 0) {
    --call.out_;
    --used_;
    --streaming_;
  }
  wait(call);
}

std::optional<Meter::Grant> Meter::next() {
  Call* const call = waiting_.first();
  if (call == nullptr) return std::nullopt;
  const std::size_t room =
      std::min(kRoom - std::min(used_, kRoom), kForEither - std::min(streaming_, kForEither));
  const std::uint64_t share = std::max<std::size_t>(1, kForEither / std::max<std::size_t>(streams_, 1));
  const auto events = static_cast<std::uint32_t>(std::min({call->owed_, share, std::uint64_t{room}}));
  if (events == 0) return std::nullopt;
  leave_line(*call);
  call->owed_ -= events;
  call->out_ += events;
  used_ += events;
  if (call->streams_) streaming_ += events;
  return Grant{call, events};
}

void Meter::expire(core::TimePoint now) {
  for (auto entry = calls_.begin(); entry != calls_.end();) {
    Call& call = (entry++)->second;
    if (call.abandoned != core::TimePoint::max() && now - call.abandoned > kGhostsFor) close(call);
  }
}

bool Meter::has_call_from_before(core::TimePoint then) const {
  return std::any_of(calls_.begin(), calls_.end(),
                     [then](const auto& entry) { return entry.second.sent < then; });
}

void Meter::close_all(const std::function<void(const Call&)>& each) {
  const Calls closed = std::exchange(calls_, {});
  waiting_ = {};
  used_ = streams_ = streaming_ = 0;
  for (const auto& [name, call] : closed) each(call);
}

}  // namespace zerosuite::proxy
