// The result of an operation that can fail: a value or an Error.
#pragma once

#include <utility>
#include <variant>

#include "core/error.hpp"
#include "core/function.hpp"

namespace zerosuite::core {

/// C++23 has std::expected. Accessing the value or error that is not there throws std::bad_variant_access.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

/// A callback for a result: called once, on the loop's thread. Whether that may be before the call that takes
/// it returns, that call says.
template <class T>
using Done = MoveFunction<void(Result<T>)>;

}  // namespace zerosuite::core
