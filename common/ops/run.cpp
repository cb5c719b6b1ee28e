#include "ops/run.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "core/secret.hpp"
#include "ops/config/help.hpp"

namespace zerosuite::ops {
namespace {

Environment environment() {
  Environment all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) all.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

/// What is opened next would otherwise become standard error, and get the log written into it.
void fill_standard_descriptors() {
  for (int descriptor = 0; descriptor >= 0 && descriptor <= STDERR_FILENO;) {
    descriptor = open("/dev/null", O_RDWR);
    if (descriptor > STDERR_FILENO) close(descriptor);
  }
}

/// Each client is a descriptor, and the usual soft limit of 1024 is there for programs that use select(2).
void allow_many_clients() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

void start(const Program& program, const std::vector<std::string>& arguments,
           const std::function<void(App&)>& body) {
  const auto secrets = std::make_shared<const GivenSecrets>(take_secrets(program));
  const std::vector<Option> options = options_of(program);
  const Settings flags = read_flags(options, arguments);
  if (flags.contains("help")) {
    std::fputs(help(program, options).c_str(), stdout);
    return;
  }
  if (flags.contains("version")) {
    std::printf("zerosuite-%s %s\n", std::string(program.name).c_str(), ZEROSUITE_VERSION);
    return;
  }
  const auto configure = [&] { return Config(program, flags, environment(), secrets); };
  Config config = configure();
  if (program.validate != nullptr) program.validate(config);
  if (config.on("check")) {
    std::puts("configuration ok");
    return;
  }
  allow_many_clients();
  App app(program, std::move(config), configure);
  body(app);
}

}  // namespace

int run(const Program& program, int argc, char** argv, const std::function<void(App&)>& body) {
  try {
    fill_standard_descriptors();
    core::start_sodium();
    start(program, {argv + 1, argv + argc}, body);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "zerosuite-%s: %s\n", std::string(program.name).c_str(), error.what());
    return EXIT_FAILURE;
  }
}

}  // namespace zerosuite::ops
