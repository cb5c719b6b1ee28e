#include "lock/api.hpp"
#include "lock/config.hpp"
#include "lock/engines/embedded.hpp"
#include "ops/run.hpp"

int main(int argc, char** argv) {
  using namespace zerosuite;
  return ops::run(lock::program(), argc, argv, [](ops::App& app) {
    net::Timers& timers = app.reactor().timers();
    lock::engines::Embedded engine(timers, app.offload(), lock::engine_options(app.config()));
    for (const std::string& warning : engine.warnings())
      app.log().write(ops::Level::kWarn, "data", {{"warning", warning}});
    lock::Broker broker(timers, engine, lock::limits(app.config()));
    lock::bind(app.server(), broker);
    app.on_drain([&broker] { broker.drain(lock::Audience::Stay::kLeaves); });
    app.log().write(ops::Level::kInfo, "locks",
                    {{"held", broker.holds().size()},
                     {"durability", engine.capabilities().durability},
                     {"recovering_ms", engine.recovering().count()}});
    const auto close = [&] {
      if (const auto error = engine.close())
        app.log().write(ops::Level::kError, "not closed", {{"reason", error->message}});
    };
    try {
      app.serve();
    } catch (...) {
      app.server().abort();        // its calls must not outlive the broker
      if (engine.idle()) close();  // an endpoint that is taken is no crash
      throw;
    }
    close();
  });
}
