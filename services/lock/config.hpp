// The configuration of zerosuite-lock, beyond what all programs share.
#pragma once

#include <string>

#include "lock/broker/request.hpp"
#include "lock/engines/embedded.hpp"
#include "ops/config.hpp"

namespace zerosuite::lock {

inline constexpr ops::Program kProgram{.name = "lock",
                                       .summary = "Distributed locks and semaphores over zerorpc.",
                                       .bind = "tcp://127.0.0.1:4302",
                                       .data = "data/lock",
                                       .sticky = true};

struct Config final : ops::Config {
  void describe(ops::OptionTable& options) override;

  /// The engine's options: the folder is `data`, `wall_ms` the current time.
  engines::EmbeddedOptions embedded() const;

  Limits limits;
  std::string engine = "embedded";
  engines::Durability durability = engines::Durability::kSync;
};

}  // namespace zerosuite::lock
