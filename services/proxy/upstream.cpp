#include "proxy/upstream.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "core/text.hpp"
#include "net/traffic.hpp"
#include "proxy/frames.hpp"
#include "rpc/client/value_handler.hpp"
#include "rpc/transport/dialed_transport.hpp"
#include "rpc/transport/receive_loop.hpp"

namespace zerosuite::proxy {
namespace {

using namespace std::chrono_literals;
using core::TimePoint;
using ops::Level;

constexpr core::milliseconds kProbeEvery{1000};
constexpr core::milliseconds kLongestSilence{2700};  // a live peer's ZeroMQ answers each probe at once
// A probe waits behind the data sent before it, wherever that is buffered, on a link at least this fast.
constexpr std::int64_t kSlowestLink = 64 << 10;  // bytes per second
constexpr auto kLookEvery = 200ms;
constexpr auto kPaused = 1s;  // a look later than this means that the process was paused
constexpr core::milliseconds kPingEvery{5000};
constexpr auto kCrossing = 200ms;  // how far messages on two connections may overtake each other
constexpr auto kSpareFor = 50ms;   // no new calls after a connection has ended: the others may end too
constexpr auto kIdleFor = 30s;
constexpr core::milliseconds kAskFor{5000};
constexpr auto kAskAgainAfter = 2s;
constexpr const char* kInspect = "_zerorpc_inspect";
constexpr const char* kList = "_zerorpc_list";  // _zerorpc_inspect is broken since Python 3.11
constexpr const char* kPing = "_zerorpc_ping";
constexpr std::size_t kLongestName = 255;
constexpr std::string_view kSilent = "it is silent";
constexpr std::string_view kHangs = "it leaves a ping unanswered";

// Whether a TCP connection is alive is checked here, since libzmq would cut it in the middle of a long
// message, which delays the answers to its probes. Over ipc no message takes long.
net::SocketOptions probing(const UpstreamOptions& options) {
  net::SocketOptions socket = options.socket;
  socket.max_frame_bytes = static_cast<std::int64_t>(options.max_answer_bytes);
  socket.probe = kProbeEvery;
  if (options.endpoint.starts_with("tcp://")) socket.probe_limit = 0ms;
  return socket;
}

rpc::CallerOptions caller_options(const UpstreamOptions& options) {
  rpc::CallerOptions caller;
  caller.heartbeat = 0ms;  // the calls have their own timeouts
  caller.limits = options.limits;
  return caller;
}

wire::Limits without_frame_limit(wire::Limits limits) {
  limits.max_frame_bytes = std::numeric_limits<std::size_t>::max();
  return limits;
}

// `_zerorpc_list` returns only names.
wire::Value described(const wire::List& names) {
  wire::Dict methods;
  for (const wire::Value& name : names) methods.push_back({name, wire::Dict{{"args", {}}, {"doc", {}}}});
  return methods;
}

wire::Value methods_in(const wire::Value& answer) {
  if (const auto* const names = answer.as<wire::List>()) return described(*names);
  if (const auto* const inspected = answer.as<wire::Dict>()) {
    if (const wire::Value* const methods = find(*inspected, "methods")) return *methods;
  }
  throw core::Failure(core::kProtocolError, "its methods are in none of the known forms");
}

// Converts bytes to text: Python 2.7 does not distinguish them.
wire::Value in_text(const wire::Value& value) {
  if (const auto* const bytes = value.as<wire::Bytes>(); bytes != nullptr && core::is_utf8(bytes->data))
    return bytes->data;
  if (const auto* const list = value.as<wire::List>()) {
    wire::List texts;
    for (const wire::Value& each : *list) texts.push_back(in_text(each));
    return texts;
  }
  if (const auto* const dict = value.as<wire::Dict>()) {
    wire::Dict texts;
    for (const auto& [key, each] : *dict) texts.push_back({in_text(key), in_text(each)});
    return texts;
  }
  return value;
}

}  // namespace

/// One connection, and the calls in flight on it.
struct Upstream::Lane final : rpc::DialedHost {
  explicit Lane(Upstream& its_upstream)
      : upstream(its_upstream),
        used(upstream.now()),
        transport(
            upstream.dialing_, *this,
            {upstream.options_.endpoint, probing(upstream.options_), upstream.options_.max_held_bytes}) {}

  void connected() override { upstream.connected(*this); }
  void disconnected() override { upstream.lose_lane(*this, kConnectionEnded); }
  void receive(std::vector<net::Frame>& frames) override { upstream.receive(*this, frames); }
  void not_found(const core::Error& why) override { upstream.complain("upstream not found", why.message); }

  void watch_from(TimePoint now) {
    watched = now;
    traffic = transport.traffic();
    if (const auto count = traffic.count()) answered = *count;
  }
  bool silent(TimePoint now) {
    const auto count = traffic.count();
    if (!count) return false;  // it has ended, which the monitor reports; or libzmq does the probing
    if (count->received != answered.received) answered = *count;
    const auto behind =
        core::milliseconds(1000) * static_cast<std::int64_t>(count->taken - answered.taken) / kSlowestLink;
    const auto silence = std::min<core::Clock::duration>(count->silence, now - watched);
    return silence > kLongestSilence + behind;
  }

  Upstream& upstream;
  Meter meter;
  bool up = false;
  TimePoint used;     // when it last had a call
  TimePoint watched;  // silence counts from here
  net::Traffic traffic;
  net::Traffic::Count answered{};  // the counts when data last arrived
  rpc::DialedTransport transport;
};

Upstream::Upstream(const net::Dialing& dialing, Router& router, ServiceRegistry& registry, ops::Log& log,
                   UpstreamOptions options)
    : dialing_(dialing),
      router_(router),
      registry_(registry),
      log_(log),
      options_(std::move(options)),
      unlimited_(without_frame_limit(options_.limits)),
      pings_(options_.wedged_after),
      bury_(dialing.reactor.timers(), [this] { dead_.clear(); }),
      ask_again_(dialing.reactor.timers(), [this] { ask(kInspect); }),
      look_(dialing.reactor.timers(), [this] { look_after(); }),
      caller_(dialing.reactor.timers(), static_cast<rpc::Sink&>(*this), caller_options(options_)) {
  wire::List names;
  for (const std::string& name : options_.methods) names.push_back(name);
  registry_.expect(options_.service, rpc::read_methods(described(names)));
  add_lane();
  looked_ = now();
  look_.after(kLookEvery);
}

Upstream::~Upstream() { hushed_ = true; }

void Upstream::complain(std::string_view event, const std::string& reason) {
  if (std::exchange(complaint_, reason) == reason) return;
  log_.write(Level::kWarn, event, {{"endpoint", options_.endpoint}, {"reason", reason}});
}

// Connections.

void Upstream::add_lane() { lanes_.push_back(std::make_unique<Lane>(*this)); }

std::size_t Upstream::lanes_up() const {
  return static_cast<std::size_t>(
      std::count_if(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->up; }));
}

Upstream::Lane* Upstream::roomiest() const {
  Lane* best = nullptr;
  for (const auto& lane : lanes_) {
    if (lane->up && (best == nullptr || lane->meter.used() < best->meter.used())) best = lane.get();
  }
  return best;
}

// Doubles the number of connections when even the roomiest is more than half full.
void Upstream::widen(const Lane& roomiest) {
  if (roomiest.meter.used() <= Meter::kRoom / 2) return;
  const std::size_t wanted = std::min(2 * lanes_up(), options_.max_connections);
  while (lanes_.size() < wanted) add_lane();
}

void Upstream::narrow() {
  for (std::size_t i = lanes_.size() - 1; i > 0; --i) {
    Lane& lane = *lanes_[i];
    if (!lane.meter.empty()) lane.used = now();
    if (now() - lane.used < kIdleFor) continue;
    lane.up = false;
    dead_.push_back(std::move(lanes_[i]));
    lanes_.erase(lanes_.begin() + static_cast<std::ptrdiff_t>(i));
    bury_.later();
  }
  if (worker_ != nullptr) worker_->connections = lanes_up();
}

void Upstream::connected(Lane& lane) {
  lane.up = true;
  lane.watch_from(now());
  if (worker_ != nullptr || lanes_up() > 1) return;
  suspect_ ? ping() : ask(kInspect);
}

// The calls of a connection end with it, and the upstream with the last connection.
void Upstream::lose_lane(Lane& lane, std::string_view reason) {
  if (!lane.up) return;  // libzmq keeps dialing by itself
  lane.up = false;
  clear_on_lost();
  Dispatcher& dispatch = router_.dispatcher();
  if (lanes_up() == 0) return worker_ != nullptr ? dispatch.lose(*worker_, reason) : start_over();

  const auto dead =
      std::find_if(lanes_.begin(), lanes_.end(), [&](const auto& each) { return each.get() == &lane; });
  dead_.push_back(std::move(*dead));
  lanes_.erase(dead);
  bury_.later();
  if (worker_ == nullptr) return ask(kInspect);
  worker_->load.full_until = now() + kSpareFor;
  std::vector<std::pair<wire::Envelope, std::string>> calls;
  lane.meter.close_all([&](const Meter::Call& call) { calls.emplace_back(call.client, call.id); });
  for (const auto& [client, id] : calls) {
    Route* const route = dispatch.routes().find({client, id});
    if (route != nullptr && route->worker != nullptr && route->worker == worker_)
      dispatch.lose_call(*route, reason);
  }
}

// Starts again with one connection, which is redialed so that abandoned calls in its queue are not sent.
void Upstream::start_over() {
  clear_on_lost();
  ask_again_.cancel();
  for (const auto& lane : lanes_) {
    lane->up = false;
    lane->meter.close_all([](const Meter::Call&) {});
  }
  dead_.insert(dead_.end(), std::make_move_iterator(lanes_.begin() + 1),
               std::make_move_iterator(lanes_.end()));
  lanes_.resize(1);
  lanes_.front()->transport.redial();
  bury_.later();
}

// Drops the proxy's own open calls: their replies will not come.
void Upstream::clear_on_lost() {
  hushed_ = true;
  caller_.close(std::make_exception_ptr(rpc::LostRemote("the connection has ended")));
  hushed_ = false;
  pings_.forget();
}

// Runs every kLookEvery.
void Upstream::look_after() {
  const bool paused = now() - looked_ > kPaused;
  looked_ = now();
  look_.after(kLookEvery);
  std::vector<Lane*> silent;
  for (const auto& lane : lanes_) {
    lane->meter.expire(now());
    if (paused) lane->watched = now();
    if (lane->up && lane->silent(now())) silent.push_back(lane.get());
  }
  for (Lane* const lane : silent) lose_lane(*lane, kSilent);
  narrow();
  look_at_pings();
}

void Upstream::look_at_pings() {
  if (worker_ == nullptr || options_.wedged_after == 0ms) return;
  const auto asked = pings_.asked_at();
  if (!asked) {
    const core::milliseconds every = std::min(kPingEvery, options_.wedged_after / 2);
    if (now() - std::max(pings_.answered_at(), worker_->load.since) >= every) ping();
    return;
  }
  const bool excused = std::any_of(lanes_.begin(), lanes_.end(), [&](const auto& lane) {
    return lane->meter.has_call_from_before(*asked + kCrossing);
  });
  if (excused) pings_.busy(now());
  if (!pings_.hangs(now())) return;
  suspect_ = true;
  router_.dispatcher().lose(*worker_, kHangs);
}

// Calls of the proxy itself.

void Upstream::ping() {
  pings_.asked(now());
  rpc::OutgoingCall call{kPing, wire::Buffer(16), 0ms, {}};
  wire::Packer(call.args).pack_array(0);
  caller_.start(std::move(call), rpc::listen<wire::Value>([this](const rpc::Outcome<wire::Value>& /*any*/) {
                  if (hushed_) return;
                  pings_.answered(now());
                  if (std::exchange(suspect_, false)) ask(kInspect);
                }));
}

void Upstream::ask(const char* method) {
  if (!options_.methods.empty()) {
    wire::List names;
    for (const std::string& name : options_.methods) names.push_back(name);
    return admit(described(names));
  }
  rpc::OutgoingCall call{method, wire::Buffer(16), kAskFor, {}};
  wire::Packer(call.args).pack_array(0);
  caller_.start(std::move(call), rpc::listen<wire::Value>([this, method](rpc::Outcome<wire::Value> answer) {
                  told(method, std::move(answer));
                }));
}

void Upstream::told(const char* method, rpc::Outcome<wire::Value> answer) {
  if (hushed_) return;
  if (!answer.ok() && method == kInspect) return ask(kList);
  try {
    admit(methods_in(answer.value()));
    complaint_.clear();
  } catch (const core::Failure& failure) {
    complain("upstream unusable", failure.what());
    ask_again_.after(kAskAgainAfter);
  }
}

// The methods without those that cannot be called by their names.
std::vector<rpc::OfferedMethod> Upstream::usable(const wire::Value& methods) {
  const wire::Value texts = in_text(methods);
  const auto* const entries = texts.as<wire::Dict>();
  if (entries == nullptr) return rpc::read_methods(texts);  // throws, and says what it is instead
  wire::Dict usable;
  std::size_t skipped = 0;
  for (const auto& [key, description] : *entries) {
    const auto* const name = key.as<std::string>();
    const bool callable = name != nullptr && !name->empty() && name->size() <= kLongestName;
    skipped += callable ? 0 : 1;
    if (!callable) continue;
    const bool is_described = description.as<wire::Dict>() != nullptr;
    usable.push_back(is_described ? wire::DictEntry{key, description}
                                  : described({key}).as<wire::Dict>()->front());
  }
  if (skipped > 0)
    log_.write(Level::kWarn, "upstream methods skipped",
               {{"endpoint", options_.endpoint},
                {"count", skipped},
                {"reason", "a name that is empty, too long or no text"}});
  return rpc::read_methods(std::move(usable));
}

void Upstream::admit(const wire::Value& methods) {
  if (worker_ != nullptr) return;
  rpc::Registration registration{.id = id(),
                                 .service = options_.service,
                                 .version = {},
                                 .methods = usable(methods),
                                 .weight = options_.weight,
                                 .max_inflight = options_.max_inflight};
  auto worker = std::make_unique<Worker>();
  worker->id = registration.id;
  worker->origin = options_.endpoint;
  worker->connection = this;
  worker->bare_names = true;
  worker->load.weight = options_.weight;
  worker->load.max_inflight = options_.max_inflight;
  worker_ = &registry_.add(std::move(worker), registration);
  log_.write(Level::kInfo, "upstream up",
             {{"worker", registration.id}, {"methods", registration.methods.size()}});
  router_.dispatcher().worker_added(*worker_);
}

rpc::Delivery Upstream::send(const wire::Envelope& /*peer*/, wire::Buffer& payload) {
  std::array<net::Frame, 2> frames{net::Frame(), rpc::to_frame(payload)};
  const auto up = std::find_if(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->up; });
  return up == lanes_.end() ? rpc::Delivery::kGone : (*up)->transport.forward(frames);
}

// Messages from the server.

void Upstream::receive(Lane& lane, std::vector<net::Frame>& frames) {
  if (!lane.up) return;
  if (frames.size() == 2 && frames.front().size() == 0) {
    lane.meter.heard();
    const std::array<std::string_view, 2> views{view(frames.front()), view(frames.back())};
    return caller_.receive(views);
  }
  const wire::Event event = wire::peek(view(frames.back()), unlimited_);
  const bool answers = event.fault == wire::Fault::kNone && !event.response_to.empty() && frames.size() > 2 &&
                       read_envelope({frames.data(), frames.size() - 2});
  Meter::Call* const call = answers ? lane.meter.find(envelope_, event.response_to) : nullptr;
  if (call == nullptr) {
    lane.meter.heard();
  } else {
    hear(lane, *call, event, frames.back());
    pass_grants(lane);
  }
  if (worker_ == nullptr) return;
  frames.insert(frames.begin(), net::Frame());
  router_.on_worker(*worker_, frames);
}

void Upstream::hear(Lane& lane, Meter::Call& call, const wire::Event& event, net::Frame& payload) {
  if (!call.heard) pings_.read(now());
  if (event.name == wire::kHeartbeat) pings_.beat(now());
  net::Frame modern;
  const bool foreign =
      wire::names_in_bytes(event) || !(wire::id_key(event.response_to) == wire::id_key(call.id));
  if (foreign) {
    wire::Buffer buffer = wire::modernized(view(payload), event, call.id);
    modern = rpc::to_frame(buffer);
  }
  lane.meter.heard(call, event);
  if (foreign) payload = std::move(modern);
}

// Messages from clients.

bool Upstream::read_envelope(std::span<const net::Frame> identities) {
  envelope_.clear();
  return std::all_of(identities.begin(), identities.end(),
                     [this](const net::Frame& frame) { return envelope_.push(view(frame)); });
}

std::pair<Upstream::Lane*, Meter::Call*> Upstream::find(std::string_view id) const {
  for (const auto& lane : lanes_) {
    if (Meter::Call* const call = lane->meter.find(envelope_, id)) return {lane.get(), call};
  }
  return {nullptr, nullptr};
}

net::Sent Upstream::attempt(std::span<net::Frame> frames) {
  const wire::Event event = wire::peek(view(frames.back()), unlimited_);
  if (!read_envelope(frames.subspan(1, frames.size() - 3))) return net::Sent::kYes;  // not a client's
  if (event.response_to.empty()) return send_call(frames, event);
  const auto [lane, call] = find(event.response_to);
  if (call == nullptr || keeps_back(*lane, *call, event)) return net::Sent::kYes;
  return lane->transport.attempt(frames.subspan(1));
}

rpc::Delivery Upstream::forward(std::span<net::Frame> frames) {
  const wire::Event event = wire::peek(view(frames.back()), unlimited_);
  if (!read_envelope(frames.subspan(1, frames.size() - 3))) return rpc::Delivery::kSent;
  const auto [lane, call] = find(event.response_to);
  if (call == nullptr || keeps_back(*lane, *call, event)) return rpc::Delivery::kSent;
  return lane->transport.forward(frames.subspan(1));
}

net::Sent Upstream::send_call(std::span<net::Frame> frames, const wire::Event& event) {
  Lane* const lane = roomiest();
  if (lane == nullptr) return net::Sent::kFull;
  widen(*lane);
  Meter::Call* const call = lane->meter.has_room() ? lane->meter.open(envelope_, event, now()) : nullptr;
  if (call == nullptr) return net::Sent::kFull;
  const net::Sent sent = lane->transport.attempt(frames.subspan(1));
  if (sent != net::Sent::kYes) lane->meter.close(*call);
  return sent == net::Sent::kGone ? net::Sent::kFull : sent;
}

// Whether to withhold the message from the server, for now or for good.
bool Upstream::keeps_back(Lane& lane, Meter::Call& call, const wire::Event& event) {
  if (event.name == wire::kCancel) lane.meter.abandon(call, now());
  const bool beats = event.name == wire::kHeartbeat;
  const std::uint64_t granted = rpc::grant_in(call.version, event.name, event.args).value_or(0);
  if (granted > 0) {
    lane.meter.grant(call, granted);
    pass_grants(lane);
  }
  return granted > 0 || event.name == wire::kMore || (beats && !lane.meter.may_beat(call));
}

void Upstream::pass_grants(Lane& lane) {
  while (const auto grant = lane.meter.next()) {
    wire::Buffer payload;
    const bool apart = grant->call->version >= rpc::kCreditsApart;
    wire::begin_event(payload,
                      {ids_.next(), grant->call->id, apart ? wire::kMore : wire::kHeartbeat, nullptr});
    wire::Packer(payload).pack_array(1);
    wire::Packer(payload).pack_uint32(grant->events);
    auto frames = follow_up(grant->call->client, rpc::to_frame(payload));
    lane.transport.forward(std::span(frames).subspan(1));
  }
}

// WorkerConnection.

void Upstream::read_up() {
  for (std::size_t i = 0; i < lanes_.size(); ++i) lanes_[i]->transport.read_up();
}

void Upstream::lost(std::string_view reason) {
  ++router_.dispatcher().counters().workers_lost;
  log_.write(Level::kWarn, "upstream down", {{"worker", id()}, {"reason", reason}});
  worker_ = nullptr;
  start_over();
}

}  // namespace zerosuite::proxy
