// What happens once several replies have come.
#pragma once

#include <memory>
#include <utility>

#include "core/function.hpp"

namespace zerosuite::core {

/// Runs `then` when the last copy of the pointer goes: each pending operation holds one.
class CompletionLatch {
 public:
  explicit CompletionLatch(MoveFunction<void()> then) : then_(std::move(then)) {}
  ~CompletionLatch() { then_(); }
  CompletionLatch(const CompletionLatch&) = delete;
  CompletionLatch& operator=(const CompletionLatch&) = delete;

 private:
  MoveFunction<void()> then_;
};

using SharedLatch = std::shared_ptr<CompletionLatch>;

}  // namespace zerosuite::core
