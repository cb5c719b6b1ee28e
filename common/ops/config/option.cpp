#include "ops/config/option.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/error.hpp"
#include "ops/config/text.hpp"

namespace zerosuite::ops {
namespace {

using List = std::vector<std::string>;

template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

// "sync, async or none".
std::string either(const List& words) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : &word == &words.back() ? " or " : ", ") + word;
  return out;
}

List parts_of(const List& words) {
  constexpr std::string_view kBetween = ", \t";
  List parts;
  for (const std::string& word : words) {
    for (std::size_t from = word.find_first_not_of(kBetween); from != std::string::npos;) {
      const std::size_t to = std::min(word.find_first_of(kBetween, from), word.size());
      parts.push_back(word.substr(from, to - from));
      from = word.find_first_not_of(kBetween, to);
    }
  }
  return parts;
}

std::string list_to_toml(const List& list) {
  std::string out;
  for (const std::string& part : list) out += (out.empty() ? "" : ", ") + quote(part);
  return "[" + out + "]";
}

}  // namespace

Option::Option(std::string name, Scope scope, Binding binding, std::string help)
    : name_(std::move(name)), scope_(scope), binding_(std::move(binding)), help_(std::move(help)) {
  range_.most = unit() == "ms" ? kDayMs : kMaxCount;
  if (const auto* choice = std::get_if<Choice>(&binding_)) {
    for (const std::string& word : choice->words) argument_ += (argument_.empty() ? "" : "|") + word;
  } else if (is_number()) {
    argument_ = unit().empty() ? "N" : upper(unit());
  } else if (!is_switch()) {
    argument_ = "TEXT";
  }
}

Option& Option::range(Range allowed) {
  range_ = {allowed.least, allowed.most == 0 ? range_.most : allowed.most};
  return *this;
}

Option& Option::argument(std::string argument) {
  argument_ = std::move(argument);
  return *this;
}

Option& Option::empty_word(std::string word) {
  empty_word_ = std::move(word);
  return *this;
}

Option& Option::test(bool (*passes_test)(std::string_view text), std::string expected) {
  test_ = passes_test;
  expected_ = std::move(expected);
  return *this;
}

Option& Option::not_empty() {
  may_be_empty_ = false;
  return *this;
}

Option& Option::listening() {
  listens_ = true;
  return *this;
}

std::string_view Option::unit() const {
  for (const std::string_view unit : {"ms", "bytes"}) {
    if (is_number() && name_.size() > unit.size() && name_.ends_with(unit) &&
        name_[name_.size() - unit.size() - 1] == '_')
      return unit;
  }
  return {};
}

std::string Option::flag() const {
  std::string out = "--" + name_;
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

bool Option::is_duration() const {
  return std::holds_alternative<core::milliseconds*>(binding_) ||
         std::holds_alternative<core::Clock::duration*>(binding_);
}

bool Option::is_number() const {
  return is_duration() || std::visit(
                              []<class T>(const T&) {
                                using Value = std::remove_pointer_t<T>;
                                return std::is_integral_v<Value> && !std::is_same_v<Value, bool>;
                              },
                              binding_);
}

std::string Option::expectation() const {
  const std::string or_word = empty_word_.empty() ? "" : ", or " + empty_word_;
  if (const auto* choice = std::get_if<Choice>(&binding_)) return either(choice->words);
  if (is_switch()) return "true or false";
  if (is_number() || is_optional_number()) {
    const std::string_view its_unit = unit();
    return "a whole number from " + std::to_string(range_.least) + " to " + std::to_string(range_.most) +
           (its_unit.empty() ? "" : " (" + std::string(its_unit) + ")") + or_word;
  }
  if (!expected_.empty()) return expected_;
  return (is_list() ? "texts that are not empty" : "a text that is not empty") + or_word;
}

bool Option::set_number(const std::string& word) const {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number < range_.least ||
      number > range_.most)
    return false;
  return std::visit(
      [number]<class T>(const T& field) {
        using Value = std::remove_pointer_t<T>;
        if constexpr (std::is_same_v<Value, core::milliseconds> ||
                      std::is_same_v<Value, core::Clock::duration>) {
          *field = core::milliseconds(number);
          return true;
        } else if constexpr (std::is_same_v<Value, std::optional<std::int64_t>>) {
          *field = number;
          return true;
        } else if constexpr (std::is_integral_v<Value> && !std::is_same_v<Value, bool>) {
          if (!std::in_range<Value>(number)) return false;
          *field = static_cast<Value>(number);
          return true;
        } else {
          return false;
        }
      },
      binding_);
}

bool Option::set_list(const List& words) const {
  const List parts = parts_of(words);
  // The empty word counts only if it is the only part.
  const bool alone = !empty_word_.empty() && parts == List{empty_word_};
  if (parts.empty() && !may_be_empty_) return false;
  if (!alone &&
      !std::all_of(parts.begin(), parts.end(), [&](const std::string& part) { return passes(part); }))
    return false;
  *std::get<List*>(binding_) = alone ? List() : parts;
  return true;
}

bool Option::set(const List& words) const {
  if (is_list()) return set_list(words);
  if (words.size() != 1) return false;
  const std::string& word = words.front();
  if (!empty_word_.empty() && word == empty_word_) {
    std::visit(Overload{[](std::optional<std::int64_t>* field) { field->reset(); },
                        [](std::optional<std::string>* field) { field->reset(); }, [](const auto&) {}},
               binding_);
    return true;
  }
  if (is_number() || is_optional_number()) return set_number(word);
  if (is_switch() && word != "true" && word != "false") return false;
  return std::visit(
      Overload{[&](bool* field) { return *field = word == "true", true; },
               [&](std::string* field) { return passes(word) && (*field = word, true); },
               [&](std::optional<std::string>* field) { return passes(word) && (*field = word, true); },
               [&](const Choice& choice) {
                 const auto found = std::find(choice.words.begin(), choice.words.end(), word);
                 if (found == choice.words.end()) return false;
                 choice.set(static_cast<std::size_t>(found - choice.words.begin()));
                 return true;
               },
               [](const auto&) { return false; }},
      binding_);
}

void Option::set_secret(core::SecretText secret) const {
  *std::get<std::optional<core::SecretText>*>(binding_) = std::move(secret);
}

std::string Option::to_toml() const {
  const auto count = [](auto duration) {
    return std::to_string(std::chrono::duration_cast<core::milliseconds>(duration).count());
  };
  return std::visit(
      Overload{[](const bool* field) { return std::string(*field ? "true" : "false"); },
               [&](const core::milliseconds* field) { return count(*field); },
               [&](const core::Clock::duration* field) { return count(*field); },
               [](const std::string* field) { return quote(*field); },
               [&](const List* field) {
                 return list_to_toml(field->empty() && !empty_word_.empty() ? List{empty_word_} : *field);
               },
               [&](const std::optional<std::int64_t>* field) {
                 return *field ? std::to_string(**field) : quote(empty_word_);
               },
               [&](const std::optional<std::string>* field) { return quote(field->value_or(empty_word_)); },
               [](const std::optional<core::SecretText>*) { return std::string(); },
               [](const Choice& choice) { return quote(choice.words[choice.get()]); },
               [](const auto* number) { return std::to_string(*number); }},
      binding_);
}

void refuse_value(const Option& option, const std::string& shown, const std::string& origin) {
  throw core::Failure(core::kInvalidArgument, origin + " is " + shown + "; expected " + option.expectation());
}

}  // namespace zerosuite::ops
