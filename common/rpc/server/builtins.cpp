#include "rpc/server/builtins.hpp"

namespace zerosuite::rpc {
namespace {

using wire::Dict, wire::List, wire::Value;

bool is_public(const Method& method) { return !method.name.starts_with('_'); }

Value describe_method(const Method& method) {
  List args;
  for (const Param& param : method.params) {
    Dict arg{{"name", param.name}};
    if (param.fallback) arg.add("default", *param.fallback);
    args.push_back(std::move(arg));
  }
  Dict described{{"args", std::move(args)}, {"doc", method.doc.empty() ? Value() : method.doc}};
  if (method.idempotent) described.add("idempotent", true);
  if (method.relief) described.add("relief", true);
  return described;
}

Value entry(const Value& description, std::string_view key) {
  const auto* const dict = description.as<Dict>();
  const Value* const found = dict == nullptr ? nullptr : find(*dict, key);
  if (found == nullptr) return {};
  return *found;
}

Value known(const Catalogue& catalogue, const std::string& name) {
  auto description = catalogue.find(name);
  // Python's KeyError shows the key's repr.
  if (!description) throw core::Failure(core::kKeyError, "'" + name + "'");
  return *std::move(description);
}

List list_methods(const Catalogue& catalogue) {
  List names;
  for (auto& [name, description] : catalogue.methods()) names.push_back(std::move(name));
  return names;
}

// The result of Python 2's inspect.getargspec, which zerorpc still sends: [names, varargs, keywords,
// defaults].
List argspec(const Value& description) {
  List names;
  List defaults;
  const Value args = entry(description, "args");
  if (const auto* const list = args.as<List>()) {
    for (const Value& arg : *list) {
      names.push_back(entry(arg, "name"));
      const auto* const fields = arg.as<Dict>();
      const bool has_default = fields != nullptr && fields->size() > 1;
      if (has_default) defaults.push_back(entry(arg, "default"));
    }
  }
  List spec(4);
  spec.front() = std::move(names);
  if (!defaults.empty()) spec.back() = std::move(defaults);
  return spec;
}

Value inspect(const Catalogue& catalogue, const std::string& service) {
  Dict answer{{"name", service}, {"methods", catalogue.methods()}};
  for (auto& field : catalogue.more()) answer.push_back(std::move(field));
  return answer;
}

}  // namespace

Dict OwnMethods::methods() const {
  Dict described;
  for (const auto& [name, method] : methods_.all()) {
    if (is_public(method)) described.add(name, describe_method(method));
  }
  return described;
}

std::optional<Value> OwnMethods::find(const std::string& name) const {
  const Method* const method = methods_.find(name);
  if (method == nullptr || !is_public(*method)) return std::nullopt;
  return describe_method(*method);
}

void add_builtins(Methods& methods, const std::string& service,
                  const std::function<const Catalogue&()>& catalogue) {
  methods.add("_zerorpc_list", "Names of all methods.", [catalogue] { return list_methods(catalogue()); });
  methods.add("_zerorpc_name", "Name of the service.", [service] { return service; });
  methods.add("_zerorpc_ping", "Returns [\"pong\", name of the service].",
              [service] { return std::pair<std::string, std::string>("pong", service); });
  methods.add("_zerorpc_help", {"method"}, "Documentation of a method.",
              [catalogue](const std::string& name) { return entry(known(catalogue(), name), "doc"); });
  methods.add("_zerorpc_args", {"method"}, "Arguments of a method.",
              [catalogue](const std::string& name) { return argspec(known(catalogue(), name)); });
  methods.add("_zerorpc_inspect", "Name, methods, arguments and documentation.",
              [catalogue, service] { return inspect(catalogue(), service); });
}

}  // namespace zerosuite::rpc
