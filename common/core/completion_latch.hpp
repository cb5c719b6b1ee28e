// Runs an action once several pending operations are done.
#pragma once

#include <memory>
#include <utility>

#include "core/function.hpp"

namespace zerosuite::core {

/// Runs `then` on destruction. Each pending operation holds a SharedLatch; the last one released runs it.
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
