// Python's arithmetic on the integers and floats of MessagePack.
//
// Integers are exact from −2^63 to 2^64−1 and never wrap; an integer and a float give a float. Throws
// core::Failure with Python's name and text if there is no result: ZeroDivisionError, OverflowError,
// ValueError. Thread-safe.
#pragma once

#include <variant>
#include <vector>

#include "core/integer.hpp"

namespace zerosuite::math {

using core::Integer;

using Number = std::variant<Integer, double>;

Number add(const Number& a, const Number& b);
Number subtract(const Number& a, const Number& b);
Number multiply(const Number& a, const Number& b);
Number divide(const Number& a, const Number& b);        ///< Always a float.
Number floor_divide(const Number& a, const Number& b);  ///< Rounded towards minus infinity.
Number modulo(const Number& a, const Number& b);        ///< With the sign of b.
Number power(const Number& base, const Number& exponent);
/// Exact even if a partial sum of integers exceeds 64 bits, up to 127. The sum of an empty list is 0; its
/// mean is a ValueError, as is the scalar product of lists of different lengths.
Number sum(const std::vector<Number>& values);
Number mean(const std::vector<Number>& values);
Number dot(const std::vector<Number>& a, const std::vector<Number>& b);
Integer gcd(Integer a, Integer b);  ///< Never negative.
Integer factorial(Integer n);

}  // namespace zerosuite::math
