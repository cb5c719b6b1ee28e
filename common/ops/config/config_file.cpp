#include "ops/config/config_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

#include "core/error.hpp"
#include "ops/config/text.hpp"

namespace zerosuite::ops {
namespace {

constexpr std::string_view kShared = "suite";

std::string hint(std::string_view name, std::span<const std::string> known) {
  const auto meant = nearest(name, known);
  return meant ? "; did you mean " + quote(*meant) + "?" : std::string();
}

std::string place(const std::string& path, const toml::source_region& region) {
  return path + ":" + std::to_string(region.begin.line) + ": ";
}

std::string shown(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return quote(*text);
  std::ostringstream out;
  node.visit([&out](const auto& concrete) { out << concrete; });
  return node.is_boolean() || node.is_integer() ? out.str() : quote(out.str());
}

std::string shown(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + quote(word);
  return "[" + out + "]";
}

/// The texts of a list, or a single text in its place; nullopt for anything else.
std::optional<std::vector<std::string>> texts(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return std::vector{*text};
  const toml::array* const array = node.as_array();
  if (array == nullptr) return std::nullopt;
  std::vector<std::string> all;
  for (const toml::node& part : *array) {
    const auto text = part.value_exact<std::string>();
    if (!text) return std::nullopt;
    all.push_back(*text);
  }
  return all;
}

/// Sets the option to the node's value, which must have the key's type: a number in quotes is a text.
void set(const Option& option, const toml::node& node, const std::string& origin) {
  if (option.is_list()) {
    const auto words = texts(node);
    if (!words) refuse_value(option, shown(node), origin);
    if (!option.set(*words)) refuse_value(option, shown(*words), origin);
    return;
  }
  std::optional<std::string> word;
  if (const auto number = node.value_exact<std::int64_t>()) {
    if (option.is_number() || option.is_optional_number()) word = std::to_string(*number);
  } else if (const auto on = node.value_exact<bool>()) {
    if (option.is_switch()) word = *on ? "true" : "false";
  } else if (!option.is_number() && !option.is_switch()) {
    word = node.value_exact<std::string>();
  }
  if (!word || !option.set({*word})) refuse_value(option, shown(node), origin);
}

[[noreturn]] void refuse_row(const std::string& here, const std::string& title, const std::string& column) {
  refuse(here + "[[" + title + "]] has no " + column);
}

[[noreturn]] void refuse_value_as_table(const std::string& here, const std::string& name) {
  refuse(here + quote(name) + " is not a table; write [" + name + "]");
}

/// One table of the file.
class Table {
 public:
  /// The table may contain the options of the given scopes.
  Table(std::string title, const OptionTable& options, std::set<Scope> scopes, const std::string& path)
      : title_(std::move(title)), options_(options), scopes_(std::move(scopes)), path_(path) {}

  void read(const toml::table& table, Origins& origins) const {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const std::string here = place(path_, key.source());
      if (const OptionRows* rows = find_rows(name)) {
        read_rows(*rows, node, here);
        continue;
      }
      const Option& option = find(name, here);
      set(option, node, here + name);
      origins[name] = here + name;
    }
  }

 private:
  bool allows(const Option& option) const { return scopes_.contains(option.scope()); }

  const OptionRows* find_rows(const std::string& name) const {
    if (!scopes_.contains(Scope::kOwn)) return nullptr;
    const auto& all = options_.rows();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const OptionRows& rows) { return rows.name == name; });
    return found == all.end() ? nullptr : &*found;
  }

  const Option& find(const std::string& name, const std::string& here) const {
    const Option* const option = options_.find(name);
    if (option != nullptr && allows(*option)) return *option;
    std::vector<std::string> known;
    for (const Option& each : options_.all()) {
      if (allows(each)) known.push_back(each.name());
    }
    if (scopes_.contains(Scope::kOwn)) {
      for (const OptionRows& rows : options_.rows()) known.push_back(rows.name);
    }
    refuse(here + "unknown key " + quote(name) + " in [" + title_ + "]" + hint(name, known));
  }

  void read_rows(const OptionRows& rows, const toml::node& node, const std::string& here) const {
    const std::string title = title_ + "." + rows.name;
    const toml::array* const list = node.as_array();
    if (list == nullptr || !list->is_homogeneous<toml::table>())
      refuse(here + rows.name + " is not a list of tables; write [[" + title + "]]");
    for (const toml::node& element : *list) {
      rows.append([&](const OptionTable& columns) {
        Origins origins;
        Table(title, columns, {Scope::kOwn}, path_).read(*element.as_table(), origins);
        for (const std::string& column : rows.required) {
          if (!origins.contains(column)) refuse_row(place(path_, element.source()), title, column);
        }
      });
    }
  }

  const std::string title_;
  const OptionTable& options_;
  const std::set<Scope> scopes_;
  const std::string& path_;
};

std::string contents(const std::string& path) {
  try {
    std::ifstream stream(path, std::ios::binary);
    if (stream) return {std::istreambuf_iterator<char>(stream), {}};
  } catch (const std::ios_base::failure&) {  // a folder can be opened but not read; errno has the reason
  }
  refuse("cannot read " + path + ": " + std::generic_category().message(errno));
}

toml::table parse(const std::string& path) {
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
    const bool is_known = std::find(known.begin(), known.end(), name) != known.end();
    if (!node.is_table() && !is_known) {
      refuse(here + "unknown key " + quote(name) + " outside any table; keys stand below [" +
             std::string(program.name) + "] or [" + std::string(kShared) + "]");
    }
    if (!node.is_table()) refuse_value_as_table(here, name);
    if (!is_known) refuse(here + "unknown table [" + word_or_quoted(name) + "]" + hint(name, known));
  }
}

}  // namespace

void read_file(const OptionTable& options, const std::string& path, Origins& origins) {
  const toml::table file = parse(path);
  const std::string own(options.program().name);
  check_tables(options.program(), file, path);
  if (const toml::table* const table = file[kShared].as_table())
    Table(std::string(kShared), options, {Scope::kShared}, path).read(*table, origins);
  if (const toml::table* const table = file[own].as_table())
    Table(own, options, {Scope::kShared, Scope::kOwn}, path).read(*table, origins);
}

}  // namespace zerosuite::ops
