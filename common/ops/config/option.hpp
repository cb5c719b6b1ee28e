// The one table of everything a server program can be told. Flags, environment, file, --help and the checks
// are all made from it, and a test holds suite.toml against it, so that none of them can drift.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/clock.hpp"

namespace zerosuite::ops {

using Value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

struct Program;

/// The largest count that is taken: beyond it a limit is no limit.
inline constexpr std::int64_t kMany = 1'000'000'000;

enum class Type { kSwitch, kInteger, kText, kService, kChoice, kTexts, kEndpoints, kProxies };

enum class Scope {
  kShared,   ///< In the table [suite]; a program's own table may override it.
  kOwn,      ///< Only in the program's own table.
  kCommand,  ///< Never in a file: it speaks about this one start.
  kSecret,   ///< Only in the environment: neither in a file that is shown around nor a flag that ps(1) shows.
};

struct Option {
  std::string_view name;  ///< As in the file; ZEROSUITE_… in upper case for the environment.
  Type type = Type::kText;
  Scope scope = Scope::kShared;
  Value initial = {};              ///< The value when nobody says anything.
  std::string_view argument = {};  ///< The flag's value in --help; empty = no flag, or one without value.
  std::string_view unit = {};      ///< "ms", "bytes"; empty = a plain count.
  std::int64_t least = 0;          ///< Integers only.
  std::int64_t most = 0;           ///< Integers only.
  std::span<const std::string_view> choices = {};  ///< Choices only: at least two words.
  std::string_view help = {};

  bool is_flag() const { return scope == Scope::kCommand || !argument.empty(); }
  std::string flag() const;
};

/// A key of the program's own table that counts something, or is a duration in milliseconds.
Option own_count(std::string_view name, std::size_t initial, std::int64_t least, std::string_view help);
Option own_time(std::string_view name, core::milliseconds initial, std::int64_t least, std::string_view help);

/// A list of tables in the program's own table: `[[proxy.upstream]]`.
struct TableOption {
  std::string_view name;
  std::span<const Option> columns;
};

/// What the cell of a row is called among the settings: "upstream[0].endpoint".
std::string cell_name(std::string_view table, std::size_t row, std::string_view column);

/// All options of `program`, in the order --help prints them. The views in it live as long as the program's.
std::vector<Option> options_of(const Program& program);

/// What the environment variables of one program begin with: `ZEROSUITE_MATH_`.
std::string environment_prefix(std::string_view program);

/// The environment variables that set `option`, strongest first; empty for switches of one start.
std::vector<std::string> environment_names(const Program& program, const Option& option);

/// What a good value looks like, after the word "expected".
std::string expectation(const Option& option);

/// `text` from a flag or the environment as a value of the option's type (a list may be separated by commas
/// or blanks). Throws core::Failure(InvalidArgument) that begins with `subject` and names what was expected.
Value parse(const Option& option, std::string_view text, const std::string& subject);

/// Answers `value` when it is one the option may have. Throws as parse().
Value checked(const Option& option, Value value, const std::string& subject);

/// Whether somebody must say something: the initial value is not one the option may have.
bool is_required(const Option& option);

/// Throws the Failure of parse() and checked(): `<subject> is <shown>; expected …`.
[[noreturn]] void refuse_value(const Option& option, const std::string& shown, const std::string& subject);

/// `value` in the notation of the file.
std::string to_toml(const Value& value);

}  // namespace zerosuite::ops
