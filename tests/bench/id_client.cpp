// Load for the id issuer over zerosuite's own client, one connection.
// `--method NAME` is called with `--window N` calls open at a time; `--n N` asks for so many ids in each,
// `--layout NAME` of another layout; `--every_ms N` starts a call only so long after the one before. Whatever
// is answered must be greater than all before it.
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "measure.hpp"
#include "rpc/client/client.hpp"
#include "wire/value.hpp"

namespace {

using namespace zerosuite;
using Integers = std::vector<std::int64_t>;
/// [lo, hi), or the first of a run and its length.
using Interval = std::pair<std::int64_t, std::int64_t>;

std::int64_t ids_in(std::int64_t) { return 1; }
std::int64_t ids_in(const std::string&) { return 1; }
std::int64_t ids_in(const Interval& range) { return range.second - range.first; }
std::int64_t ids_in(const std::vector<Interval>& runs) {
  std::int64_t ids = 0;
  for (const auto& [first, count] : runs) ids += count;
  return ids;
}
template <class T>
std::int64_t ids_in(const std::vector<T>& list) {
  return static_cast<std::int64_t>(list.size());
}

/// One method whose answers are R, called again and again; lives on the thread that runs the callbacks once
/// it has begun.
template <class R>
class Load {
 public:
  Load(rpc::Client& client, const bench::Flags& flags)
      : client_(client),
        method_(flags.text("--method")),
        ids_(static_cast<std::int64_t>(flags.count("--n", 1))),
        window_(flags.count("--window", 1)),
        every_(flags.count("--every_ms", 0)),
        run_(flags) {}

  /// Calls the method with `args`, prints what came of it.
  template <class... A>
  void play(const A&... args) {
    window_ > 1 ? side_by_side(args...) : one_by_one(args...);
    run_.report();
  }

 private:
  template <class... A>
  void one_by_one(const A&... args) {
    while (!run_.over()) {
      const auto started = bench::Clock::now();
      R answer = client_.call<R>(method_, args...);
      run_.answered(started, bench::Clock::now());
      check(std::move(answer));
      std::this_thread::sleep_until(started + every_);
    }
  }

  template <class... A>
  void side_by_side(const A&... args) {
    open_ = window_;
    for (std::size_t i = 0; i < window_; ++i) next(args...);
    closed_.get_future().wait();
  }

  template <class... A>
  void next(const A&... args) {
    client_.start<R>(
        method_,
        [=, this, started = bench::Clock::now()](rpc::Outcome<R> outcome) {
          run_.answered(started, bench::Clock::now());
          check(std::move(outcome.value()));
          if (!run_.over()) {
            next(args...);
          } else if (--open_ == 0) {
            closed_.set_value();
          }
        },
        args...);
  }

  void check(R answer) {
    if (last_ && !(*last_ < answer)) throw std::runtime_error(method_ + " does not rise");
    if (ids_in(answer) != ids_) throw std::runtime_error(method_ + " gave another number of ids");
    last_ = std::move(answer);
  }

  rpc::Client& client_;
  const std::string method_;
  const std::int64_t ids_;
  const std::size_t window_;
  const std::chrono::milliseconds every_;
  bench::Run run_;
  std::optional<R> last_;
  std::size_t open_ = 0;
  std::promise<void> closed_;
};

void make_tag(rpc::Client& client, const std::string& tag) {
  try {
    client.call<wire::Value>("tag_create", tag);
  } catch (const rpc::RemoteError& error) {
    if (error.name() != core::kTagExists.name) throw;
  }
}

void drive_many(rpc::Client& client, const bench::Flags& flags, std::size_t n) {
  const std::string method = flags.text("--method"), name = "bench of " + method;
  const std::string layout = flags.text("--layout", "default");
  if (method == "snowflake_batch") return Load<Integers>(client, flags).play(n, layout);
  if (method == "snowflake_runs") return Load<std::vector<Interval>>(client, flags).play(n, layout);
  if (method == "segment_batch") return Load<Integers>(client, flags).play(name, n);
  if (method == "seq_batch") return Load<Interval>(client, flags).play(name, n);
  Load<std::vector<std::string>>(client, flags).play(n);
}

void drive(const bench::Flags& flags) {
  rpc::Client client(flags.text("--endpoint"));
  const std::string method = flags.text("--method"), name = "bench of " + method;
  if (method.starts_with("segment")) make_tag(client, name);
  const std::size_t n = flags.count("--n", 1);
  if (n > 1) return drive_many(client, flags, n);
  if (method == "snowflake") return Load<std::int64_t>(client, flags).play();
  if (method == "uuid7") return Load<std::string>(client, flags).play();
  Load<std::int64_t>(client, flags).play(name);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, drive); }
