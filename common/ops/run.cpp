#include "ops/run.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "core/secret.hpp"

namespace zerosuite::ops {
namespace {

/// Opens /dev/null for closed standard descriptors: otherwise a file opened later could become standard
/// error, and the log would be written into it.
void fill_standard_descriptors() {
  for (int descriptor = 0; descriptor >= 0 && descriptor <= STDERR_FILENO;) {
    descriptor = open("/dev/null", O_RDWR);
    if (descriptor > STDERR_FILENO) close(descriptor);
  }
}

/// Raises the soft limit of descriptors: each client needs one, and the default of 1024 only protects
/// programs that use select(2).
void allow_many_clients() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

void start(const Program& program, const std::vector<std::string>& arguments, const MakeConfig& make,
           const std::function<void(App&, const Config&)>& body) {
  Secrets secrets = take_secrets(program, *make());
  const std::unique_ptr<Config> config = make();
  if (read(program, *config, {arguments, environment(), std::move(secrets)}) == Command::kExit) return;
  const auto reload = [&] {
    const std::unique_ptr<Config> fresh = make();
    read(program, *fresh, {arguments, environment(), {}});
    return fresh->log_level;
  };
  allow_many_clients();
  App app(program, *config, reload);
  body(app, *config);
}

}  // namespace

int run(const Program& program, int argc, char** argv, const MakeConfig& make,
        const std::function<void(App&, const Config&)>& body) {
  try {
    fill_standard_descriptors();
    core::start_sodium();
    start(program, {argv + 1, argv + argc}, make, body);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program.executable_name().c_str(), error.what());
    return EXIT_FAILURE;
  }
}

}  // namespace zerosuite::ops
