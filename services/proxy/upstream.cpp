#include "proxy/upstream.hpp"

#include <array>
#include <utility>

#include "net/monitor.hpp"
#include "proxy/frames.hpp"
#include "rpc/frames.hpp"
#include "rpc/listeners.hpp"
#include "rpc/outbox.hpp"

namespace zerosuite::proxy {
namespace {

using namespace std::chrono_literals;
using ops::Level;

constexpr core::milliseconds kProbeEvery{1000};  // unanswered for two more seconds, the connection is cut
constexpr core::milliseconds kAskFor{5000};
constexpr auto kAskAgainAfter = 2s;
constexpr const char* kInspect = "_zerorpc_inspect";
constexpr const char* kList = "_zerorpc_list";  // python 3.11 has broken the other

net::SocketOptions probing(net::SocketOptions options) {
  options.probe = kProbeEvery;
  return options;
}

rpc::CallerOptions caller_options(const UpstreamOptions& options) {
  rpc::CallerOptions caller;
  caller.limits = options.limits;
  return caller;
}

// `_zerorpc_list` tells names alone.
wire::Value described(const wire::List& names) {
  wire::Dict methods;
  for (const wire::Value& name : names) {
    const wire::Dict nothing{{{std::string("args")}, {}}, {{std::string("doc")}, {}}};
    methods.push_back({name, {nothing}});
  }
  return {std::move(methods)};
}

wire::Value methods_in(const wire::Value& answer) {
  if (const auto* const names = answer.as<wire::List>()) return described(*names);
  if (const auto* const inspected = answer.as<wire::Dict>()) {
    if (const wire::Value* const methods = find(*inspected, "methods")) return *methods;
  }
  throw core::Failure(core::kProtocolError, "its methods are in none of the known forms");
}

}  // namespace

/// One connection's life.
struct Upstream::Line {
  explicit Line(Upstream& upstream)
      : socket(upstream.context_, zmq::socket_type::dealer, probing(upstream.options_.socket)),
        outbox(upstream.reactor_.timers(), socket, upstream.options_.max_held_bytes),
        intake(upstream.reactor_.timers()),
        receiver([&upstream](std::vector<net::Frame>& frames) { upstream.receive(frames); }),
        monitor(upstream.context_, upstream.reactor_, socket,
                [&upstream](net::Connection connection) {
                  connection == net::Connection::kUp ? upstream.ask(kInspect) : upstream.hang_up();
                }),
        watch(upstream.reactor_.watch(socket.ref(), [this] { intake.drain(socket, receiver); })) {
    socket.connect(upstream.options_.endpoint);
  }

  net::Socket socket;
  rpc::Outbox outbox;
  rpc::FrameIntake intake;
  rpc::MessageReceiver receiver;
  net::Monitor monitor;
  net::Reactor::Watch watch;
  bool up = false;
};

Upstream::Upstream(net::Context& context, net::Reactor& reactor, Relay& relay, Directory& directory,
                   ops::Log& log, UpstreamOptions options)
    : context_(context),
      reactor_(reactor),
      relay_(relay),
      directory_(directory),
      log_(log),
      options_(std::move(options)),
      redial_(reactor.timers(), [this] { dial(); }),
      ask_again_(reactor.timers(), [this] { ask(kInspect); }),
      caller_(reactor.timers(), static_cast<rpc::Sink&>(*this), caller_options(options_)) {
  dial();
}

Upstream::~Upstream() { closing_ = true; }

void Upstream::dial() {
  if (line_) line_->socket.drop_queue();  // calls that were already given up must not be made
  line_.reset();
  line_ = std::make_unique<Line>(*this);
}

std::string Upstream::id() const { return options_.service + "@" + options_.endpoint; }

void Upstream::hang_up() {
  if (!line_->up || redial_.armed()) return;  // libzmq goes on dialing by itself
  redial_.after(0ms);
  ask_again_.cancel();
  caller_.close(std::make_exception_ptr(rpc::LostRemote("the connection has ended")));
  if (worker_ != nullptr) relay_.dispatch().doom(*worker_);
}

void Upstream::ask(const char* method) {
  line_->up = true;
  rpc::OutgoingCall call{method, wire::Buffer(16), kAskFor, {}};
  wire::Packer(call.args).pack_array(0);
  caller_.start(std::move(call), rpc::listen<wire::Value>([this, method](rpc::Outcome<wire::Value> answer) {
                  told(method, std::move(answer));
                }));
}

void Upstream::told(const char* method, rpc::Outcome<wire::Value> answer) {
  if (redial_.armed() || closing_) return;
  if (!answer.ok() && method == kInspect) return ask(kList);
  try {
    admit(rpc::read_methods(methods_in(answer.value())));
    complaint_.clear();
  } catch (const core::Failure& failure) {
    if (complaint_ != failure.what()) {
      complaint_ = failure.what();
      log_.write(Level::kWarn, "upstream unusable",
                 {{"endpoint", options_.endpoint}, {"reason", complaint_}});
    }
    ask_again_.after(kAskAgainAfter);
  }
}

void Upstream::admit(std::vector<rpc::OfferedMethod> methods) {
  if (worker_ != nullptr) return;
  rpc::Introduction introduction{.id = id(),
                                 .service = options_.service,
                                 .version = {},
                                 .methods = std::move(methods),
                                 .weight = options_.weight,
                                 .max_inflight = options_.max_inflight};
  auto worker = std::make_unique<Worker>();
  worker->id = introduction.id;
  worker->origin = options_.endpoint;
  worker->outlet = this;
  worker->bare_names = true;
  worker->load.weight = options_.weight;
  worker->load.max_inflight = options_.max_inflight;
  worker_ = &directory_.add(std::move(worker), introduction);
  log_.write(Level::kInfo, "upstream up",
             {{"worker", introduction.id}, {"methods", introduction.methods.size()}});
  relay_.dispatch().welcome(*worker_);
}

void Upstream::receive(std::vector<net::Frame>& frames) {
  if (redial_.armed()) return;
  if (frames.size() == 2 && frames.front().size() == 0) {
    const std::array<std::string_view, 2> views{view(frames.front()), view(frames.back())};
    return caller_.receive(views);
  }
  if (worker_ == nullptr) return;
  frames.insert(frames.begin(), net::Frame());
  relay_.on_worker(*worker_, frames);
}

net::Sent Upstream::attempt(std::span<net::Frame> frames) {
  return redial_.armed() ? net::Sent::kGone : line_->outbox.attempt(frames.subspan(1));
}

rpc::Delivery Upstream::forward(std::span<net::Frame> frames) {
  return redial_.armed() ? rpc::Delivery::kGone : line_->outbox.forward(frames.subspan(1));
}

void Upstream::lost(std::string_view reason) {
  ++relay_.dispatch().counters().workers_lost;
  log_.write(Level::kWarn, "upstream down", {{"worker", id()}, {"reason", reason}});
  worker_ = nullptr;
  hang_up();
}

rpc::Delivery Upstream::send(const wire::Envelope& /*peer*/, wire::Buffer& payload) {
  std::array<net::Frame, 2> frames{net::Frame(), rpc::to_frame(payload)};
  return line_->outbox.forward(frames);
}

}  // namespace zerosuite::proxy
