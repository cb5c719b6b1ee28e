// What a program was told, in layers: flag > environment > file > default; in the file, the program's own
// table above [suite]. Every error is a core::Failure(InvalidArgument) of one line that says where the bad
// word stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/secret.hpp"
#include "ops/config/program.hpp"

namespace zerosuite::ops {

struct Setting {
  Value value;
  std::string subject;  ///< Who said it: `--bind`, `ZEROSUITE_MATH_BIND` or `suite.toml:12: bind`.
};

using Settings = std::map<std::string, Setting, std::less<>>;
using Environment = std::map<std::string, std::string, std::less<>>;

/// By the option's name.
using GivenSecrets = std::map<std::string, core::SecretText, std::less<>>;

/// Takes what is given for the program's secret options (Scope::kSecret) out of this process' environment. It
/// is overwritten there, so that /proc/PID/environ, which a child and a curious user can read, does not show
/// it any longer. To be called before any thread is started.
GivenSecrets take_secrets(const Program& program);

/// The flags in `arguments` (without the program's name).
Settings read_flags(std::span<const Option> options, const std::vector<std::string>& arguments);

/// The ZEROSUITE_… variables but for secrets. A name that is not known and a slip away from one that is stops
/// the start too.
Settings read_environment(const Program& program, std::span<const Option> options,
                          const Environment& environment);

/// The tables [suite] and [<program>] of a TOML file; tables of the suite's other programs are passed over.
Settings read_file(const Program& program, std::span<const Option> options, const std::string& path);

/// The values after all layers. Asking for a name that is not in the table, or as another type, is a bug
/// (std::logic_error). Any thread, once made.
class Config {
 public:
  /// Reads the file when a layer above names one, and checks what spans several keys.
  Config(const Program& program, const Settings& flags, const Environment& environment,
         std::shared_ptr<const GivenSecrets> secrets = std::make_shared<GivenSecrets>());

  bool on(std::string_view name) const;
  /// Whether nobody has said anything, so that the value is the initial one.
  bool is_default(std::string_view name) const { return setting(name).subject == name; }
  std::int64_t integer(std::string_view name) const;
  std::size_t size(std::string_view name) const { return static_cast<std::size_t>(integer(name)); }
  core::milliseconds duration(std::string_view name) const { return core::milliseconds(integer(name)); }
  const std::string& text(std::string_view name) const;
  const std::vector<std::string>& list(std::string_view name) const;
  /// Of an option with Scope::kSecret; null when it was not given.
  const core::SecretText* secret(std::string_view name) const;
  /// How many rows a list of tables has; their cells are settings under their cell_name().
  std::size_t rows(const TableOption& table) const;

 private:
  const Setting& setting(std::string_view name) const;
  void check_reach(std::span<const Option> options) const;

  Settings settings_;
  std::shared_ptr<const GivenSecrets> secrets_;
};

}  // namespace zerosuite::ops
