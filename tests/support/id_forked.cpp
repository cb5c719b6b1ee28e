// An issuer whose process forks while it holds ids that were reserved: what parent and child issue then.
//
// usage: zerosuite_id_forked FOLDER
// Writes "parent KIND ID" and "child KIND ID" to its output, or the name of the error instead of the id.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <iostream>
#include <string>

#include "id/issuer.hpp"
#include "id/snowflake/layout.hpp"
#include "id/stores/sqlite_store.hpp"
#include "net/offload_pool.hpp"
#include "net/reactor.hpp"

namespace {

using namespace zerosuite;
using core::Result;

constexpr int kEach = 5;

struct Rig {
  explicit Rig(const std::string& folder)
      : store(reactor.timers(), pool, id::stores::SqliteOptions{.folder = folder}),
        issuer({reactor.timers(), store, clocks}, options(), {}) {}

  static id::IssuerOptions options() {
    id::IssuerOptions options;
    options.layout = id::layout_of("twitter");
    options.worker.claim.owner = "forked";
    options.worker.claim.workers = options.layout.workers();
    return options;
  }

  // Until it is so, or three seconds have passed.
  void turn_until(const std::function<bool()>& done) {
    const auto until = core::Clock::now() + std::chrono::seconds(3);
    while (!done() && core::Clock::now() < until) reactor.turn(core::milliseconds(10));
  }

  net::Reactor reactor;
  net::Pool pool{reactor};
  id::SystemClocks clocks;
  id::stores::SqliteStore store;
  id::Issuer issuer;
};

std::string said(const Result<std::int64_t>& id) { return id ? std::to_string(*id) : id.error().name; }

template <class Call, class Refused>
void try_to(Call call, Refused refused) {
  try {
    call();
  } catch (const core::Failure& failure) {
    refused(failure.name());
  }
}

void issue(Rig& rig, const std::string& who) {
  const auto tell = [&](const std::string& kind, const std::string& what) {
    std::cout << who << ' ' << kind << ' ' << what << '\n';
  };
  rig.issuer.check_clock();
  for (int i = 0; i < kEach; ++i) {
    rig.issuer.snowflakes().of("default").take(1, [&](const Result<id::Snowflake::Runs>& runs) {
      tell("snowflake", runs ? std::to_string(runs->front().first) : runs.error().name);
    });
    try_to(
        [&] {
          rig.issuer.segments().next("t", [&](const Result<std::int64_t>& id) { tell("segment", said(id)); });
        },
        [&](const std::string& error) { tell("segment", error); });
    try_to(
        [&] {
          rig.issuer.sequences().next("s", [&](const Result<std::int64_t>& id) { tell("seq", said(id)); });
        },
        [&](const std::string& error) { tell("seq", error); });
    for (const auto& [name, kind] : {std::pair("uuid4", id::RandomKind::kUuid4),
                                     {"uuid6", id::RandomKind::kUuid6},
                                     {"uuid7", id::RandomKind::kUuid7},
                                     {"ulid", id::RandomKind::kUlid},
                                     {"ksuid", id::RandomKind::kKsuid},
                                     {"xid", id::RandomKind::kXid},
                                     {"objectid", id::RandomKind::kObjectId}})
      tell(name, rig.issuer.random_ids().issue(kind, 1).front());
    tell("uuid1", rig.issuer.random_ids().uuid1({}));
  }
  std::cout.flush();
}

// One of each, so that there is something reserved of all of them.
void begin(Rig& rig) {
  rig.issuer.start();
  rig.turn_until([&] { return rig.issuer.ready(); });
  int answers = 0;
  id::Tag tag;
  tag.name = "t";
  rig.issuer.segments().create(tag, [&](const Result<id::Tag>&) { ++answers; });
  rig.turn_until([&] { return answers == 1; });
  rig.issuer.segments().next("t", [&](const Result<std::int64_t>&) { ++answers; });
  rig.issuer.sequences().next("s", [&](const Result<std::int64_t>&) { ++answers; });
  rig.issuer.snowflakes().of("default").take(1, [&](const Result<id::Snowflake::Runs>&) { ++answers; });
  rig.turn_until([&] { return answers == 4; });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return EXIT_FAILURE;
  Rig rig(argv[1]);
  begin(rig);
  const pid_t child = ::fork();
  if (child == 0) {
    issue(rig, "child");
    ::_exit(EXIT_SUCCESS);  // what it shares with its parent is its parent's
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) return EXIT_FAILURE;
  issue(rig, "parent");
  return EXIT_SUCCESS;
}
