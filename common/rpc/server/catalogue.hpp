// The methods that can be called, as servers and proxies describe them.
#pragma once

#include <optional>
#include <string>

#include "wire/value.hpp"

namespace zerosuite::rpc {

/// The methods that can be called, each described as by `_zerorpc_inspect`: `{"args": [{"name", "default"}],
/// "doc"}`.
class Catalogue {
 public:
  virtual ~Catalogue() = default;

  /// The description of each public method, sorted by name.
  virtual wire::Dict methods() const = 0;
  /// The description of one method; nullopt when it is not known.
  virtual std::optional<wire::Value> find(const std::string& name) const = 0;
  /// Further keys of the reply to `_zerorpc_inspect`, which stock clients ignore.
  virtual wire::Dict more() const { return {}; }
};

}  // namespace zerosuite::rpc
