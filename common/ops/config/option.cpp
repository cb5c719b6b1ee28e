#include "ops/config/option.hpp"

#include <algorithm>
#include <charconv>

#include "core/error.hpp"
#include "ops/config/endpoint.hpp"
#include "ops/config/program.hpp"
#include "ops/config/text.hpp"
#include "rpc/worker/registration.hpp"

namespace zerosuite::ops {
namespace {

using List = std::vector<std::string>;

constexpr std::int64_t kDay = 86'400'000;  // in ms

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return out;
}

List split(std::string_view text) {
  static constexpr std::string_view kBetween = ", \t";
  List parts;
  std::size_t from = text.find_first_not_of(kBetween);
  while (from != std::string_view::npos) {
    const std::size_t to = std::min(text.find_first_of(kBetween, from), text.size());
    parts.emplace_back(text.substr(from, to - from));
    from = text.find_first_not_of(kBetween, to);
  }
  return parts;
}

bool all_endpoints(const List& list) {
  return !list.empty() && std::all_of(list.begin(), list.end(), is_endpoint);
}

// "sync, async or none".
std::string either(std::span<const std::string_view> choices) {
  std::string out;
  for (const std::string_view& choice : choices)
    out += concat({out.empty() ? "" : &choice == &choices.back() ? " or " : ", ", choice});
  return out;
}

bool accepted(const Option& option, const Value& value) {
  switch (option.type) {
    case Type::kSwitch:
      return std::holds_alternative<bool>(value);
    case Type::kInteger: {
      const auto* number = std::get_if<std::int64_t>(&value);
      return number != nullptr && *number >= option.least && *number <= option.most;
    }
    case Type::kText: {
      const auto* text = std::get_if<std::string>(&value);
      return text != nullptr && !text->empty();
    }
    case Type::kService: {
      const auto* text = std::get_if<std::string>(&value);
      return text != nullptr && rpc::is_service_name(*text);
    }
    case Type::kChoice: {
      const auto* text = std::get_if<std::string>(&value);
      return text != nullptr &&
             std::find(option.choices.begin(), option.choices.end(), *text) != option.choices.end();
    }
    case Type::kTexts: {
      const auto* list = std::get_if<List>(&value);
      return list != nullptr &&
             std::none_of(list->begin(), list->end(), [](const std::string& text) { return text.empty(); });
    }
    case Type::kEndpoints: {
      const auto* list = std::get_if<List>(&value);
      return list != nullptr && all_endpoints(*list);
    }
    case Type::kProxies: {
      const auto* list = std::get_if<List>(&value);
      return list != nullptr && (*list == List{"none"} || all_endpoints(*list));
    }
  }
  return false;
}

}  // namespace

std::string Option::flag() const {
  std::string out = concat({"--", name});
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

Option own_count(std::string_view name, std::size_t initial, std::int64_t least, std::string_view help) {
  return {.name = name,
          .type = Type::kInteger,
          .scope = Scope::kOwn,
          .initial = static_cast<std::int64_t>(initial),
          .least = least,
          .most = kMany,
          .help = help};
}

Option own_time(std::string_view name, core::milliseconds initial, std::int64_t least,
                std::string_view help) {
  return {.name = name,
          .type = Type::kInteger,
          .scope = Scope::kOwn,
          .initial = std::int64_t{initial.count()},
          .unit = "ms",
          .least = least,
          .most = kDay,
          .help = help};
}

std::string cell_name(std::string_view table, std::size_t row, std::string_view column) {
  return concat({table, "[", std::to_string(row), "].", column});
}

std::string environment_prefix(std::string_view program) {
  return concat({"ZEROSUITE_", upper(program), "_"});
}

std::vector<std::string> environment_names(const Program& program, const Option& option) {
  if (option.scope == Scope::kCommand && option.type == Type::kSwitch) return {};
  const std::string shared = concat({"ZEROSUITE_", upper(option.name)});
  const std::string own = environment_prefix(program.name) + upper(option.name);
  switch (option.scope) {
    case Scope::kCommand:
      return {shared};
    case Scope::kOwn:
    case Scope::kSecret:
      return {own};
    case Scope::kShared:
      return {own, shared};
  }
  return {};
}

std::string expectation(const Option& option) {
  switch (option.type) {
    case Type::kSwitch:
      return "true or false";
    case Type::kInteger:
      return concat({"a whole number from ", std::to_string(option.least), " to ",
                     std::to_string(option.most), option.unit.empty() ? "" : " (", option.unit,
                     option.unit.empty() ? "" : ")"});
    case Type::kText:
      return "a text that is not empty";
    case Type::kService:
      return "a service's name: letters, digits, - and _, the first no _, and not proxy";
    case Type::kChoice:
      return either(option.choices);
    case Type::kTexts:
      return "texts that are not empty";
    case Type::kEndpoints:
      return "endpoints such as tcp://127.0.0.1:4301 or ipc:///run/math";
    case Type::kProxies:
      return "none, or endpoints such as tcp://127.0.0.1:4244";
  }
  return {};
}

void refuse_value(const Option& option, const std::string& shown, const std::string& subject) {
  throw core::Failure(core::kInvalidArgument,
                      concat({subject, " is ", shown, "; expected ", expectation(option)}));
}

Value parse(const Option& option, std::string_view text, const std::string& subject) {
  Value value = std::string(text);
  if (option.type == Type::kSwitch && (text == "true" || text == "false")) value = text == "true";
  if (option.type == Type::kTexts || option.type == Type::kEndpoints || option.type == Type::kProxies)
    value = split(text);
  if (option.type == Type::kInteger) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) value = number;
  }
  if (!accepted(option, value)) refuse_value(option, quote(text), subject);
  return value;
}

bool is_required(const Option& option) { return !accepted(option, option.initial); }

Value checked(const Option& option, Value value, const std::string& subject) {
  if (!accepted(option, value)) refuse_value(option, to_toml(value), subject);
  return value;
}

std::string to_toml(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return quote(*text);
  std::string out;
  for (const std::string& part : std::get<List>(value)) out += concat({out.empty() ? "" : ", ", quote(part)});
  return concat({"[", out, "]"});
}

}  // namespace zerosuite::ops
