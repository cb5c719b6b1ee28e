#include "rpc/transport/fair_intake.hpp"

#include <utility>

namespace zerosuite::rpc {
namespace {

using namespace std::chrono_literals;
using core::TimePoint;

constexpr auto kSorting = 2ms;  // maximum per turn
constexpr auto kUntilWanted = 2ms;
constexpr int kMostTurns = 64;
constexpr std::size_t kLeastOfClient = 3;  // one identity, delimiter, payload

}  // namespace

FairIntake::FairIntake(net::Timers& timers, net::Socket& socket, IntakeHost host,
                       const FairIntakeOptions& options)
    : timers_(timers), socket_(socket), host_(std::move(host)), options_(options) {}

void FairIntake::read() {
  if (!behind() && !falls_behind()) return;
  sort();
  go_on();
}

// A turn that ended early has emptied the socket. The loop has just read the clock, so now() is its start.
bool FairIntake::falls_behind() {
  const TimePoint begun = timers_.now();
  const bool more = intake_.drain(socket_, host_.receive, host_.wanted);
  return more && options_.max_waiting_bytes > 0 && core::Clock::now() - begun > options_.quick;
}

void FairIntake::sort() {
  const TimePoint end = core::Clock::now() + kSorting;
  while (has_room() && host_.wanted()) {
    const TimePoint now = core::Clock::now();
    if (now >= end || socket_.receive(frames_) == net::Received::kNone) return;
    timers_.set_now(now);
    place(frames_);
  }
}

void FairIntake::place(std::vector<net::Frame>& frames) {
  if (frames.size() < kLeastOfClient) return host_.receive(frames);
  const wire::Event event = wire::peek(frames.back().to_string_view(), {});
  if (event.fault != wire::Fault::kNone) return push(frames, 0);

  const std::span identities(frames.data(), frames.size() - 2);
  const std::string_view client = identities.front().to_string_view();
  if (event.response_to.empty()) return push(frames, name_of(identities, event.id));
  if (event.name == wire::kCancel) {
    if (!withdraw(name_of(identities, event.response_to), client)) host_.receive(frames);
    return;
  }
  // A grant, which older clients send as a heartbeat, may cause work.
  const bool beats = event.name == wire::kHeartbeat && wire::grant_of(event.args) == 0;
  beats&& line_.waiting(client) == 0 ? host_.receive(frames) : push(frames, 0);
}

void FairIntake::push(std::vector<net::Frame>& frames, std::uint64_t call) {
  const std::string client = frames.front().to_string();
  const std::size_t bytes = cost_of(frames);
  const Line::Place place = line_.push(client, {std::move(frames), call, bytes});
  bytes_ += bytes;
  frames.clear();
  // A second call of the same name cannot be cancelled: the server drops it.
  if (call != 0 && !calls_.try_emplace(call, place).second) place->call = 0;
}

// A proxy that cancels a call has forgotten it, and expects no reply.
bool FairIntake::withdraw(std::uint64_t call, std::string_view client) {
  const auto waiting = calls_.find(call);
  if (waiting == calls_.end()) return false;
  bytes_ -= line_.take(client, waiting->second).bytes;
  calls_.erase(waiting);
  return true;
}

// Returns 0 for an envelope that the server would refuse.
std::uint64_t FairIntake::name_of(std::span<const net::Frame> identities, std::string_view id) {
  envelope_.clear();
  for (const net::Frame& identity : identities) {
    if (!envelope_.push(identity.to_string_view())) return 0;
  }
  return name_of_call(envelope_, id);
}

void FairIntake::serve() {
  serve_turn();
  go_on();
}

void FairIntake::serve_turn() {
  const TimePoint end = core::Clock::now() + ReceiveLoop::kTurn;
  for (int served = 0; served < ReceiveLoop::kMessagesATurn && behind() && host_.wanted(); ++served) {
    const TimePoint now = core::Clock::now();
    if (now >= end) break;
    timers_.set_now(now);
    Message message = line_.pop();
    bytes_ -= message.bytes;
    if (message.call != 0) calls_.erase(message.call);
    host_.receive(message.frames);
  }
}

// The duration of this turn must not look like a pause of the process to the next.
void FairIntake::go_on() {
  if (!behind()) {
    turn_.cancel();
    return host_.caught_up();
  }
  timers_.set_now(core::Clock::now());
  if (!turn_.armed()) turn_.after(host_.wanted() ? 0ms : kUntilWanted);
}

void FairIntake::read_up() {
  for (int turns = 0; turns < kMostTurns; ++turns) {
    if (!behind() && !intake_.drain(socket_, host_.receive)) return;
    if (!behind()) continue;
    sort();
    serve_turn();
  }
}

}  // namespace zerosuite::rpc
