// What is to happen once several answers have come.
#pragma once

#include <memory>
#include <utility>

#include "core/function.hpp"

namespace zerosuite::id {

/// Runs `then` when the last copy of the pointer goes: everybody who is waited for holds one.
class Last {
 public:
  explicit Last(core::MoveFunction<void()> then) : then_(std::move(then)) {}
  ~Last() { then_(); }
  Last(const Last&) = delete;
  Last& operator=(const Last&) = delete;

 private:
  core::MoveFunction<void()> then_;
};

using SharedLast = std::shared_ptr<Last>;

}  // namespace zerosuite::id
