// A std::function for move-only callables (holding a promise, a unique_ptr). C++23 has
// std::move_only_function.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace zerosuite::core {

template <class Signature>
class MoveFunction;

/// Holds one callable; empty when default-constructed or moved from. Calling an empty one is undefined. Not
/// thread-safe; may be moved from one thread to another.
template <class R, class... Args>
class MoveFunction<R(Args...)> {
 public:
  MoveFunction() = default;

  /// Implicit, as in std::function.
  template <class F, class = std::enable_if_t<!std::is_same_v<std::remove_cvref_t<F>, MoveFunction> &&
                                              std::is_invocable_r_v<R, F&, Args...>>>
  MoveFunction(F&& f)
      : target_(std::make_unique<Holder<std::decay_t<F>>>(std::in_place, std::forward<F>(f))) {}

  R operator()(Args... args) { return target_->call(std::forward<Args>(args)...); }
  explicit operator bool() const { return target_ != nullptr; }

 private:
  struct Target {
    virtual ~Target() = default;
    virtual R call(Args... args) = 0;
  };
  template <class F>
  struct Holder final : Target {
    // The tag distinguishes it from the copy and move constructors.
    template <class G>
    Holder(std::in_place_t, G&& g) : f(std::forward<G>(g)) {}
    R call(Args... args) override { return static_cast<R>(f(std::forward<Args>(args)...)); }
    F f;
  };
  std::unique_ptr<Target> target_;
};

}  // namespace zerosuite::core
