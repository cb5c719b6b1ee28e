// zerosuite's own client as the load. `--window 1` waits for each call, a larger one keeps that many open by
// callbacks.
// `--bytes N` calls `echo` instead of `add`; `--items N` takes one stream of N items, `--slots` of them
// granted ahead; `--hold N` keeps N calls of `slow_async(--open_ms)` open together.
#include <sys/resource.h>

#include <future>

#include "measure.hpp"
#include "rpc/client/client.hpp"
#include "wire/value.hpp"

namespace {

using namespace zerosuite;

/// The call being measured: `add(3, 4)`, or `echo` of a byte string.
class Call {
 public:
  explicit Call(const bench::Flags& flags) : bytes_{std::string(flags.count("--bytes", 0), 'x')} {}

  void wait(rpc::Client& client) const {
    bytes_.data.empty() ? check(client.call<std::int64_t>("add", 3, 4))
                        : check(client.call<wire::Bytes>("echo", bytes_));
  }

  template <class Done>
  void start(rpc::Client& client, Done done) const {
    if (bytes_.data.empty()) {
      client.start<std::int64_t>("add", checked<std::int64_t>(std::move(done)), 3, 4);
    } else {
      client.start<wire::Bytes>("echo", checked<wire::Bytes>(std::move(done)), bytes_);
    }
  }

 private:
  void check(std::int64_t sum) const {
    if (sum != 7) throw std::runtime_error("not the expected sum");
  }
  void check(const wire::Bytes& echoed) const {
    if (echoed.data.size() != bytes_.data.size()) throw std::runtime_error("not the expected bytes");
  }

  template <class R, class Done>
  auto checked(Done done) const {
    return [this, done = std::move(done)](rpc::Outcome<R> outcome) mutable {
      check(outcome.value());
      done();
    };
  }

  wire::Bytes bytes_;
};

/// Keeps a window of calls open; lives on the thread that runs the callbacks once it has begun.
class Window {
 public:
  Window(rpc::Client& client, const Call& call, bench::Run& run) : client_(client), call_(call), run_(run) {}

  /// Opens `calls` calls, each followed by the next, and returns when the run is over and none is open.
  void play(std::size_t calls) {
    open_ = calls;
    for (std::size_t i = 0; i < calls; ++i) next();
    closed_.get_future().wait();
  }

 private:
  void next() {
    call_.start(client_, [this, started = bench::Clock::now()] {
      run_.answered(started, bench::Clock::now());
      if (!run_.over()) {
        next();
      } else if (--open_ == 0) {
        closed_.set_value();
      }
    });
  }

  rpc::Client& client_;
  const Call& call_;
  bench::Run& run_;
  std::size_t open_ = 0;
  std::promise<void> closed_;
};

void calls(rpc::Client& client, const bench::Flags& flags) {
  const std::size_t window = flags.count("--window", 1);
  const Call call(flags);
  bench::Run run(flags);
  if (window > 1) {
    Window(client, call, run).play(window);
  } else {
    while (!run.over()) {
      const auto started = bench::Clock::now();
      call.wait(client);
      run.answered(started, bench::Clock::now());
    }
  }
  run.report();
}

void stream(rpc::Client& client, std::int64_t items) {
  const auto started = bench::Clock::now();
  std::int64_t expected = 0;
  for (const std::int64_t item : client.stream<std::int64_t>("range", 0, items)) {
    if (item != expected++) throw std::runtime_error("not the expected item");
  }
  if (expected != items) throw std::runtime_error("the stream ended early");
  const double seconds = std::chrono::duration<double>(bench::Clock::now() - started).count();
  std::printf("{\"answered\": %ld, \"per_second\": %.1f}\n", expected, static_cast<double>(items) / seconds);
}

void hold(rpc::Client& client, const bench::Flags& flags) {
  std::vector<std::future<wire::Value>> open(flags.count("--hold", 0));
  for (auto& call : open) {
    call = client.async<wire::Value>({"slow_async", {.timeout = core::milliseconds(0), .stop = {}}},
                                     flags.count("--open_ms", 20'000));
  }
  std::size_t lost = 0;
  for (auto& call : open) {
    try {
      call.get();
    } catch (const rpc::CallError&) {
      ++lost;
    }
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("{\"answered\": %zu, \"lost\": %zu, \"peak_kib\": %ld}\n", open.size() - lost, lost,
              usage.ru_maxrss);
}

void drive(const bench::Flags& flags) {
  rpc::ClientOptions options;
  options.slots = static_cast<std::uint32_t>(flags.count("--slots", options.slots));
  rpc::Client client(flags.text("--endpoint"), options);
  if (flags.count("--hold", 0) > 0) {
    hold(client, flags);
  } else if (const std::size_t items = flags.count("--items", 0); items > 0) {
    stream(client, static_cast<std::int64_t>(items));
  } else {
    calls(client, flags);
  }
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, drive); }
