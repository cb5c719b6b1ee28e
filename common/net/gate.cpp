#include "net/gate.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <string_view>

#include "core/text.hpp"
#include "net/arrivals.hpp"
#include "net/connections.hpp"
#include "net/socket.hpp"

namespace zerosuite::net {

using namespace std::chrono_literals;

namespace {

constexpr const char* kEndpoint = "inproc://zeromq.zap.01";
constexpr const char* kVersion = "1.0";
constexpr const char* kDomain = "zerosuite";
constexpr const char* kNumber = "Zs-Conn";

// zmq.h hides it with the draft options, but Debian's library has it. Without it a missing handler would
// admit every connection instead of none.
constexpr int kZapEnforceDomain = 93;

// Time limit for a client's greeting and our reply to it. A peer that sends nothing holds a descriptor until
// then.
constexpr int kHandshakeMs = 5000;

// [pipe][empty][1.0][request][domain][address][our own routing id][mechanism][credentials…]
constexpr std::size_t kPipe = 0;
constexpr std::size_t kAskedVersion = 2;
constexpr std::size_t kRequest = 3;
constexpr std::size_t kLeastFrames = 8;

// As in ZMTP's handshake: length, name, length in four bytes, value.
std::string property(std::string_view name, std::string_view value) {
  const std::uint32_t length = htonl(static_cast<std::uint32_t>(value.size()));
  std::string out(1, static_cast<char>(name.size()));
  out.append(name).append(reinterpret_cast<const char*>(&length), sizeof length).append(value);
  return out;
}

Frame text(std::string_view value) { return {value.data(), value.size()}; }

// Percent of the descriptors. The kernel hands out the lowest free one, so a high number shows how many are
// in use. The rest is for files, stores and redialing; connections between this limit and the one in
// arrivals.cpp are accepted only to learn their address.
constexpr int kForConnections = 90;

constexpr auto kCalmAfter = 10s;
constexpr auto kMakeRoomEvery = 100ms;
// A peer that has been connected this long without a message loses least: libzmq reconnects by itself.
constexpr auto kSilence = 5s;

}  // namespace

std::string_view describe(Refusal refusal) {
  switch (refusal) {
    case Refusal::kConnections:
      return "as many connections as there may be";
    case Refusal::kAddress:
      return "as many connections of one address as there may be";
    case Refusal::kDescriptors:
      return "nine of ten descriptors are in use";
    case Refusal::kUnread:
      return "it sends faster than it is served";
    case Refusal::kUnreadTotal:
      break;
  }
  return "all together send faster than they are served, and it most of all";
}

Gate::Gate(Context& context, Reactor& reactor)
    : timers_(reactor.timers()),
      socket_(context, zmq::socket_type::router),
      most_descriptors_(descriptors(kForConnections)),
      calm_(timers_, [this] { calm(); }) {
  socket_.bind(kEndpoint);
  watch_ = reactor.watch(socket_.doorbell(), [this] { answer_all(); });
}

void Gate::guard(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::zap_domain, kDomain);
  socket.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
  const int on = 1;
  if (::zmq_setsockopt(socket.handle(), kZapEnforceDomain, &on, sizeof on) != 0) throw zmq::error_t();
}

std::uint64_t Gate::number_of(const Frame& payload) {
  const char* const text = ::zmq_msg_gets(payload.handle(), kNumber);
  return text == nullptr ? 0 : core::parse<std::uint64_t>(text).value_or(0);
}

void Gate::remove(Connections& connections) { std::erase(all_, &connections); }

std::optional<Refusal> Gate::enter(const std::string& address, int fd) {
  const auto why = refusal(address, fd);
  if (why) {
    note(*why, address);
    make_room(*why == Refusal::kAddress ? std::string_view(address) : std::string_view());
  } else {
    ++connections_;
    ++addresses_[address];
  }
  return why;
}

std::optional<Refusal> Gate::refusal(const std::string& address, int fd) const {
  if (fd >= most_descriptors_) return Refusal::kDescriptors;
  if (connections_ >= limits_.connections) return Refusal::kConnections;
  const auto found = addresses_.find(address);
  if (found != addresses_.end() && found->second >= limits_.per_address) return Refusal::kAddress;
  return std::nullopt;
}

void Gate::turned_away() {
  note(Refusal::kDescriptors, {});
  make_room({});
}

void Gate::leave(const std::string& address) {
  --connections_;
  const auto found = addresses_.find(address);
  if (--found->second == 0) addresses_.erase(found);
}

void Gate::make_room(std::string_view address) {
  const core::TimePoint now = timers_.now();
  if (now - room_made_ < kMakeRoomEvery) return;
  room_made_ = now;
  for (Connections* const connections : all_) connections->end_silent(now - kSilence, address);
}

void Gate::note(Refusal refusal, const std::string& address) {
  if (refusals_.count++ == 0) {
    refusals_.first = refusal;
    refusals_.address = address;
    told_({refusal, address, 0});
  }
  calm_.after(kCalmAfter);
}

void Gate::calm() {
  told_(refusals_);
  refusals_ = {};
}

void Gate::answer_all() {
  while (socket_.receive(asked_) != Received::kNone) answer(asked_);
}

// The reply must set the number: a property that it lacks could be set by the client itself. A refusal would
// be status 300: after 400 a stock client waits for ever from its second call on.
void Gate::answer(const std::vector<Frame>& asked) {
  if (asked.size() < kLeastFrames || asked[kAskedVersion].to_string_view() != kVersion) return;
  for (Connections* const connections : all_) connections->catch_up();
  const std::string properties = property(kNumber, std::to_string(next_++));
  std::vector<Frame> answer;
  for (const std::string_view frame :
       {asked[kPipe].to_string_view(), std::string_view(), std::string_view(kVersion),
        asked[kRequest].to_string_view(), std::string_view("200"), std::string_view(), std::string_view(),
        std::string_view(properties)})
    answer.push_back(text(frame));
  socket_.send(answer);  // fails if the peer has already left, which is fine
}

}  // namespace zerosuite::net
