// The server of the conformance tests: every way a method can answer, fail, dawdle or misbehave
// (tests/conformance/peers/reference_server.py is the same in stock zerorpc).
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <unordered_map>

#include "ops/run.hpp"

namespace zerosuite::test {
namespace {

using rpc::Reply;
using rpc::Stream;
using rpc::StreamWriter;

/// One handler. It is "running", then "done" or "cancelled".
class Fate {
 public:
  explicit Fate(const net::Timers& timers) : timers_(timers), begun_(timers.now()) {}

  void item() { ++items_; }
  /// The first end counts.
  void end(std::string state) {
    if (ended_) return;
    state_ = std::move(state);
    ended_ = timers_.now();
  }

  /// The state, the items made, and the milliseconds it ran.
  std::tuple<std::string, std::uint64_t, std::int64_t> report() const {
    const auto time = ended_.value_or(timers_.now()) - begun_;
    return {state_, items_, std::chrono::duration_cast<core::milliseconds>(time).count()};
  }

 private:
  const net::Timers& timers_;
  core::TimePoint begun_;
  std::optional<core::TimePoint> ended_;
  std::string state_ = "running";
  std::uint64_t items_ = 0;
};

class Fates {
 public:
  explicit Fates(const net::Timers& timers) : timers_(timers) {}

  /// Forgets an earlier handler of that tag.
  std::shared_ptr<Fate> begin(const std::string& tag) {
    return fates_[tag] = std::make_shared<Fate>(timers_);
  }
  /// Null when there was none.
  std::shared_ptr<Fate> find(const std::string& tag) const {
    const auto found = fates_.find(tag);
    return found == fates_.end() ? nullptr : found->second;
  }

 private:
  const net::Timers& timers_;
  std::map<std::string, std::shared_ptr<Fate>> fates_;
};

/// Ends its fate as "cancelled" when it goes: streams have no other way to learn that nobody listens.
class CancelledAtEnd {
 public:
  explicit CancelledAtEnd(std::shared_ptr<Fate> fate) : fate_(std::move(fate)) {}
  ~CancelledAtEnd() { fate_->end("cancelled"); }
  CancelledAtEnd(const CancelledAtEnd&) = delete;
  CancelledAtEnd& operator=(const CancelledAtEnd&) = delete;

  Fate& fate() const { return *fate_; }

 private:
  std::shared_ptr<Fate> fate_;
};

/// Calls that are answered later.
class Naps {
 public:
  explicit Naps(net::Timers& timers) : timers_(timers) {}

  void begin(Reply<std::string> reply, std::int64_t ms, const std::shared_ptr<Fate>& fate) {
    const std::uint64_t number = ++count_;
    auto& nap = *naps_.emplace(number, std::make_unique<Nap>(timers_, [this, number] { wake(number); }))
                     .first->second;
    nap.fate = fate;
    nap.reply = reply;
    nap.timer.after(core::milliseconds(ms));
    reply.on_lost([this, number] { end(number, "cancelled"); });
  }

 private:
  struct Nap {
    Nap(net::Timers& timers, std::function<void()> fire) : timer(timers, std::move(fire)) {}

    net::Timer timer;
    std::shared_ptr<Fate> fate;
    std::optional<Reply<std::string>> reply;
  };

  void wake(std::uint64_t number) {
    const Reply<std::string> reply = *naps_.at(number)->reply;
    end(number, "done");
    reply("slept");
  }
  void end(std::uint64_t number, const char* state) {
    naps_.at(number)->fate->end(state);
    naps_.erase(number);
  }

  net::Timers& timers_;
  std::uint64_t count_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Nap>> naps_;
};

/// Streams whose items a clock makes.
class Ticks {
 public:
  explicit Ticks(net::Timers& timers) : timers_(timers) {}

  void begin(StreamWriter<std::int64_t> feed, std::int64_t count, std::int64_t every_ms,
             const std::shared_ptr<Fate>& fate) {
    const std::uint64_t number = ++begun_;
    feed.on_lost([this, number] { end(number, "cancelled"); });
    Clockwork& ticks =
        *all_.emplace(number, std::make_unique<Clockwork>(
                                  timers_, [this, number] { tick(number); }, std::move(feed), fate))
             .first->second;
    ticks.count = count;
    ticks.every = core::milliseconds(every_ms);
    ticks.timer.after(ticks.every);
  }

 private:
  struct Clockwork {
    Clockwork(net::Timers& timers, std::function<void()> fire, StreamWriter<std::int64_t> its_feed,
              std::shared_ptr<Fate> its_fate)
        : timer(timers, std::move(fire)), feed(std::move(its_feed)), fate(std::move(its_fate)) {}

    net::Timer timer;
    StreamWriter<std::int64_t> feed;
    std::shared_ptr<Fate> fate;
    std::int64_t next = 0;
    std::int64_t count = 0;
    core::milliseconds every{0};
  };

  void tick(std::uint64_t number) {
    Clockwork& ticks = *all_.at(number);
    if (ticks.next == ticks.count) return end(number, "done");
    ticks.timer.after(ticks.every);
    ticks.fate->item();
    ticks.feed.push(ticks.next++);  // the last touch: a loss it finds ends this
  }
  void end(std::uint64_t number, const char* state) {
    all_.at(number)->fate->end(state);
    all_.erase(number);
  }

  net::Timers& timers_;
  std::uint64_t begun_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Clockwork>> all_;
};

void bind_calls(rpc::Server& server) {
  server.method("echo", {"value"}, "Answers its argument.", [](wire::Value value) { return value; });
  server.method("none", "Answers nothing.", [] {});
  server.method("tuple", "Answers a tuple within a tuple.", [] { return std::tuple(1, std::tuple(2, 3)); });
  server.method("bytes", "Answers bytes that are no text.",
                [] { return wire::Bytes{std::string("\x00\xff\x80", 3)}; });
  server.method("big", {"n"}, "Answers n characters.", [](std::size_t n) { return std::string(n, 'x'); });
  server.method("bad_utf8", "Answers text that is none.", [] { return std::string("\xed\xb2\x80"); });
  server.method("too_big_int", "Answers 2^64.", [] { return wire::Integer{1} << 64; });
  server.method(
      "boom", {"name", "message"}, "Raises the error of that name.",
      [](const std::string& name, const std::string& message) { throw core::Failure(name, message); });
  server.method("typed", {"a", "b", "c", "d", "e", "f", "g", {"h", 5}},
                "Answers its arguments, each read as another type.",
                [](std::int32_t a, double b, std::string c, wire::Bytes d, std::vector<std::int64_t> e,
                   std::map<std::string, std::int64_t> f, std::optional<std::string> g,
                   std::int64_t h) { return std::tuple(a, b, c, d, e, f, g, h); });
}

void bind_streams(rpc::Server& server, Fates& fates, Ticks& ticks) {
  server.method("count", {"n"}, "Counts from 0 to n - 1.", [](std::int64_t n) {
    return Stream<std::int64_t>(
        [n, next = std::int64_t{0}]() mutable { return next < n ? std::optional(next++) : std::nullopt; });
  });
  server.method("endless", {{"tag", ""}}, "Counts without end.", [&fates](const std::string& tag) {
    auto watch = std::make_shared<CancelledAtEnd>(fates.begin(tag));
    return Stream<std::int64_t>([watch, next = std::int64_t{0}]() mutable {
      watch->fate().item();
      return std::optional(next++);
    });
  });
  server.method("fail_after", {"n"}, "Counts to n - 1 and then raises.", [](std::int64_t n) {
    return Stream<std::int64_t>([n, next = std::int64_t{0}]() mutable {
      if (next == n) throw core::Failure(core::kValueError, "no more after " + std::to_string(n));
      return std::optional(next++);
    });
  });
  server.method(
      "ticks", {"count", "every_ms", {"tag", ""}}, "Counts from 0 to count - 1, one each every_ms.",
      [&](StreamWriter<std::int64_t> feed, std::int64_t count, std::int64_t every_ms,
          const std::string& tag) { ticks.begin(std::move(feed), count, every_ms, fates.begin(tag)); });
}

void sleep_until_stopped(const std::stop_token& stop, std::chrono::duration<double> time) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, time, [] { return false; });
}

void bind_slow(rpc::Server& server, Fates& fates, Naps& naps) {
  server.method("slow_async", {"ms", {"tag", ""}}, "Answers after ms milliseconds.",
                [&](Reply<std::string> reply, std::int64_t ms, const std::string& tag) {
                  naps.begin(std::move(reply), ms, fates.begin(tag));
                });
  server.method("slow", {"seconds"}, "Blocks its thread.",
                rpc::blocking([](const std::stop_token& stop, double seconds) {
                  sleep_until_stopped(stop, std::chrono::duration<double>(seconds));
                  return std::string("slept");
                }));
  server.method("busy", {"seconds"}, "Computes all the time.", rpc::blocking([](double seconds) {
                  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
                  std::uint64_t turns = 0;
                  while (std::chrono::steady_clock::now() < end) ++turns;
                  return turns;
                }));
  server.method("abandoned", "Forgets to answer.", [](const Reply<int>&) {});
}

template <class Count, std::size_t N>
std::map<std::string, std::uint64_t> named(const std::array<std::uint64_t, N>& counters) {
  std::map<std::string, std::uint64_t> result;
  for (std::size_t i = 0; i < N; ++i) result.emplace(describe(static_cast<Count>(i)), counters[i]);
  return result;
}

void bind_watching(rpc::Server& server, const Fates& fates) {
  server.method("fate", {"tag"},
                "What became of the handler of that tag: its state, its items, its milliseconds.",
                [&fates](const std::string& tag) {
                  const auto fate = fates.find(tag);
                  return fate ? std::optional(fate->report()) : std::nullopt;
                });
  server.method("open_channels", "How many calls are open.", [&server] { return server.stats().channels; });
  server.method("faults", "How many payloads could not be read, by reason.",
                [&server] { return named<wire::Fault>(server.stats().faults); });
  server.method("drops", "How many events were dropped, by reason.",
                [&server] { return named<rpc::Drop>(server.stats().drops); });
}

}  // namespace
}  // namespace zerosuite::test

int main(int argc, char** argv) {
  using namespace zerosuite;
  return ops::run(
      {.name = "peer", .summary = "The server of the conformance tests.", .bind = "tcp://127.0.0.1:*"}, argc,
      argv, [](ops::App& app) {
        test::Fates fates(app.reactor().timers());
        test::Naps naps(app.reactor().timers());
        test::Ticks ticks(app.reactor().timers());
        test::bind_calls(app.server());
        test::bind_streams(app.server(), fates, ticks);
        test::bind_slow(app.server(), fates, naps);
        test::bind_watching(app.server(), fates);
        app.serve();
      });
}
