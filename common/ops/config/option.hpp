// One configuration key. Its row binds a field and gives the key's name, range and help; the field's initial
// value is the default.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/clock.hpp"
#include "core/secret.hpp"

namespace zerosuite::ops {

/// The largest count accepted: a larger limit would be no limit.
inline constexpr std::int64_t kMaxCount = 1'000'000'000;
inline constexpr std::int64_t kHourMs = 3'600'000;
inline constexpr std::int64_t kDayMs = 24 * kHourMs;

enum class Scope : std::uint8_t {
  kShared,   ///< A key of the table [suite]; the program's own table may override it.
  kOwn,      ///< A key of the program's own table.
  kCommand,  ///< A flag for a single start; never a key of the file.
  kSecret,   ///< In the environment only: files get passed around, and ps(1) shows flags.
};

/// The range of a number. Without `most`, the maximum is kMaxCount for a count and a day for a duration.
struct Range {
  std::int64_t least = 0;
  std::int64_t most = 0;
};

/// One of several words, each for a value.
struct Choice {
  std::vector<std::string> words;
  std::function<std::size_t()> get;      ///< Returns the index of the current value's word.
  std::function<void(std::size_t)> set;  ///< Sets the value of the word with that index.
};

/// The field that a value is stored in. An optional field is emptied by a special word, such as "none".
using Binding = std::variant<bool*, int*, std::uint32_t*, std::int64_t*, std::size_t*, core::milliseconds*,
                             core::Clock::duration*, std::string*, std::vector<std::string>*,
                             std::optional<std::int64_t>*, std::optional<std::string>*,
                             std::optional<core::SecretText>*, Choice>;

/// One row. The setters return the row, so that they can be chained.
class Option {
 public:
  Option(std::string name, Scope scope, Binding binding, std::string help);

  Option& range(Range allowed);
  /// The placeholder for the value in --help: "FILE".
  Option& argument(std::string argument);
  /// The word for an empty optional field: "none".
  Option& empty_word(std::string word);
  /// A text, or each text of a list, must pass the test; `expected` describes what passes.
  Option& test(bool (*passes_test)(std::string_view text), std::string expected);
  /// A list must not be empty.
  Option& not_empty();
  /// It lists endpoints that the program binds: they must be local, or allowed by `insecure`.
  Option& listening();

  const std::string& name() const { return name_; }
  Scope scope() const { return scope_; }
  const std::string& help() const { return help_; }
  const std::string& argument() const { return argument_; }
  /// "ms" or "bytes", from the key's name; empty = a plain count, or not a number.
  std::string_view unit() const;
  /// `--log-level`
  std::string flag() const;
  bool is_switch() const { return std::holds_alternative<bool*>(binding_); }
  bool is_list() const { return std::holds_alternative<std::vector<std::string>*>(binding_); }
  bool is_number() const;
  bool is_duration() const;
  bool listens() const { return listens_; }
  /// The field's value, for a list.
  const std::vector<std::string>& list() const { return *std::get<std::vector<std::string>*>(binding_); }
  /// Whether it takes a number or the empty word.
  bool is_optional_number() const { return std::holds_alternative<std::optional<std::int64_t>*>(binding_); }

  /// What a valid value looks like, to follow the word "expected".
  std::string expectation() const;
  /// Sets the field; returns false, changing nothing, when `words` is not a valid value. A list takes any
  /// number of words, each possibly of several parts separated by commas or blanks; other fields take exactly
  /// one word.
  bool set(const std::vector<std::string>& words) const;
  void set_secret(core::SecretText secret) const;
  /// The field's value in the notation of the file; for a secret "".
  std::string to_toml() const;

 private:
  bool set_number(const std::string& word) const;
  bool set_list(const std::vector<std::string>& words) const;
  bool passes(std::string_view text) const { return !text.empty() && (test_ == nullptr || test_(text)); }

  std::string name_;
  Scope scope_;
  Binding binding_;
  std::string help_;
  std::string argument_;
  std::string empty_word_;
  Range range_;
  bool (*test_)(std::string_view) = nullptr;
  std::string expected_;
  bool may_be_empty_ = true;
  bool listens_ = false;
};

/// Throws core::Failure InvalidArgument: `<origin> is <shown>; expected …`.
[[noreturn]] void refuse_value(const Option& option, const std::string& shown, const std::string& origin);

}  // namespace zerosuite::ops
