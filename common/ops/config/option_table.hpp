// The table of all configuration keys of a program. Flags, environment, file, --help and --print-config are
// all derived from its rows, and a test compares suite.toml with them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/secret.hpp"
#include "ops/config/option.hpp"
#include "ops/config/program.hpp"
#include "ops/config/text.hpp"

namespace zerosuite::ops {

/// The origin of each option's value, by the option's name: `--bind`, `ZEROSUITE_MATH_BIND` or
/// `suite.toml:12: bind`. Options with their default are not included.
using Origins = std::map<std::string, std::string, std::less<>>;

class OptionTable;

/// A list of tables in the program's own table, such as [[proxy.upstream]].
struct OptionRows {
  std::string name;
  std::vector<std::string> required;  ///< Columns that every row must have.
  /// Appends a row, and calls `fill` with the table of its columns.
  std::function<void(const std::function<void(const OptionTable&)>& fill)> append;
  /// Calls `visit` with the table of each row's columns.
  std::function<void(const std::function<void(const OptionTable&)>& visit)> for_each;
};

/// All rows of a program, in the order in which --help prints them. The fields must outlive it.
class OptionTable {
 public:
  explicit OptionTable(const Program& program) : program_(program) {}
  OptionTable(const OptionTable&) = delete;
  OptionTable& operator=(const OptionTable&) = delete;

  template <class T>
  Option& add(std::string name, T& field, std::string help) {
    return all_.emplace_back(std::move(name), Scope::kOwn, Binding(&field), std::move(help));
  }
  template <class T>
  Option& add_shared(std::string name, T& field, std::string help) {
    return all_.emplace_back(std::move(name), Scope::kShared, Binding(&field), std::move(help));
  }
  /// Adds a number with a range.
  template <class T>
  Option& add(std::string name, T& field, Range allowed, std::string help) {
    return add(std::move(name), field, std::move(help)).range(allowed);
  }
  template <class T>
  Option& add_shared(std::string name, T& field, Range allowed, std::string help) {
    return add_shared(std::move(name), field, std::move(help)).range(allowed);
  }
  template <class T>
  Option& add_command(std::string name, T& field, std::string help) {
    return all_.emplace_back(std::move(name), Scope::kCommand, Binding(&field), std::move(help));
  }
  Option& add_secret(std::string name, std::optional<core::SecretText>& field, std::string help) {
    return all_.emplace_back(std::move(name), Scope::kSecret, Binding(&field), std::move(help));
  }
  /// Adds a choice among `words`, each with its value.
  template <class T>
  Option& add_choice(std::string name, T& field, std::vector<std::pair<std::string, T>> words,
                     std::string help) {
    return all_.emplace_back(std::move(name), Scope::kOwn, choice(field, std::move(words)), std::move(help));
  }
  template <class T>
  Option& add_shared_choice(std::string name, T& field, std::vector<std::pair<std::string, T>> words,
                            std::string help) {
    return all_.emplace_back(std::move(name), Scope::kShared, choice(field, std::move(words)),
                             std::move(help));
  }
  /// Adds a list of tables; Row needs `void describe(OptionTable&)` and a default constructor.
  template <class Row>
  void add_rows(std::string name, std::vector<std::string> required, std::vector<Row>& rows) {
    rows_.push_back({std::move(name), std::move(required),
                     [&rows, this](const std::function<void(const OptionTable&)>& fill) {
                       OptionTable columns(program_);
                       rows.emplace_back().describe(columns);
                       fill(columns);
                     },
                     [&rows, this](const std::function<void(const OptionTable&)>& visit) {
                       for (Row& row : rows) {
                         OptionTable columns(program_);
                         row.describe(columns);
                         visit(columns);
                       }
                     }});
  }

  const Program& program() const { return program_; }
  const std::deque<Option>& all() const { return all_; }
  const std::vector<OptionRows>& rows() const { return rows_; }
  /// Null when there is none of that name.
  const Option* find(std::string_view name) const;

  /// The environment variables that set the option, strongest first; none for a kCommand switch.
  std::vector<std::string> variables(const Option& option) const;

 private:
  template <class T>
  static Choice choice(T& field, std::vector<std::pair<std::string, T>> words) {
    Choice made;
    for (const auto& word : words) made.words.push_back(word.first);
    made.get = [&field, words] {
      std::size_t index = 0;
      while (index + 1 < words.size() && words[index].second != field) ++index;
      return index;
    };
    made.set = [&field, words](std::size_t index) { field = words[index].second; };
    return made;
  }

  const Program& program_;
  std::deque<Option> all_;  // references stay valid as rows are added
  std::vector<OptionRows> rows_;
};

/// The prefix of a program's environment variables: `ZEROSUITE_MATH_`.
inline std::string environment_prefix(std::string_view program) {
  return "ZEROSUITE_" + upper(program) + "_";
}

inline const Option* OptionTable::find(std::string_view name) const {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [&](const Option& option) { return option.name() == name; });
  return found == all_.end() ? nullptr : &*found;
}

inline std::vector<std::string> OptionTable::variables(const Option& option) const {
  const std::string shared = "ZEROSUITE_" + upper(option.name());
  const std::string own = environment_prefix(program_.name) + upper(option.name());
  switch (option.scope()) {
    case Scope::kCommand:
      return option.is_switch() ? std::vector<std::string>{} : std::vector{shared};
    case Scope::kOwn:
    case Scope::kSecret:
      return {own};
    case Scope::kShared:
      return {own, shared};
  }
  return {};
}

}  // namespace zerosuite::ops
