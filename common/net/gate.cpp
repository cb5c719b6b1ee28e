#include "net/gate.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "net/connections.hpp"
#include "net/context.hpp"

namespace zerosuite::net {
namespace {

constexpr const char* kEndpoint = "inproc://zeromq.zap.01";
constexpr const char* kVersion = "1.0";
constexpr const char* kDomain = "zerosuite";
constexpr const char* kNumber = "Zs-Conn";

// zmq.h hides it with the draft options, but Debian's library has it. Without it a missing handler would mean
// an open door instead of a closed one.
constexpr int kZapEnforceDomain = 93;

// Time for a client's greeting and for our answer to it. A peer that says nothing holds a descriptor until
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

}  // namespace

Gate::Gate(Context& context, Reactor& reactor) : socket_(context, zmq::socket_type::router) {
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
  if (text == nullptr) return 0;
  std::uint64_t number = 0;
  const std::string_view digits(text);
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

void Gate::remove(Connections& connections) { std::erase(all_, &connections); }

void Gate::answer_all() {
  while (socket_.receive(asked_) != Received::kNone) answer(asked_);
}

// Two properties, always both: a key that the answer lacks could be set by the client itself. A refusal would
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
  socket_.send(answer);  // who has left meanwhile needs no answer
}

}  // namespace zerosuite::net
