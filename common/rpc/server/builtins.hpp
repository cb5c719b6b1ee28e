// The six methods every zerorpc server has, with results in the form the stock `zerorpc` command line reads.
#pragma once

#include <functional>
#include <string>

#include "rpc/server/catalogue.hpp"
#include "rpc/server/method.hpp"

namespace zerosuite::rpc {

/// The public methods of a table. The description of a method that is `idempotent` or `relief` has a key of
/// that name.
class OwnMethods final : public Catalogue {
 public:
  explicit OwnMethods(const Methods& methods) : methods_(methods) {}

  wire::Dict methods() const override;
  std::optional<wire::Value> find(const std::string& name) const override;

 private:
  const Methods& methods_;
};

/// Adds `_zerorpc_list`, `_name`, `_ping`, `_help`, `_args` and `_inspect` (docs/protocol.md, "Built-in
/// methods"). They describe what the catalogue holds when they are called.
void add_builtins(Methods& methods, const std::string& service,
                  const std::function<const Catalogue&()>& catalogue);

}  // namespace zerosuite::rpc
