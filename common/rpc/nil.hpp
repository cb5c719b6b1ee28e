// void as a value: the result of a method that returns nothing.
#pragma once

#include <type_traits>
#include <variant>

namespace zerosuite::rpc {

template <class T>
using NilForVoid = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

}  // namespace zerosuite::rpc
