#include "rpc/worker/registration.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "wire/event.hpp"

namespace zerosuite::rpc {
namespace {

using core::Failure;
using wire::Dict, wire::Value;

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestText = 4096;
constexpr std::size_t kMostMethods = 10'000;
constexpr wire::Integer kMostWeight = 1'000'000;
constexpr wire::Integer kMostInflight = 1'000'000'000;

[[noreturn]] void refuse(const std::string& what) { throw Failure(core::kInvalidArgument, what); }

// Null for a field that is missing or nil.
template <class T>
const T* field(const Dict& dict, std::string_view key) {
  const Value* const value = find(dict, key);
  if (value == nullptr || value->is_nil()) return nullptr;
  if (const T* const typed = value->as<T>()) return typed;
  refuse("the registration's " + std::string(key) + " is of type " + std::string(python_name(*value)));
}

std::string text_field(const Dict& dict, std::string_view key) {
  const auto* const value = field<std::string>(dict, key);
  if (value == nullptr || value->empty()) refuse("the registration has no " + std::string(key));
  if (value->size() > kLongestName) refuse("the registration's " + std::string(key) + " is too long");
  return *value;
}

std::uint32_t count_field(const Dict& dict, std::string_view key, std::uint32_t usual, wire::Integer most) {
  const auto* const value = field<wire::Integer>(dict, key);
  if (value == nullptr) return usual;
  if (*value < 1 || *value > most)
    refuse("the registration's " + std::string(key) + " is not from 1 to " +
           std::to_string(static_cast<std::int64_t>(most)));
  return static_cast<std::uint32_t>(*value);
}

bool flag_field(const Dict& dict, std::string_view key) {
  const auto* const value = field<bool>(dict, key);
  return value != nullptr && *value;
}

// Empty when the field is missing.
std::string optional_text(const Dict& dict, std::string_view key) {
  const auto* const value = field<std::string>(dict, key);
  if (value == nullptr) return {};
  if (value->size() > kLongestText || !core::is_utf8(*value))
    refuse("the registration's " + std::string(key) + " is too long or not UTF-8");
  return *value;
}

State read_state(const Dict& dict) {
  const auto* const said = field<Dict>(dict, "state");
  if (said == nullptr) return {};
  State state{text_field(*said, "id"), optional_text(*said, "where"), optional_text(*said, "lock"),
              flag_field(*said, "shared")};
  if (!core::is_utf8(state.id)) refuse("the registration's state has an id that is not UTF-8");
  return state;
}

Value to_value(const State& state) {
  if (state.id.empty()) return {};
  return Dict{{"id", state.id}, {"where", state.where}, {"lock", state.lock}, {"shared", state.shared}};
}

OfferedMethod read_method(const wire::DictEntry& entry) {
  const auto* const name = entry.key.as<std::string>();
  if (name == nullptr) refuse("the method map has a key that is not text");
  if (name->empty() || name->size() > kLongestName)
    refuse("the method map has a name that is empty or too long");
  const auto* const description = entry.value.as<Dict>();
  if (description == nullptr) refuse("method " + *name + " is described by no map");
  return {*name, entry.value, flag_field(*description, "idempotent"), flag_field(*description, "relief")};
}

}  // namespace

bool is_service_name(std::string_view name) {
  const auto usual = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kLongestName && name.front() != '_' && name != "proxy" &&
         std::all_of(name.begin(), name.end(), usual);
}

std::vector<OfferedMethod> read_methods(const Value& map) try {
  const auto* const entries = map.as<Dict>();
  if (entries == nullptr) refuse("the methods are no map but of type " + std::string(python_name(map)));
  if (entries->size() > kMostMethods) refuse("there are more than 10000 methods");
  wire::Buffer scratch;
  wire::Packer packer(scratch);
  wire::pack_value(packer, map);  // throws Mismatch for what could not be sent to clients later
  std::vector<OfferedMethod> methods;
  for (const wire::DictEntry& entry : *entries) {
    OfferedMethod method = read_method(entry);
    if (!method.name.starts_with('_')) methods.push_back(std::move(method));
  }
  return methods;
} catch (const wire::Mismatch& mismatch) {
  refuse(std::string("the method map: ") + mismatch.what());
}

Value to_value(const Registration& registration) {
  Dict methods;
  for (const OfferedMethod& method : registration.methods) methods.add(method.name, method.description);
  return Dict{{"id", registration.id},
              {"service", registration.service},
              {"version", registration.version},
              {"methods", std::move(methods)},
              {"weight", registration.weight},
              {"max_inflight", registration.max_inflight},
              {"sticky", registration.sticky},
              {"key", registration.key},
              {"state", to_value(registration.state)}};
}

Registration read_introduction(std::string_view args) try {
  wire::Reader in(args);
  if (in.array().value_or(0) < 1) refuse("the registration has no argument");
  const Value value = wire::read_value(in);
  const auto* const dict = value.as<Dict>();
  if (dict == nullptr) refuse("the registration is no map but of type " + std::string(python_name(value)));
  Registration said;
  said.id = text_field(*dict, "id");
  said.service = text_field(*dict, "service");
  if (said.id.find('@') != said.id.npos) refuse("the registration's id has an @, which is for upstreams");
  if (!is_service_name(said.service)) refuse("no service may be called \"" + said.service + "\"");
  if (const auto* const version = field<std::string>(*dict, "version")) said.version = *version;
  const Value* const methods = find(*dict, "methods");
  if (methods == nullptr) refuse("the registration has no methods");
  said.methods = read_methods(*methods);
  said.weight = count_field(*dict, "weight", said.weight, kMostWeight);
  said.max_inflight = count_field(*dict, "max_inflight", said.max_inflight, kMostInflight);
  said.sticky = flag_field(*dict, "sticky");
  said.key = optional_text(*dict, "key");
  said.state = read_state(*dict);
  return said;
} catch (const wire::Mismatch& mismatch) {
  refuse(std::string("the registration ") + mismatch.what());
}

Value to_value(const Greeting& greeting) {
  wire::List front;
  for (const std::string& endpoint : greeting.front) front.push_back(endpoint);
  return Dict{{"name", greeting.name}, {"front", std::move(front)}};
}

Greeting read_greeting(std::string_view args) {
  Greeting greeting;
  wire::Reader in(args);
  if (in.array().value_or(0) == 0) return greeting;  // an older proxy
  const Value value = wire::read_value(in);
  const auto* const dict = value.as<Dict>();
  if (dict == nullptr) return greeting;
  const Value* const name = find(*dict, "name");
  if (const auto* const said = name == nullptr ? nullptr : name->as<std::string>()) greeting.name = *said;
  const Value* const front = find(*dict, "front");
  if (const auto* const list = front == nullptr ? nullptr : front->as<wire::List>()) {
    for (const Value& endpoint : *list) {
      if (const auto* const said = endpoint.as<std::string>()) greeting.front.push_back(*said);
    }
  }
  return greeting;
}

net::Frame control_event(wire::IdSource& ids, std::string_view name, const wire::List& args) {
  wire::Buffer buffer;
  wire::begin_event(buffer, {ids.next(), {}, name, nullptr});
  wire::Packer packer(buffer);
  wire::pack_value(packer, args);
  return {buffer.data(), buffer.size()};
}

}  // namespace zerosuite::rpc
