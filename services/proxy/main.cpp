#include <memory>

#include "ops/run.hpp"
#include "proxy/api.hpp"
#include "proxy/config.hpp"
#include "proxy/router_sink.hpp"
#include "proxy/worker_socket.hpp"

int main(int argc, char** argv) {
  using namespace zerosuite;
  return ops::run(proxy::program(), argc, argv, [](ops::App& app) {
    const ops::Config& config = app.config();

    proxy::ServiceRegistry registry;
    proxy::RouterSink front(app.transport());
    proxy::Router router(app.reactor().timers(), front, registry, proxy::router_options(config));
    proxy::WorkerSocket back(app.context(), app.reactor(), router, registry, app.log(),
                             {.socket = app.router_options(),
                              .limits = ops::limits_of(config),
                              .admission = proxy::admission_options(config),
                              .front = config.list("bind")});
    for (const std::string& endpoint : config.list("back"))
      app.log().write(ops::Level::kInfo, "waiting for workers", {{"endpoint", back.bind(endpoint)}});
    std::vector<std::unique_ptr<proxy::Upstream>> upstreams;
    for (const auto& options : proxy::upstreams(config, app.socket_options()))
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
