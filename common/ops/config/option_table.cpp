#include "ops/config/option_table.hpp"

#include <algorithm>

#include "ops/config/text.hpp"

namespace zerosuite::ops {

const Option* OptionTable::find(std::string_view name) const {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [&](const Option& option) { return option.name() == name; });
  return found == all_.end() ? nullptr : &*found;
}

std::vector<std::string> OptionTable::variables(const Option& option) const {
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

std::string environment_prefix(std::string_view program) { return "ZEROSUITE_" + upper(program) + "_"; }

}  // namespace zerosuite::ops
