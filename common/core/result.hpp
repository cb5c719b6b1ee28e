// What a step that can fail returns: a value, or the named failure of the world around it.
#pragma once

#include <utility>
#include <variant>

#include "core/error.hpp"
#include "core/function.hpp"

namespace zerosuite::core {

/// C++23 has std::expected. Reading the half that is not there throws std::bad_variant_access.
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

/// The callback that takes a result: called once, on the loop's thread, perhaps before the call that took it
/// returns.
template <class T>
using Done = MoveFunction<void(Result<T>)>;

}  // namespace zerosuite::core
