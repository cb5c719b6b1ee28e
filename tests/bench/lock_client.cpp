// Load for the lock broker over zerosuite's own client, one connection.
// `--clients N` keeps N owners going, each acquiring and releasing a lock of its own: pairs. `--waiters N`
// lets N + 1 owners contend for one lock: hand-overs. `--hold N` acquires N locks and keeps them; `--wait N`
// opens N waits on a lock that is held; both then time an unrelated try_acquire and print what they saw.
#include <future>
#include <optional>
#include <utility>

#include "measure.hpp"
#include "rpc/client/client.hpp"
#include "wire/value.hpp"

namespace zerosuite::bench {

/// The part of a grant that a client needs.
struct Grant {
  bool ok = false;
  std::int64_t token = 0;

  void require() const {
    if (!ok) throw std::runtime_error("the lock was not granted");
  }
};

}  // namespace zerosuite::bench

namespace zerosuite::wire {

template <>
struct Foreign<bench::Grant> {
  static bench::Grant read(Reader& in) {
    bench::Grant grant;
    const auto fields = in.map();
    if (!fields) throw_kind_mismatch("dict", in.peek());
    for (std::uint32_t i = 0; i < *fields; ++i) {
      const std::string_view key = read_text(in);
      if (key == "ok") {
        grant.ok = wire::read<bool>(in);
      } else if (key == "token") {
        grant.token = wire::read<std::int64_t>(in);
      } else {
        in.skip(kChecked);
      }
    }
    return grant;
  }
};

}  // namespace zerosuite::wire

namespace {

using namespace zerosuite;
using bench::Grant;

/// Owners that acquire and release one after the other, by callbacks. A pair's latency is its acquire's.
class Pairs {
 public:
  Pairs(rpc::Client& client, bench::Run& run) : client_(client), run_(run) {}

  void play(std::size_t owners) {
    open_ = owners;
    for (std::size_t i = 0; i < owners; ++i) acquire("owner-" + std::to_string(i));
    closed_.get_future().wait();
  }

 private:
  void acquire(const std::string& owner) {
    client_.start<Grant>(
        "acquire",
        [this, owner, started = bench::Clock::now()](rpc::Outcome<Grant> outcome) {
          const auto granted = bench::Clock::now();
          release(owner, outcome.value(), started, granted);
        },
        "lock of " + owner, owner, 30'000);
  }

  void release(const std::string& owner, const Grant& grant, bench::TimePoint started,
               bench::TimePoint granted) {
    grant.require();
    client_.start<wire::Value>(
        "release",
        [this, owner, started, granted](rpc::Outcome<wire::Value> outcome) {
          outcome.value();
          run_.answered(started, granted);
          if (!run_.over()) return acquire(owner);
          if (--open_ == 0) closed_.set_value();
        },
        "lock of " + owner, owner, grant.token);
  }

  rpc::Client& client_;
  bench::Run& run_;
  std::size_t open_ = 0;
  std::promise<void> closed_;
};

/// Owners that contend for one lock; whoever has it releases it once all the others wait. The latency is that
/// from one's release to the next one's grant.
class HandOver {
 public:
  HandOver(rpc::Client& client, bench::Run& run) : client_(client), run_(run) {}

  void play(std::size_t owners) {
    open_ = waiting_ = owners;
    for (std::size_t i = 0; i < owners; ++i) acquire("owner-" + std::to_string(i));
    closed_.get_future().wait();
  }

 private:
  struct Hold {
    std::string owner;
    std::int64_t token;
  };

  void acquire(const std::string& owner) {
    client_.start<Grant>(
        {"acquire", {.timeout = core::milliseconds(0), .stop = {}}},
        [this, owner](rpc::Outcome<Grant> outcome) {
          const auto granted = bench::Clock::now();
          const Grant grant = outcome.value();
          grant.require();
          if (released_ != bench::TimePoint()) run_.answered(released_, granted);
          --waiting_;
          hold_ = Hold{owner, grant.token};
          pass_on();
        },
        "contended", owner, 30'000, 60'000);
  }

  // The others' calls went out on the same connection, so they are in line when this release is read.
  void pass_on() {
    if (!hold_ || (waiting_ + 1 < open_ && !run_.over())) return;
    const Hold hold = *std::exchange(hold_, std::nullopt);
    released_ = bench::Clock::now();
    client_.start<wire::Value>(
        "release",
        [this, owner = hold.owner](rpc::Outcome<wire::Value> outcome) {
          outcome.value();
          again(owner);
        },
        "contended", hold.owner, hold.token);
  }

  void again(const std::string& owner) {
    if (!run_.over()) {
      ++waiting_;
      acquire(owner);
    } else if (--open_ == 0) {
      closed_.set_value();
    }
    pass_on();
  }

  rpc::Client& client_;
  bench::Run& run_;
  std::optional<Hold> hold_;
  bench::TimePoint released_{};
  std::size_t open_ = 0;
  std::size_t waiting_ = 0;
  std::promise<void> closed_;
};

/// Times try_acquire and release of a lock nobody else wants, one at a time.
void bystander(rpc::Client& client, bench::Run& run) {
  while (!run.over()) {
    const auto started = bench::Clock::now();
    const auto grant = client.call<Grant>("try_acquire", "unrelated", "bystander", 30'000);
    run.answered(started, bench::Clock::now());
    grant.require();
    client.call<wire::Value>("release", "unrelated", "bystander", grant.token);
  }
}

std::vector<std::future<Grant>> open_waits(rpc::Client& client, std::size_t count) {
  if (count > 0) client.call<Grant>("acquire", "busy", "holder", 600'000).require();
  std::vector<std::future<Grant>> waits;
  for (std::size_t i = 0; i < count; ++i)
    waits.push_back(client.async<Grant>({"acquire", {.timeout = core::milliseconds(0), .stop = {}}}, "busy",
                                        "waiter-" + std::to_string(i), 30'000, 600'000));
  return waits;
}

void hold(rpc::Client& client, std::size_t count) {
  std::vector<std::future<Grant>> grants;
  for (std::size_t i = 0; i < count; ++i) {
    grants.push_back(client.async<Grant>("acquire", "held-" + std::to_string(i), "holder", 600'000));
    if (grants.size() < 1000 && i + 1 < count) continue;
    for (auto& grant : grants) grant.get().require();
    grants.clear();
  }
}

void drive(const bench::Flags& flags) {
  rpc::Client client(flags.text("--endpoint"));
  if (const std::size_t count = flags.count("--hold", 0); count > 0) hold(client, count);
  const auto waits = open_waits(client, flags.count("--wait", 0));
  bench::Run run(flags);
  if (const std::size_t waiters = flags.count("--waiters", 0); waiters > 0) {
    HandOver(client, run).play(waiters + 1);
  } else if (const std::size_t clients = flags.count("--clients", 0); clients > 0) {
    Pairs(client, run).play(clients);
  } else {
    bystander(client, run);
  }
  run.report();
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, drive); }
