// The flags of a program. Hides CLI11.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ops/config/option_table.hpp"

namespace zerosuite::ops {

/// Every option but the secrets is a flag. To be created while the fields still hold their defaults, which
/// --help shows; the options must outlive it.
class CommandLine {
 public:
  explicit CommandLine(const OptionTable& options);
  ~CommandLine();

  /// Sets the options from the arguments (without the program's name); may be called again. Returns false
  /// when it has printed --help or --version instead. Throws core::Failure InvalidArgument, one line.
  bool read(const std::vector<std::string>& arguments, Origins& origins);
  /// The text of --help.
  std::string help() const;

 private:
  struct Parser;

  void add(const Option& option);
  std::string describe(const Option& option) const;
  [[noreturn]] void refuse_unknown(const std::string& argument) const;
  [[noreturn]] void refuse_use(const std::string& reason) const;

  const OptionTable& options_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace zerosuite::ops
