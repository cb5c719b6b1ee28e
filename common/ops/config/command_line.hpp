// The flags of a program. CLI11 is behind it; this header is all that others see.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ops/config/option.hpp"

namespace CLI {
class App;
}

namespace zerosuite::ops {

/// Every option but the secrets is a flag. Made while the fields still hold their defaults, which --help
/// shows; the options must outlive it.
class CommandLine {
 public:
  explicit CommandLine(const Options& options);
  ~CommandLine();

  /// Sets what the arguments (without the program's name) say; may be called again. Returns false when they
  /// asked for something to be printed instead of a start, which it was: --help or --version. Throws
  /// core::Failure InvalidArgument, one line.
  bool read(const std::vector<std::string>& arguments, Origins& origins);
  /// The text of --help.
  std::string help() const;

 private:
  void add(const Option& option);
  std::string describe(const Option& option) const;
  [[noreturn]] void refuse_unknown(const std::string& argument) const;
  [[noreturn]] void refuse_use(const std::string& reason) const;

  const Options& options_;
  std::unique_ptr<CLI::App> app_;
};

}  // namespace zerosuite::ops
