// Lists of tables in the file, by the proxy's [[proxy.upstream]].
#include <doctest/doctest.h>

#include "core/error.hpp"
#include "proxy/config.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::ops::rows_test {

using test::TemporaryFile;

using List = std::vector<std::string>;

const std::string kServiceName =
    "expected a service's name: letters, digits, - and _, the first no _, and not proxy";

std::unique_ptr<proxy::Config> told_by(const std::string& path) {
  auto config = std::make_unique<proxy::Config>();
  const Command command = read(proxy::kProgram, *config, {{"--config", path}});
  REQUIRE(command == Command::kServe);
  return config;
}

// The upstreams of a file, "name endpoint weight max_inflight" each.
List upstreams_in(const std::string& text) {
  const TemporaryFile file(text);
  List lines;
  for (const auto& upstream : told_by(file.path())->upstreams({}))
    lines.push_back(upstream.service + " " + upstream.endpoint + " " + std::to_string(upstream.weight) + " " +
                    std::to_string(upstream.max_inflight));
  return lines;
}

std::string complaint_about(const std::string& text) {
  const TemporaryFile file(text);
  try {
    told_by(file.path());
  } catch (const core::Failure& failure) {
    CHECK(failure.name() == core::kInvalidArgument.name);
    const std::string line = failure.what();
    return line.starts_with(file.path()) ? line.substr(file.path().size()) : line;
  }
  return "no complaint";
}

TEST_CASE("every row of a list of tables is read, and what it leaves out is as usual") {
  CHECK(upstreams_in("[proxy]\nqueue_calls = 5\n"
                     "[[proxy.upstream]]\nname = \"legacy\"\nendpoint = \"tcp://10.0.0.1:4000\"\n"
                     "[[proxy.upstream]]\nname = \"other\"\nendpoint = [\"ipc:///run/a\", \"ipc:///run/b\"]\n"
                     "weight = 5\nmax_inflight = 1\n") ==
        List{"legacy tcp://10.0.0.1:4000 100 65536", "other ipc:///run/a 5 1", "other ipc:///run/b 5 1"});
  CHECK(upstreams_in("[proxy]\nupstream = [{name = \"x\", endpoint = \"ipc:///x\"}]\n") ==
        List{"x ipc:///x 100 65536"});
}

TEST_CASE("without a list of tables there are no rows") {
  CHECK(upstreams_in("[proxy]\n").empty());
  CHECK(upstreams_in("").empty());
}

TEST_CASE("an unknown column is named with file, line, table and the nearest one") {
  CHECK(complaint_about("[[proxy.upstream]]\nname = \"a\"\nendpont = \"ipc:///a\"\n") ==
        ":3: unknown key \"endpont\" in [proxy.upstream]; did you mean \"endpoint\"?");
  CHECK(complaint_about("[[proxy.upstream]]\nbind = \"ipc:///a\"\n")
            .starts_with(":2: unknown key \"bind\" in [proxy.upstream]"));
}

TEST_CASE("a list of tables whose name is mistaken is named with the nearest one") {
  CHECK(complaint_about("[[proxy.upstrem]]\nname = \"a\"\n") ==
        ":1: unknown key \"upstrem\" in [proxy]; did you mean \"upstream\"?");
  CHECK(complaint_about("[[suite.upstream]]\nname = \"a\"\n")
            .starts_with(":1: unknown key \"upstream\" in [suite]"));
}

TEST_CASE("a row without a column that it needs is named with the line it begins at") {
  CHECK(complaint_about("\n[[proxy.upstream]]\nname = \"a\"\n") == ":2: [[proxy.upstream]] has no endpoint");
  CHECK(complaint_about("[[proxy.upstream]]\nendpoint = \"ipc:///a\"\n") ==
        ":1: [[proxy.upstream]] has no name");
  CHECK(complaint_about("[[proxy.upstream]]\nname = \"a\"\nendpoint = \"ipc:///a\"\n[[proxy.upstream]]\n")
            .starts_with(":4: [[proxy.upstream]] has no "));
}

TEST_CASE("what is no list of tables is told how to be one") {
  const std::string advice = "upstream is not a list of tables; write [[proxy.upstream]]";
  CHECK(complaint_about("[proxy.upstream]\nname = \"a\"\n") == ":1: " + advice);
  CHECK(complaint_about("[proxy]\nupstream = \"ipc:///a\"\n") == ":2: " + advice);
  CHECK(complaint_about("[proxy]\nupstream = [\"ipc:///a\"]\n") == ":2: " + advice);
  CHECK(complaint_about("[proxy]\nupstream = [{name = \"a\", endpoint = \"ipc:///a\"}, 5]\n") ==
        ":2: " + advice);
}

TEST_CASE("a bad cell is named with what was expected") {
  const std::string row = "[[proxy.upstream]]\nname = \"a\"\nendpoint = \"ipc:///a\"\n";
  CHECK(complaint_about(row + "weight = 0\n") ==
        ":4: weight is 0; expected a whole number from 1 to 1000000000");
  CHECK(complaint_about(row + "max_inflight = \"5\"\n")
            .starts_with(":4: max_inflight is \"5\"; expected a whole"));
  CHECK(complaint_about("[[proxy.upstream]]\nname = \"\"\nendpoint = \"ipc:///a\"\n") ==
        ":2: name is \"\"; " + kServiceName);
  CHECK(complaint_about("[[proxy.upstream]]\nname = \"a\"\nendpoint = \"4301\"\n")
            .starts_with(":3: endpoint is [\"4301\"]; expected endpoints such as"));
  CHECK(complaint_about("[[proxy.upstream]]\nname = \"a\"\nendpoint = []\n")
            .starts_with(":3: endpoint is []; expected endpoints such as"));
}

TEST_CASE("an upstream answers for a service that may be called so") {
  for (const std::string name : {"proxy", "a.b", "_a"}) {
    CHECK(complaint_about("[[proxy.upstream]]\nname = \"" + name + "\"\nendpoint = \"ipc:///a\"\n") ==
          ":2: name is \"" + name + "\"; " + kServiceName);
  }
}

TEST_CASE(
    "a door for workers that other machines can reach needs to be allowed; an upstream elsewhere does not") {
  CHECK(complaint_about("[proxy]\nback = \"tcp://*:4244\"\n")
            .starts_with(":2: back tcp://*:4244 can be reached from other machines"));
  CHECK(complaint_about("[proxy]\nback = \"tcp://*:4244\"\ninsecure = true\n") == "no complaint");
  CHECK(complaint_about("[proxy]\nback = [\"tcp://127.0.0.1:1\", \"tcp://0.0.0.0:4244\"]\n")
            .starts_with(":2: back tcp://0.0.0.0:4244 can be"));
  CHECK(complaint_about("[[proxy.upstream]]\nname = \"a\"\nendpoint = \"tcp://10.0.0.1:4000\"\n") ==
        "no complaint");
}

TEST_CASE("an endpoint stands once for each service") {
  const TemporaryFile file(
      "[[proxy.upstream]]\nname = \"a\"\nendpoint = [\"tcp://h:1\", \"tcp://h:2\"]\n"
      "[[proxy.upstream]]\nname = \"b\"\nendpoint = \"tcp://h:1\"\n"
      "[[proxy.upstream]]\nname = \"a\"\nendpoint = \"tcp://h:2\"\n");
  CHECK_THROWS_WITH(told_by(file.path()), "[[proxy.upstream]] a has tcp://h:2 twice");
}

TEST_CASE("the proxy's options reach its parts") {
  const TemporaryFile file(
      "[proxy]\nqueue_calls = 5\nqueue_bytes = 2000\nqueue_ms = 6\nno_worker_ms = 7\n"
      "settle_ms = 8\nslow_start_ms = 9\neject_after = 10\nchannel_idle_ms = 11\n"
      "channel_age_ms = 12\nmax_channels = 13\nmax_channels_per_peer = 14\n"
      "heartbeat_ms = 150\nmax_frame_bytes = 1600\nretry_bytes = 15\n");
  const proxy::RouterOptions options = told_by(file.path())->router_options();
  CHECK(options.dispatch.queue_calls == 5);
  CHECK(options.dispatch.queue_bytes == 2000);
  CHECK(options.dispatch.retry_bytes == 15);
  CHECK(options.dispatch.queue_for.count() == 6);
  CHECK(options.dispatch.no_worker_for.count() == 7);
  CHECK(options.settle.count() == 8);
  CHECK(options.dispatch.balance.slow_start.count() == 9);
  CHECK(options.dispatch.balance.eject_after == 10);
  CHECK(options.dispatch.channel_idle.count() == 11);
  CHECK(options.dispatch.channel_age.count() == 12);
  CHECK(options.max_channels == 13);
  CHECK(options.max_channels_per_peer == 14);
  CHECK(options.dispatch.heartbeat.count() == 150);
  CHECK(options.dispatch.limits.max_frame_bytes == 1600);
}

}  // namespace zerosuite::ops::rows_test
