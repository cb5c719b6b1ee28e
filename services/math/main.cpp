#include "math/api.hpp"
#include "ops/run.hpp"

int main(int argc, char** argv) {
  return zerosuite::ops::run(
      {.name = "math", .summary = "Arithmetic over zerorpc.", .bind = "tcp://127.0.0.1:4301"}, argc, argv,
      [](zerosuite::ops::App& app) {
        zerosuite::math::bind(app.server());
        app.serve();
      });
}
