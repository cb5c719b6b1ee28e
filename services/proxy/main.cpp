#include <memory>

#include "ops/run.hpp"
#include "proxy/api.hpp"
#include "proxy/config.hpp"
#include "proxy/router.hpp"
#include "proxy/worker_socket.hpp"

int main(int argc, char** argv) {
  using namespace zerosuite;
  return ops::run<proxy::Config>(proxy::kProgram, argc, argv, [](ops::App& app, const proxy::Config& config) {
    proxy::ServiceRegistry registry;
    proxy::RouterSink front(app.transport());
    proxy::Router router(app.reactor().timers(), front, registry, config.router_options());
    proxy::WorkerSocket back(app.context(), app.reactor(), router, registry, app.log(),
                             {.socket = app.router_options(),
                              .limits = config.server.limits,
                              .admission = config.admission,
                              .front = config.bind});
    for (const std::string& endpoint : config.back)
      app.log().write(ops::Level::kInfo, "waiting for workers", {{"endpoint", back.bind(endpoint)}});
    std::vector<std::unique_ptr<proxy::Upstream>> upstreams;
    for (const auto& options : config.upstreams(app.socket_options()))
      upstreams.push_back(
          std::make_unique<proxy::Upstream>(app.dialing(), router, registry, app.log(), options));

    proxy::bind(app.server(), router, registry, app.reactor().timers());
    const rpc::OwnMethods own(app.server().methods());
    registry.add_own(own);
    app.server().describe_by(registry);
    back.start();
    app.serve(router);
  });
}
