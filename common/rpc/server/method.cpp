#include "rpc/server/method.hpp"

#include <algorithm>
#include <stdexcept>

namespace zerosuite::rpc {
namespace {

std::string plural(std::size_t count, const std::string& one, const std::string& many) {
  return count == 1 ? one : many;
}

// "'a'", "'a' and 'b'", "'a', 'b', and 'c'": as CPython lists missing arguments (ceval.c, format_missing).
std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0 && names.size() > 2) text += ",";
    if (i > 0) text += i + 1 == names.size() ? " and " : " ";
    text += "'" + names[i] + "'";
  }
  return text;
}

[[noreturn]] void refuse_few(const Method& method, std::size_t given) {
  std::vector<std::string> missing;
  for (std::size_t i = given; i < method.params.size(); ++i) {
    if (!method.params[i].fallback) missing.push_back(method.params[i].name);
  }
  throw core::Failure(core::kTypeError,
                      method.name + "() missing " + std::to_string(missing.size()) + " required positional " +
                          plural(missing.size(), "argument", "arguments") + ": " + quoted_list(missing));
}

[[noreturn]] void refuse_many(const Method& method, std::size_t required, std::size_t given) {
  const std::size_t most = method.params.size();
  std::string takes = std::to_string(most);
  if (required < most) takes = "from " + std::to_string(required) + " to " + takes;
  throw core::Failure(core::kTypeError, method.name + "() takes " + takes + " positional " +
                                            plural(most, "argument", "arguments") + " but " +
                                            std::to_string(given) +
                                            plural(given, " was given", " were given"));
}

std::string encoded(const wire::Value& value) {
  wire::Buffer buffer(32);
  wire::Packer packer(buffer);
  wire::pack(packer, value);
  return {buffer.data(), buffer.size()};
}

}  // namespace

Arguments::Arguments(const Method& method, std::string_view encoded) : method_(method), in_(encoded) {
  if (in_.peek() != wire::Kind::kNil) {  // some clients send nil for "no arguments"
    const auto count = in_.array();
    if (!count) {
      throw core::Failure(core::kTypeError, method.name + "() argument after * must be an iterable, not " +
                                                std::string(wire::python_name(in_.peek())));
    }
    given_ = *count;
  }
  const auto required = static_cast<std::size_t>(std::count_if(
      method.params.begin(), method.params.end(), [](const Param& param) { return !param.fallback; }));
  if (given_ < required) refuse_few(method, given_);
  if (given_ > method.params.size()) refuse_many(method, required, given_);
}

void Arguments::refuse(const Param& param, const wire::Mismatch& mismatch) const {
  throw core::Failure(wire::to_error(mismatch, method_.name + "() argument '" + param.name + "' "));
}

void Methods::declare_idempotent() {
  for (auto& [name, method] : methods_) method.idempotent = true;
}

void Methods::declare_relief(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto found = methods_.find(name);
    if (found == methods_.end()) throw std::invalid_argument("there is no method " + std::string(name));
    found->second.relief = true;
  }
}

const Method* Methods::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : found->second;
}

Method& Methods::insert(Method method) {
  std::string name = method.name;
  bool optional = false;
  for (Param& param : method.params) {
    if (optional && !param.fallback)
      throw std::logic_error(name + "(): " + param.name + " follows an argument with a default and has none");
    optional = param.fallback.has_value();
    if (optional) param.encoded_fallback = encoded(*param.fallback);
  }
  const auto [entry, added] = methods_.emplace(name, std::move(method));
  if (!added) throw std::logic_error("method " + name + " is registered twice");
  index_.emplace(entry->first, &entry->second);
  return entry->second;
}

}  // namespace zerosuite::rpc
