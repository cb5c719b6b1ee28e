// The six methods every zerorpc server has, in the shapes the stock `zerorpc` command line reads.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "rpc/server/method.hpp"

namespace zerosuite::rpc {

/// What there is to be called, as `_zerorpc_inspect` describes it: `{"args": [{"name", "default"}], "doc"}`.
class Catalogue {
 public:
  virtual ~Catalogue() = default;

  /// A description for each public method, sorted by name.
  virtual wire::Dict methods() const = 0;
  /// The description of one method; nullopt when it is not known.
  virtual std::optional<wire::Value> find(const std::string& name) const = 0;
  /// Further keys of the answer to `_zerorpc_inspect`, which stock clients pass over.
  virtual wire::Dict more() const { return {}; }
};

/// The public methods of a table. One whose `idempotent` or `relief` is set has a key of that name in its
/// description.
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
