#include "rpc/builtins.hpp"

namespace zerosuite::rpc {
namespace {

using wire::Dict;
using wire::List;
using wire::Value;

Value text(std::string_view value) { return {std::string(value)}; }

bool is_public(const Method& method) { return !method.name.starts_with('_'); }

Value doc_of(const Method& method) { return method.doc.empty() ? Value() : text(method.doc); }

const Method& known(const Methods& methods, const std::string& name) {
  const Method* const method = methods.find(name);
  // Python's KeyError shows the key's repr.
  if (method == nullptr || !is_public(*method)) throw core::Failure(core::kKeyError, "'" + name + "'");
  return *method;
}

List list_methods(const Methods& methods) {
  List names;
  for (const auto& [name, method] : methods.all()) {
    if (is_public(method)) names.push_back(text(name));
  }
  return names;
}

// What inspect.getargspec answered in Python 2 and zerorpc still sends: [names, varargs, keywords, defaults].
List argspec(const Method& method) {
  List names;
  List defaults;
  for (const Param& param : method.params) {
    names.push_back(text(param.name));
    if (param.fallback) defaults.push_back(*param.fallback);
  }
  return {{std::move(names)}, {}, {}, defaults.empty() ? Value() : Value{std::move(defaults)}};
}

Value inspect_method(const Method& method) {
  List args;
  for (const Param& param : method.params) {
    Dict arg{{text("name"), text(param.name)}};
    if (param.fallback) arg.push_back({text("default"), *param.fallback});
    args.push_back({std::move(arg)});
  }
  return {Dict{{text("args"), {std::move(args)}}, {text("doc"), doc_of(method)}}};
}

Value inspect(const Methods& methods, const std::string& service) {
  Dict described;
  for (const auto& [name, method] : methods.all()) {
    if (is_public(method)) described.push_back({text(name), inspect_method(method)});
  }
  return {Dict{{text("name"), text(service)}, {text("methods"), {std::move(described)}}}};
}

}  // namespace

void add_builtins(Methods& methods, const std::string& service) {
  methods.add("_zerorpc_list", "Names of all methods.", [&methods] { return list_methods(methods); });
  methods.add("_zerorpc_name", "Name of the service.", [service] { return service; });
  methods.add("_zerorpc_ping", "Answers [\"pong\", name of the service].",
              [service] { return std::pair<std::string, std::string>("pong", service); });
  methods.add("_zerorpc_help", {"method"}, "Documentation of a method.",
              [&methods](const std::string& method) { return doc_of(known(methods, method)); });
  methods.add("_zerorpc_args", {"method"}, "Arguments of a method.",
              [&methods](const std::string& method) { return argspec(known(methods, method)); });
  methods.add("_zerorpc_inspect", "Name, methods, arguments and documentation.",
              [&methods, service] { return inspect(methods, service); });
}

}  // namespace zerosuite::rpc
