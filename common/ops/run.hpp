// What every main() does: `return ops::run({.name = "math", …}, argc, argv, [](ops::App& app) { …;
// app.serve(); });`
#pragma once

#include <functional>

#include "ops/app.hpp"
#include "ops/config/program.hpp"

namespace zerosuite::ops {

/// Reads flags, environment and file, answers --help, --version and --check, and otherwise calls `body` with
/// an App. Answers the exit status: 0 after an orderly stop, 1 when the program could not start or `body`
/// threw; then one line on stderr says why. To be called before any thread is started.
int run(const Program& program, int argc, char** argv, const std::function<void(App&)>& body);

}  // namespace zerosuite::ops
