// What there is to be called, as servers and proxies describe it.
#pragma once

#include <optional>
#include <string>

#include "wire/value.hpp"

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

}  // namespace zerosuite::rpc
