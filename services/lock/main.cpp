#include "db/folder.hpp"
#include "lock/api/locks.hpp"
#include "lock/config.hpp"
#include "lock/engines/embedded.hpp"
#include "ops/run.hpp"

namespace {

using namespace zerosuite;

void log(ops::Log& log, const lock::engines::Notice& notice) {
  using What = lock::engines::Notice::What;
  switch (notice.what) {
    case What::kRecovered:
      return log.write(ops::Level::kInfo, "recovered");
    case What::kTrouble:
      return log.write(ops::Level::kError, "store trouble", {{"reason", notice.reason}});
    case What::kMended:
      return log.write(ops::Level::kInfo, "store mended");
  }
}

}  // namespace

int main(int argc, char** argv) {
  return ops::run<lock::Config>(lock::kProgram, argc, argv, [](ops::App& app, const lock::Config& config) {
    net::Timers& timers = app.reactor().timers();
    auto options = config.embedded();
    options.notice = [&app](const lock::engines::Notice& notice) { log(app.log(), notice); };
    lock::engines::Embedded engine(timers, app.offload(), options);
    for (const std::string& warning : engine.warnings())
      app.log().write(ops::Level::kWarn, "data", {{"warning", warning}});
    lock::Broker broker(timers, engine, config.limits);
    lock::bind(app.server(), broker);
    app.offer_health();
    const auto state = db::state_of(config.data);
    app.rest_on({.id = state.id, .where = state.where, .lock = state.lock});
    app.on_drain([&broker] { broker.drain(lock::EventBus::Stay::kLeaves); });
    app.log().write(ops::Level::kInfo, "locks",
                    {{"held", broker.leases().size()},
                     {"durability", engine.capabilities().durability},
                     {"recovering_ms", engine.recovering().count()}});
    if (const auto left = engine.recovering(); left.count() > 0)
      app.log().write(ops::Level::kWarn, "recovering", {{"granting_in_ms", left.count()}});
    const auto close = [&] {
      if (const auto error = engine.close())
        app.log().write(ops::Level::kError, "not closed", {{"reason", error->text()}});
    };
    try {
      app.serve();
    } catch (...) {
      app.server().abort();        // its calls must not outlive the broker
      if (engine.idle()) close();  // an endpoint in use is not a crash
      throw;
    }
    close();
  });
}
