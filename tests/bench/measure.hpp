// What the benchmark programs share: flags, the socket options both sides use, how long a run lasts, and the
// one line of JSON it ends in. One thread uses each object.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace zerosuite::bench {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

/// Queue limit, in messages, on every socket of a benchmark: above the most calls any run keeps open, so that
/// libzmq's default of 1000 never throttles a side.
inline constexpr int kHighWaterMark = 100'000;

/// The command line as `--name value` pairs. Throws std::invalid_argument on anything else.
class Flags {
 public:
  Flags(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() % 2 != 0) throw std::invalid_argument("flags are pairs: --name value");
    for (std::size_t i = 0; i < words.size(); i += 2) values_[words[i]] = words[i + 1];
  }

  /// The flag's text, or `fallback` when it was not given.
  std::string text(const std::string& name, const std::string& fallback = {}) const {
    const auto found = values_.find(name);
    return found == values_.end() ? fallback : found->second;
  }

  /// The flag as a count. Throws std::invalid_argument when it is not a number.
  std::size_t count(const std::string& name, std::size_t fallback) const {
    return values_.contains(name) ? std::stoul(text(name)) : fallback;
  }

 private:
  std::map<std::string, std::string> values_;
};

/// One run of a client: a warm-up that is not counted, then what is. Ends after `--calls` counted calls when
/// that flag is given, else after `--run_ms` (warm-up: `--warmup_ms`).
class Run {
 public:
  explicit Run(const Flags& flags)
      : wanted_(flags.count("--calls", 0)),
        begin_(Clock::now() + std::chrono::milliseconds(flags.count("--warmup_ms", 300))),
        end_(begin_ + std::chrono::milliseconds(flags.count("--run_ms", 1500))) {
    latencies_ns_.reserve(1 << 20);
  }

  /// A call started at `started` has been answered at `now`.
  void answered(TimePoint started, TimePoint now) {
    last_ = now;
    ++answered_;
    if (now < begin_) return;
    ++counted_;
    if (latencies_ns_.size() == latencies_ns_.capacity()) return;
    latencies_ns_.push_back(static_cast<std::uint32_t>((now - started) / std::chrono::nanoseconds(1)));
  }

  /// Whether no further call should be started.
  bool over() const { return wanted_ > 0 ? counted_ >= wanted_ : last_ >= end_; }

  /// Prints the result as one line of JSON: latencies in microseconds; `answered` counts the warm-up too;
  /// `over_10_ms` is the share of calls that took so long.
  void report() {
    std::sort(latencies_ns_.begin(), latencies_ns_.end());
    const double seconds = std::chrono::duration<double>(last_ - begin_).count();
    std::printf(
        "{\"answered\": %zu, \"per_second\": %.1f, \"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, "
        "\"over_10_ms\": %.6f}\n",
        answered_, static_cast<double>(counted_) / seconds, percentile_us(0.5), percentile_us(0.99),
        percentile_us(0.999), share_above_ns(10'000'000));
  }

 private:
  double percentile_us(double share) const {
    if (latencies_ns_.empty()) return 0;
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(latencies_ns_.size() - 1));
    return latencies_ns_[rank] / 1000.0;
  }

  // They are sorted by now.
  double share_above_ns(std::uint32_t limit) const {
    if (latencies_ns_.empty()) return 0;
    const auto above =
        latencies_ns_.end() - std::upper_bound(latencies_ns_.begin(), latencies_ns_.end(), limit);
    return static_cast<double>(above) / static_cast<double>(latencies_ns_.size());
  }

  std::size_t wanted_;
  TimePoint begin_;
  TimePoint end_;
  TimePoint last_{};
  std::size_t answered_ = 0;
  std::size_t counted_ = 0;
  // Never grows: a reallocation of megabytes inside the run would be measured as latency.
  std::vector<std::uint32_t> latencies_ns_;
};

/// Keeps `--window` calls of `load` open until the run is over. A load has `call()`, `take(run)` which waits
/// for the next answer, and `open()`.
template <class Load>
void keep_open(Load& load, const Flags& flags) {
  const std::size_t window = flags.count("--window", 1);
  Run run(flags);
  while (!run.over()) {
    while (load.open() < window) load.call();
    load.take(run);
  }
  run.report();
  while (load.open() > 0) load.take(run);
}

/// Tells the orchestrating script where this server listens, the way the services do.
inline void announce(const std::string& endpoint) {
  std::fprintf(stderr, "listening endpoint=%s\n", endpoint.c_str());
}

/// Runs `body(flags)`, turning an exception into one line on stderr and exit status 1.
template <class Body>
int run_program(int argc, char** argv, Body body) {
  try {
    body(Flags(argc, argv));
    return EXIT_SUCCESS;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s: %s\n", argv[0], failure.what());
    return EXIT_FAILURE;
  }
}

}  // namespace zerosuite::bench
