// Arithmetic as Python does it, on the integers and floats that MessagePack can carry.
//
// Integers are exact from −2^63 to 2^64−1 and never wrap; an integer with a float makes a float. What cannot
// be answered throws Failure with Python's name and text: ZeroDivisionError, OverflowError, ValueError. Any
// thread.
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
/// Exact also where a partial sum of integers is beyond 64 bits, but within 127. An empty list sums to 0; its
/// mean is a ValueError, and so is the scalar product of lists of two lengths.
Number sum(const std::vector<Number>& values);
Number mean(const std::vector<Number>& values);
Number dot(const std::vector<Number>& a, const std::vector<Number>& b);
Integer gcd(Integer a, Integer b);  ///< Never negative.
Integer factorial(Integer n);

}  // namespace zerosuite::math
