#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>

#include "core/error.hpp"
#include "ops/config/config.hpp"
#include "ops/config/text.hpp"

namespace zerosuite::ops {
namespace {

using List = std::vector<std::string>;

constexpr std::string_view kShared = "suite";

std::string hint(std::string_view name, std::span<const std::string> known) {
  const auto meant = nearest(name, known);
  return meant ? concat({"; did you mean ", quote(*meant), "?"}) : std::string();
}

std::string place(const std::string& path, const toml::source_region& region) {
  return concat({path, ":", std::to_string(region.begin.line), ": "});
}

std::string shown(const toml::node& node) {
  std::ostringstream out;
  node.visit([&out](const auto& concrete) { out << concrete; });
  return quote(out.str());
}

/// nullopt for what no option is: dates, floats, tables, lists of anything but text.
std::optional<Value> value_of(const toml::node& node) {
  if (const auto flag = node.value_exact<bool>()) return *flag;
  if (const auto number = node.value_exact<std::int64_t>()) return *number;
  if (const auto text = node.value_exact<std::string>()) return *text;
  const toml::array* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  List parts;
  for (const toml::node& part : *array) {
    const auto text = part.value_exact<std::string>();
    if (!text) return std::nullopt;
    parts.push_back(*text);
  }
  return parts;
}

/// A lone text may stand where a list is meant.
Value listed(Value value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? value : List{*text};
}

/// One table of the file: which of the options may stand there, and what is read from it.
class Table {
 public:
  Table(std::string name, const std::string& path) : name_(std::move(name)), path_(path) {}

  void allow(const Option& option) { options_.push_back(&option); }
  void allow(const TableOption& rows) { tables_.push_back(&rows); }

  Settings read(const toml::table& table) const {
    Settings settings;
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const std::string here = place(path_, key.source());
      if (const TableOption* rows = find_rows(name)) {
        settings.merge(read_rows(*rows, node, here));
        continue;
      }
      const Option& option = find(name, here);
      const std::string subject = here + name;
      auto value = value_of(node);
      if (!value) refuse_value(option, shown(node), subject);
      if (std::holds_alternative<List>(option.initial)) value = listed(*std::move(value));
      settings[name] = {checked(option, *std::move(value), subject), subject};
    }
    return settings;
  }

 private:
  const TableOption* find_rows(const std::string& name) const {
    const auto found = std::find_if(tables_.begin(), tables_.end(),
                                    [&](const TableOption* rows) { return rows->name == name; });
    return found == tables_.end() ? nullptr : *found;
  }

  Settings read_rows(const TableOption& rows, const toml::node& node, const std::string& here) const {
    const std::string title = concat({name_, ".", rows.name});
    const toml::array* const list = node.as_array();
    if (list == nullptr || !list->is_homogeneous<toml::table>())
      refuse(concat({here, rows.name, " is not a list of tables; write [[", title, "]]"}));
    Table row(title, path_);
    for (const Option& column : rows.columns) row.allow(column);
    Settings settings;
    std::size_t number = 0;
    for (const toml::node& element : *list) {
      Settings cells = row.read(*element.as_table());
      for (const Option& column : rows.columns) {
        if (is_required(column) && !cells.contains(column.name))
          refuse(concat({place(path_, element.source()), "[[", title, "]] has no ", column.name}));
        cells.try_emplace(std::string(column.name), Setting{column.initial, std::string(column.name)});
        settings[cell_name(rows.name, number, column.name)] = cells[std::string(column.name)];
      }
      ++number;
    }
    return settings;
  }

  const Option& find(const std::string& name, const std::string& here) const {
    std::vector<std::string> known;
    for (const Option* option : options_) {
      if (option->name == name) return *option;
      known.emplace_back(option->name);
    }
    for (const TableOption* rows : tables_) known.emplace_back(rows->name);
    refuse(concat({here, "unknown key ", quote(name), " in [", name_, "]", hint(name, known)}));
  }

  std::string name_;
  const std::string& path_;
  std::vector<const Option*> options_;
  std::vector<const TableOption*> tables_;
};

std::string contents(const std::string& path) {
  try {
    std::ifstream stream(path, std::ios::binary);
    if (stream) return {std::istreambuf_iterator<char>(stream), {}};
  } catch (const std::ios_base::failure&) {  // a folder opens but does not read; errno has the reason
  }
  refuse(concat({"cannot read ", path, ": ", std::generic_category().message(errno)}));
}

toml::table parse_file(const std::string& path) {
  try {
    return toml::parse(contents(path), path);
  } catch (const toml::parse_error& error) {
    std::string reason(error.description());
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    refuse(place(path, error.source()) + reason);
  }
}

void check_tables(const Program& program, const toml::table& file, const std::string& path) {
  std::vector<std::string> known(kPrograms.begin(), kPrograms.end());
  known.emplace_back(kShared);
  known.emplace_back(program.name);
  for (const auto& [key, node] : file) {
    const std::string name(key.str());
    const std::string here = place(path, key.source());
    if (!node.is_table() && std::find(known.begin(), known.end(), name) == known.end()) {
      refuse(concat({here, "unknown key ", quote(name), " outside any table; keys stand below [",
                     program.name, "] or [", kShared, "]"}));
    }
    if (!node.is_table()) refuse(concat({here, quote(name), " is not a table; write [", name, "]"}));
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    refuse(concat({here, "unknown table [", word_or_quoted(name), "]", hint(name, known)}));
  }
}

}  // namespace

Settings read_file(const Program& program, std::span<const Option> options, const std::string& path) {
  const toml::table file = parse_file(path);
  check_tables(program, file, path);
  Table own(std::string(program.name), path);
  Table shared(std::string(kShared), path);
  for (const Option& option : options) {
    if (option.scope == Scope::kCommand || option.scope == Scope::kSecret) continue;
    own.allow(option);
    if (option.scope == Scope::kShared) shared.allow(option);
  }
  for (const TableOption& rows : program.tables) own.allow(rows);
  Settings settings;
  for (const auto& [table, name] : {std::pair(&own, program.name), std::pair(&shared, kShared)}) {
    if (const toml::table* found = file[name].as_table()) settings.merge(table->read(*found));
  }
  return settings;
}

}  // namespace zerosuite::ops
