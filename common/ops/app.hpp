// The parts of every server program, and how it starts, serves and stops.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/dialer.hpp"
#include "net/offload.hpp"
#include "net/offload_names.hpp"
#include "net/offload_pool.hpp"
#include "net/reactor.hpp"
#include "ops/config.hpp"
#include "ops/config/program.hpp"
#include "ops/interceptor.hpp"
#include "ops/log.hpp"
#include "ops/proxies.hpp"
#include "rpc/observer.hpp"
#include "rpc/server/server.hpp"
#include "rpc/transport/router_transport.hpp"
#include "rpc/transport/sink.hpp"

namespace zerosuite::ops {

/// SIGTERM, SIGINT and SIGHUP as events of the loop (signalfd(2)), so that no code ever runs inside a signal
/// handler. Blocks the three signals for the calling thread and those it starts, and ignores SIGPIPE and
/// SIGXFSZ: create it before any other thread. The signals stay blocked after its destruction.
class Signals {
 public:
  /// Throws std::system_error when the kernel refuses.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Becomes readable when a signal is pending.
  int fd() const { return fd_; }
  /// Takes the next pending signal and returns its number; 0 when there is none.
  int next();

 private:
  int fd_;
};

/// Counts the jobs on other threads: a stopping program must not destroy what a running job still uses.
/// Passes jobs on to another Offload and counts those whose `then` has not run. Loop thread only.
class CountedOffload final : public net::Offload {
 public:
  /// `idle` is called whenever the last job is done.
  CountedOffload(net::Offload& inner, std::function<void()> idle) : inner_(inner), idle_(std::move(idle)) {}

  [[nodiscard]] bool submit_for(Client client, Job job, Job then) override {
    const bool taken = inner_.submit_for(client, std::move(job), [this, done = std::move(then)]() mutable {
      done();
      if (--unfinished_ == 0) idle_();
    });
    if (taken) ++unfinished_;
    return taken;
  }

  std::size_t unfinished() const { return unfinished_; }

 private:
  net::Offload& inner_;
  std::function<void()> idle_;
  std::size_t unfinished_ = 0;
};

/// Logs calls: at debug the beginning and end of each call, at warn dropped messages. Nothing per call at
/// info. Must not outlive the log. Loop thread only.
class CallLog final : public rpc::Observer {
 public:
  explicit CallLog(Log& log) : log_(log) {}

  void before(const rpc::CallInfo& call) override;
  void after(const rpc::CallInfo& call) override;
  void failed(const rpc::CallInfo& call, const core::Error& error) override;
  void lost(const rpc::CallInfo& call) override;
  void dropped(const wire::Envelope& peer, std::string_view reason) override;

 private:
  void about(const rpc::CallInfo& call, std::string_view event, std::initializer_list<Field> more = {});

  Log& log_;
};

/// Created by run(). For the thread that created it, as is everything it contains and calls.
class App {
 public:
  /// Rereads the configuration on SIGHUP and returns its log level; throws core::Failure when it is no longer
  /// valid.
  using Reload = std::function<Level()>;

  /// Program and configuration must outlive it.
  App(const Program& program, const Config& config, Reload reload);

  const Config& config() const { return config_; }
  net::Context& context() { return context_; }
  net::Reactor& reactor() { return reactor_; }
  rpc::Server& server() { return server_; }
  rpc::RouterTransport& transport() { return transport_; }
  Log& log() { return log_; }
  /// The pool, for the service's own jobs; a stopping program waits for them as for blocking methods.
  net::Offload& offload() { return offload_; }
  /// Looks up host names outside of the pool: a lookup that hangs delays neither commits nor the program's
  /// exit.
  net::Names& names() { return names_; }
  /// The parts needed to dial another process.
  net::Dialing dialing() { return {context_, reactor_, names_}; }
  net::SocketOptions socket_options() const;
  rpc::RouterOptions router_options() const;

  /// The state that the service's replies depend on. A proxy sends a service's calls to one state only, and
  /// to one process unless the state is shared. To be called before serve().
  void rest_on(rpc::State state) { proxies_.rest_on(std::move(state)); }
  /// The proxies that refuse the program, and why.
  std::vector<std::string> health_problems() const { return proxies_.health_problems(); }
  /// Offers the method `health`, which returns {ok, reasons}: the health_problems().
  void offer_health();

  /// Calls `begun` when the proxies have agreed to send no more calls to a stopping program, so that the
  /// service can end waiting calls; from then on new calls get ERR ShuttingDown. Calls that `begun` ends
  /// count as finished. Not called when calls are cut off before that. It must not throw.
  void on_drain(std::function<void()> begun) { on_drain_ = std::move(begun); }

  /// Turns the reactor until `ready` returns true, for exchanges with other processes before or after
  /// serving. Returns false when the program received a signal to stop meanwhile. An exception of `ready`
  /// passes through.
  bool wait_until(const std::function<bool()>& ready);

  /// Binds, logs ` listening endpoint=…` for each endpoint and then ` ready`, registers with the proxies, and
  /// serves until SIGTERM or SIGINT. Then the proxies are asked for no more calls, and when they agree new
  /// calls get ERR ShuttingDown and those in flight may finish; after drain_ms, or at a second signal, they
  /// get ERR ShuttingDown too. When it returns nothing runs on other threads. If a blocking method does not
  /// heed its stop token by then, serve() ends the process with status 0 instead of returning, because no
  /// thread can be killed. Throws core::Failure when an endpoint cannot be bound.
  void serve() { serve(nullptr); }
  /// The same with `interceptor` in front of the server.
  void serve(Interceptor& interceptor) { serve(&interceptor); }

 private:
  enum class Phase { kServing, kDraining, kLeaving };

  void serve(Interceptor* interceptor);
  void guard();
  void listen();
  void on_signal();
  void reload();
  void drain();
  void finish_calls();
  void cut_off();
  void settle();
  void leave();
  void time_is_up();
  InterceptorTotals totals() const;  // the server's and the interceptor's together

  const Program& program_;
  const Config& config_;
  Reload reload_;
  Log log_;
  Signals signals_;
  net::Reactor reactor_;
  net::Context context_;
  net::Names names_;
  net::Pool pool_;
  CountedOffload offload_;
  rpc::RouterTransport transport_;
  rpc::SinkMux sinks_;
  CallLog call_log_;
  rpc::Server server_;
  Proxies proxies_;
  Interceptor* interceptor_ = nullptr;
  std::function<void()> on_drain_ = [] {};
  net::Timer deadline_;
  Phase phase_ = Phase::kServing;
  core::TimePoint flush_until_;
  bool answered_ = false;  // draining, and no call is open any more
};

}  // namespace zerosuite::ops
