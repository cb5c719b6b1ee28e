#include <memory>

#include "ops/run.hpp"
#include "proxy/api.hpp"
#include "proxy/back.hpp"
#include "proxy/config.hpp"
#include "proxy/transport_front.hpp"

int main(int argc, char** argv) {
  using namespace zerosuite;
  return ops::run(proxy::program(), argc, argv, [](ops::App& app) {
    const ops::Config& config = app.config();

    proxy::Directory directory;
    proxy::TransportFront front(app.transport());
    proxy::Relay relay(app.reactor().timers(), front, directory, proxy::relay_options(config));
    proxy::Back back(app.context(), app.reactor(), relay, directory, app.log(),
                     {.socket = app.router_options(),
                      .limits = ops::limits_of(config),
                      .admission = proxy::admission_options(config),
                      .front = config.list("bind")});
    for (const std::string& endpoint : config.list("back"))
      app.log().write(ops::Level::kInfo, "waiting for workers", {{"endpoint", back.bind(endpoint)}});
    std::vector<std::unique_ptr<proxy::Upstream>> upstreams;
    for (const auto& options : proxy::upstreams(config, app.socket_options()))
      upstreams.push_back(
          std::make_unique<proxy::Upstream>(app.dialing(), relay, directory, app.log(), options));

    proxy::bind(app.server(), relay, directory, app.reactor().timers());
    const rpc::OwnMethods own(app.server().methods());
    directory.add_own(own);
    app.server().describe_by(directory);
    back.start();
    app.serve(relay);
  });
}
