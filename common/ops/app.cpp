#include "ops/app.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <system_error>
#include <vector>

#include "core/text.hpp"
#include "ops/config/text.hpp"

namespace zerosuite::ops {
namespace {

using namespace std::chrono_literals;

// How long the last replies may take to reach slow clients once everything else is done: first from the
// transport to libzmq, then from libzmq to the kernel.
constexpr auto kFlush = 1s;
constexpr auto kLookAgain = 10ms;

// A proxy that is briefly slower than the service has replies to all its clients waiting, not just one
// client's.
constexpr std::size_t kClientsBehindProxy = 8;

net::PoolOptions pool_options(const Config& config) {
  net::PoolOptions options = config.pool;
  options.spare = 1;  // so that a single client can use as many as there are cores
  return options;
}

std::string route(const wire::Envelope& peer) { return pseudonym(peer.bytes()); }

/// Stock ids are text; an integer id is shown as its encoded bytes.
std::string shown_id(std::string_view encoded) {
  const std::string_view text = wire::id_text(encoded);
  return text.empty() ? core::hex(encoded) : std::string(text);
}

}  // namespace

Signals::Signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // so that exceeding a file size limit is a failed write instead
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
}

Signals::~Signals() { ::close(fd_); }

int Signals::next() {
  signalfd_siginfo info{};
  return ::read(fd_, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

void CallLog::about(const rpc::CallInfo& call, std::string_view event, std::initializer_list<Field> more) {
  if (!log_.enabled(Level::kDebug)) return;
  std::vector<Field> fields = {
      {"method", call.method}, {"peer", route(*call.peer)}, {"channel", shown_id(call.id)}};
  const std::string_view trace = wire::header_text(call.header, "traceparent");
  if (!trace.empty()) fields.emplace_back("traceparent", trace);
  fields.insert(fields.end(), more.begin(), more.end());
  log_.write(Level::kDebug, event, fields);
}

void CallLog::before(const rpc::CallInfo& call) { about(call, "call"); }

void CallLog::after(const rpc::CallInfo& call) { about(call, "answered"); }

void CallLog::failed(const rpc::CallInfo& call, const core::Error& error) {
  about(call, "failed", {{"error", error.name}, {"message", error.text()}});
}

void CallLog::lost(const rpc::CallInfo& call) { about(call, "lost"); }

void CallLog::dropped(const wire::Envelope& peer, std::string_view reason) {
  log_.write(Level::kWarn, "dropped", {{"peer", route(peer)}, {"reason", reason}});
}

App::App(const Program& program, const Config& config, Reload reload)
    : program_(program),
      config_(config),
      reload_(std::move(reload)),
      log_(program.name),
      context_(reactor_),
      names_(reactor_),
      pool_(reactor_, pool_options(config_)),
      offload_(pool_, [this] { settle(); }),
      transport_(context_, reactor_, router_options()),
      sinks_(transport_),
      call_log_(log_),
      server_(reactor_.timers(), sinks_, offload_, config_.server),
      proxies_(program, config_, log_, sinks_, server_),
      deadline_(reactor_.timers(), [this] { time_is_up(); }) {
  log_.set_level(config_.log_level);
  server_.observe(call_log_);
  guard();
}

net::SocketOptions App::socket_options() const {
  net::SocketOptions options = config_.router.socket;
  // Up to twice the limit is received, so that a client slightly above it gets ERR TooLarge instead of being
  // disconnected.
  options.max_frame_bytes = 2 * static_cast<std::int64_t>(config_.server.limits.max_frame_bytes);
  options.linger = kFlush;
  return options;
}

rpc::RouterOptions App::router_options() const {
  rpc::RouterOptions options = config_.router;
  options.socket = socket_options();
  return options;
}

void App::guard() {
  net::Gate& gate = context_.gate();
  gate.set_limits(config_.gate);
  gate.on_refusals([this](const net::Refusals& refusals) {
    if (refusals.count > 0)
      return log_.write(Level::kInfo, "connections taken again", {{"refused", refusals.count}});
    log_.write(Level::kWarn, "connections refused",
               {{"reason", describe(refusals.first)}, {"address", refusals.address}});
  });
}

void App::offer_health() {
  server_.query("health", "Whether all is well, and what is not.", [this] {
    wire::List reasons;
    for (std::string& trouble : health_problems()) reasons.push_back(std::move(trouble));
    const bool well = reasons.empty();
    return wire::Value(wire::Dict{{"ok", well}, {"reasons", std::move(reasons)}});
  });
}

bool App::wait_until(const std::function<bool()>& ready) {
  bool stopped = false;
  const auto signals = reactor_.watch(signals_.fd(), [&] {
    for (int signal = signals_.next(); signal != 0; signal = signals_.next())
      signal == SIGHUP ? reload() : void(stopped = true);
  });
  while (!stopped && !ready()) reactor_.turn(kLookAgain);
  return !stopped;
}

void App::serve(Interceptor* interceptor) {
  interceptor_ = interceptor;
  listen();
  const auto signals = reactor_.watch(signals_.fd(), [this] { on_signal(); });
  reactor_.run();
  const InterceptorTotals all = totals();
  log_.write(Level::kInfo, "stopped", {{"calls", all.calls}, {"errors", all.errors}, {"lost", all.lost}});
  if (offload_.unfinished() == 0) return;
  log_.write(Level::kWarn, "blocking methods still running", {{"count", offload_.unfinished()}});
  std::_Exit(EXIT_SUCCESS);
}

void App::listen() {
  std::vector<std::string> bound;
  for (const std::string& endpoint : config_.bind) bound.push_back(transport_.bind(endpoint));
  auto to_server =
      rpc::by_view([this](std::span<const std::string_view> frames) { server_.receive(frames); });
  transport_.on_gone([this](std::string_view identity) {
    if (interceptor_ != nullptr) interceptor_->lose_client(identity);
    server_.lose_connection(identity);
  });
  if (interceptor_ == nullptr) {
    transport_.start(std::move(to_server));
  } else {
    transport_.start([this, to_server = std::move(to_server)](std::vector<net::Frame>& frames) {
      if (!interceptor_->receive(frames)) to_server(frames);
    });
  }
  for (const std::string& endpoint : bound) log_.write(Level::kInfo, "listening", {{"endpoint", endpoint}});
  const auto& methods = server_.methods().all();
  const auto own = std::count_if(methods.begin(), methods.end(),
                                 [](const auto& method) { return !method.first.starts_with('_'); });
  log_.write(Level::kInfo, "ready", {{"version", program_.version}, {"methods", own}});
  proxies_.dial(dialing(), {.endpoint = {},
                            .socket = socket_options(),
                            .max_held_bytes = kClientsBehindProxy * config_.router.max_held_bytes,
                            .max_waiting_bytes = config_.router.max_unread_bytes,
                            .limits = config_.server.limits});
}

void App::on_signal() {
  for (int signal = signals_.next(); signal != 0; signal = signals_.next()) {
    if (signal == SIGHUP) {
      reload();
    } else if (phase_ == Phase::kServing) {
      drain();
    } else {
      cut_off();
    }
  }
}

void App::reload() {
  try {
    const Level level = reload_();
    log_.set_level(level);
    log_.write(Level::kInfo, "reloaded", {{"log_level", level_name(level)}});
  } catch (const std::exception& error) {
    log_.write(Level::kError, "not reloaded", {{"reason", error.what()}});
  }
}

void App::drain() {
  log_.write(Level::kInfo, "draining", {{"calls", totals().open}, {"drain_ms", config_.drain.count()}});
  phase_ = Phase::kDraining;
  deadline_.after(config_.drain);
  proxies_.drain([this] {
    if (phase_ == Phase::kDraining) finish_calls();
  });
}

void App::finish_calls() {
  const auto drain_server = [this] {
    on_drain_();  // first, since it may end the last call
    server_.drain([this] {
      answered_ = true;
      settle();
    });
  };
  // The server continues until the interceptor is done, since its methods show the progress.
  interceptor_ == nullptr ? drain_server() : interceptor_->drain(drain_server);
}

InterceptorTotals App::totals() const {
  const rpc::ServerStats own = server_.stats();
  const InterceptorTotals relayed = interceptor_ == nullptr ? InterceptorTotals() : interceptor_->totals();
  return {own.calls + relayed.calls, own.errors + relayed.errors, own.lost + relayed.lost,
          own.channels + relayed.open};
}

void App::cut_off() {
  if (phase_ == Phase::kLeaving) return;
  log_.write(Level::kWarn, "cut off", {{"calls", totals().open}});
  leave();
  server_.abort();
  if (interceptor_ != nullptr) interceptor_->abort();
  proxies_.leave();
}

void App::settle() {
  if (phase_ != Phase::kDraining || !answered_ || offload_.unfinished() > 0) return;
  leave();
  proxies_.leave();
}

void App::leave() {
  phase_ = Phase::kLeaving;
  flush_until_ = reactor_.timers().now() + kFlush;
  deadline_.after(0ms);
}

void App::time_is_up() {
  if (phase_ != Phase::kLeaving) return cut_off();
  const bool unfinished =
      transport_.send_queue().holding() || proxies_.holding() || offload_.unfinished() > 0;
  const bool patient = unfinished && reactor_.timers().now() < flush_until_;
  patient ? deadline_.after(kLookAgain) : reactor_.stop();
}

}  // namespace zerosuite::ops
