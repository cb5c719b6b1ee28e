#include <cstdlib>
#include <memory>

#include "db/folder.hpp"
#include "id/api/service.hpp"
#include "id/config.hpp"
#include "id/store_stack.hpp"
#include "ops/run.hpp"

namespace {

using namespace zerosuite;

constexpr std::chrono::seconds kGiveBack{5};

// The error's name is in the one line that is printed, too, since scripts look for it.
[[noreturn]] void refuse(const core::Error& error) {
  throw core::Failure(error.name, error.name + ": " + error.text());
}

// A store that has forgotten ids is the reason for everything that follows from it.
const core::Error& not_ready_reason(const id::Issuer& issuer, id::StoreStack& stack) {
  const auto& regressed = stack.store().regressed();
  return regressed ? *regressed : issuer.not_ready_reason();
}

// Waits until the issuer is ready. Throws the reason if it is not ready in time.
bool await_readiness(ops::App& app, id::Issuer& issuer, id::StoreStack& stack, core::milliseconds wait) {
  const auto until = core::Clock::now() + wait;
  return app.wait_until([&] {
    if (issuer.refusal()) refuse(*issuer.refusal());
    if (issuer.ready()) return true;
    if (core::Clock::now() >= until) refuse(not_ready_reason(issuer, stack));
    return false;
  });
}

// Names the state that ids depend on: the folder of a single issuer, or a prefix in Redis, which all its
// issuers share.
void rest_on_store(ops::App& app, const id::Config& config, id::StoreStack& open) {
  if (open.store().traits().shared)
    return app.rest_on({.id = open.store().id(),
                        .where = "redis " + config.redis + " " + config.redis_prefix,
                        .shared = true});
  const auto state = db::state_of(config.data);
  app.rest_on({.id = state.id, .where = state.where, .lock = state.lock});
}

void give_back(ops::App& app, id::Issuer& issuer, id::StoreStack& open) {
  const auto done = std::make_shared<bool>(false);  // the callback may run, or be destroyed, later
  open.store().gather();
  issuer.stop([done] { *done = true; });
  const auto until = core::Clock::now() + kGiveBack;
  const auto late = [until] { return core::Clock::now() >= until; };
  app.wait_until([&] {
    open.store().flush();
    return (*done && open.idle()) || late();
  });
  // A second signal ends that early, but not a commit in progress.
  while (!open.idle() && !late()) app.wait_until([&] { return open.idle() || late(); });
  if (!open.idle()) {  // as App::serve() does: a thread still uses the store, so it must not be destroyed
    app.log().write(ops::Level::kError, "not closed", {{"reason", "a write to the disk does not end"}});
    std::_Exit(EXIT_FAILURE);
  }
  const auto error = open.close();
  if (error) app.log().write(ops::Level::kError, "not closed", {{"reason", error->text()}});
}

}  // namespace

int main(int argc, char** argv) {
  return ops::run<id::Config>(id::kProgram, argc, argv, [](ops::App& app, const id::Config& config) {
    const id::Secrets secrets = config.secrets();
    const core::SecretText admin_token = config.admin_token();
    id::StoreStack open(app, config);
    const id::SystemClocks clocks;
    id::Issuer issuer(
        {app.reactor().timers(), open.store(), clocks}, config.issuer_options(),
        [&log = app.log()](const core::Result<id::Lease>& lease) {
          if (!lease) return log.write(ops::Level::kWarn, "no worker id", {{"reason", lease.error().text()}});
          log.write(ops::Level::kInfo, "worker id", {{"worker", lease->worker}, {"epoch", lease->epoch}});
        });
    issuer.start();
    if (!await_readiness(app, issuer, open, config.start_wait)) return give_back(app, issuer, open);
    rest_on_store(app, config, open);
    const id::Service service(app.server(), {issuer, open, secrets, admin_token,
                                             [&app] { return app.health_problems(); }, config.limits});
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
