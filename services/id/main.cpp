#include "id/api.hpp"
#include "id/config.hpp"
#include "id/open_store.hpp"
#include "ops/run.hpp"

namespace {

using namespace zerosuite;

// What must be there before the first id; throws what stands in the way when it does not come in time.
bool await_readiness(ops::App& app, id::Issuer& issuer) {
  const auto until = core::Clock::now() + app.config().duration("start_wait_ms");
  return app.wait_until([&] {
    if (issuer.refusal()) throw core::Failure(*issuer.refusal());
    if (issuer.ready()) return true;
    if (core::Clock::now() >= until) throw core::Failure(issuer.hindrance().value());
    return false;
  });
}

void give_back(ops::App& app, id::Issuer& issuer, id::OpenStore& open) {
  const auto done = std::make_shared<bool>(false);  // the answer may come, or be given up, after this has returned
  issuer.stop([done] { *done = true; });
  const auto until = core::Clock::now() + std::chrono::seconds(2);
  app.wait_until([&] { return *done || core::Clock::now() >= until; });
  const auto error = open.close();
  if (error) app.log().write(ops::Level::kError, "not closed", {{"reason", error->message}});
}

}  // namespace

int main(int argc, char** argv) {
  return ops::run(id::program(), argc, argv, [](ops::App& app) {
    const id::Secrets secrets = id::secrets(app.config());
    const std::string admin_token = id::admin_token(app.config());
    id::OpenStore open(app);
    const id::SystemClocks clocks;
    id::Issuer issuer({app.reactor().timers(), open.store(), clocks}, id::issuer_options(app.config()),
                      [&log = app.log()](const core::Error* trouble) {
                        if (trouble == nullptr) return log.write(ops::Level::kInfo, "worker id", {});
                        log.write(ops::Level::kWarn, "worker id", {{"trouble", trouble->message}});
                      });
    issuer.start();
    if (!await_readiness(app, issuer)) return give_back(app, issuer, open);
    const id::Service service(app.server(), {issuer, open, secrets, admin_token});
    try {
      app.serve();
    } catch (...) {
      app.server().abort();  // its calls must not outlive the issuer
      give_back(app, issuer, open);
      throw;
    }
    give_back(app, issuer, open);
  });
}
