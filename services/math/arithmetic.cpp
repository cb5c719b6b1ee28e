#include "math/arithmetic.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>

#include "core/error.hpp"

namespace zerosuite::math {
namespace {

using core::ErrorName, core::Failure, core::fits_wire, core::kOverflowError, core::kValueError,
    core::kZeroDivisionError;

[[noreturn]] void fail(const ErrorName& name, const char* text) { throw Failure(name, text); }

double real(const Number& number) {
  return std::visit([](auto value) { return static_cast<double>(value); }, number);
}

Number checked(const Number& number) {
  const auto* const whole = std::get_if<Integer>(&number);
  if (whole && !fits_wire(*whole)) fail(kOverflowError, "Integer value out of range");
  return number;
}

// The result may exceed 64 bits, so that a sum or a mean can return to their range.
template <class OnIntegers, class OnFloats>
Number combine(const Number& a, const Number& b, OnIntegers on_integers, OnFloats on_floats) {
  const auto* const i = std::get_if<Integer>(&a);
  const auto* const j = std::get_if<Integer>(&b);
  if (!i || !j) return on_floats(real(a), real(b));
  return on_integers(*i, *j);
}

template <class OnIntegers, class OnFloats>
Number apply(const Number& a, const Number& b, OnIntegers on_integers, OnFloats on_floats) {
  return checked(combine(a, b, on_integers, on_floats));
}

Integer wide_sum(Integer a, Integer b) {
  Integer result;
  if (__builtin_add_overflow(a, b, &result)) fail(kOverflowError, "Integer value out of range");
  return result;
}

Integer product(Integer a, Integer b) {
  Integer result;
  if (__builtin_mul_overflow(a, b, &result)) fail(kOverflowError, "Integer value out of range");
  return result;
}

int bits(Integer magnitude) {
  int count = 0;
  for (; magnitude > 0; magnitude >>= 1) ++count;
  return count;
}

// Rounded once, as in Python: converting a and b to floats first would round each of them.
double integer_quotient(Integer a, Integer b) {
  if (b == 0) fail(kZeroDivisionError, "division by zero");
  constexpr Integer kExact = Integer{1} << 53;
  if (-kExact <= a && a <= kExact && -kExact <= b && b <= kExact)
    return static_cast<double>(a) / static_cast<double>(b);
  const Integer over = a < 0 ? -a : a;
  const Integer under = b < 0 ? -b : b;
  constexpr int kDigits = 55;  // a float's 53 bits, the rounding bit, and a sticky bit for the rest
  const int shift = std::max(0, kDigits + bits(under) - bits(over));
  Integer digits = (over << shift) / under;
  if (digits * under != over << shift) digits |= 1;
  const double magnitude = std::ldexp(static_cast<double>(digits), -shift);
  return (a < 0) != (b < 0) ? -magnitude : magnitude;
}

double float_quotient(double a, double b) {
  if (b == 0) fail(kZeroDivisionError, "float division by zero");
  return a / b;
}

Integer integer_modulo(Integer a, Integer b) {
  if (b == 0) fail(kZeroDivisionError, "integer modulo by zero");
  const Integer rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Integer integer_floor(Integer a, Integer b) {
  if (b == 0) fail(kZeroDivisionError, "integer division or modulo by zero");
  return (a - integer_modulo(a, b)) / b;
}

double float_modulo(double a, double b) {
  if (b == 0) fail(kZeroDivisionError, "float modulo");
  const double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

// The exact remainder gives the exact quotient; a / b may have been rounded up to the next integer. The steps
// are CPython's (Objects/floatobject.c, _float_div_mod), since only the same steps round the same way.
double float_floor(double a, double b) {
  if (b == 0) fail(kZeroDivisionError, "float floor division by zero");
  const double rest = std::fmod(a, b);
  const bool below = rest != 0 && (rest < 0) != (b < 0);
  const double quotient = (a - rest) / b - (below ? 1 : 0);
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double whole = std::floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

Integer integer_power(Integer base, Integer exponent) {
  if (base == 0 || base == 1) return exponent == 0 ? 1 : base;
  if (base == -1) return exponent % 2 == 0 ? 1 : -1;
  Integer result = 1;
  for (; exponent > 0 && fits_wire(result); --exponent) result = product(result, base);  // at most 64 rounds
  return result;
}

double float_power(double base, double exponent) {
  if (base == 0 && exponent < 0 && std::isfinite(exponent))
    fail(kZeroDivisionError, "0.0 cannot be raised to a negative power");
  const double result = std::pow(base, exponent);
  if (std::isnan(result) && !std::isnan(base) && !std::isnan(exponent))
    fail(kValueError, "a negative number cannot be raised to a fractional power");
  if (std::isinf(result) && std::isfinite(base) && std::isfinite(exponent))
    fail(kOverflowError, "Numerical result out of range");
  return result;
}

// From the first float on, the sum is a float, and rounded at each step.
Number exact_sum(const std::vector<Number>& values) {
  Number total = Integer{0};
  for (const Number& value : values) total = combine(total, value, wide_sum, std::plus<>());
  return total;
}

}  // namespace

Number add(const Number& a, const Number& b) { return apply(a, b, std::plus<>(), std::plus<>()); }
Number subtract(const Number& a, const Number& b) { return apply(a, b, std::minus<>(), std::minus<>()); }
Number multiply(const Number& a, const Number& b) { return apply(a, b, product, std::multiplies<>()); }

Number divide(const Number& a, const Number& b) { return combine(a, b, integer_quotient, float_quotient); }
Number floor_divide(const Number& a, const Number& b) { return apply(a, b, integer_floor, float_floor); }
Number modulo(const Number& a, const Number& b) { return apply(a, b, integer_modulo, float_modulo); }

Number power(const Number& base, const Number& exponent) {
  const auto* const whole = std::get_if<Integer>(&exponent);
  return whole && *whole < 0 ? float_power(real(base), real(exponent))
                             : apply(base, exponent, integer_power, float_power);
}

Number sum(const std::vector<Number>& values) { return checked(exact_sum(values)); }

Number mean(const std::vector<Number>& values) {
  if (values.empty()) fail(kValueError, "mean requires at least one data point");
  return divide(exact_sum(values), Integer(values.size()));
}

Number dot(const std::vector<Number>& a, const std::vector<Number>& b) {
  if (a.size() != b.size()) fail(kValueError, "the two lists must have one length");
  std::vector<Number> products;
  products.reserve(a.size());
  const auto multiplied = [](const Number& x, const Number& y) {
    return combine(x, y, product, std::multiplies<>());
  };
  std::transform(a.begin(), a.end(), b.begin(), std::back_inserter(products), multiplied);
  return checked(exact_sum(products));
}

Integer gcd(Integer a, Integer b) { return b == 0 ? (a < 0 ? -a : a) : gcd(b, a % b); }

Integer factorial(Integer n) {
  constexpr Integer kLast = 20;  // 21! is beyond 2^64
  if (n < 0) fail(kValueError, "factorial() not defined for negative values");
  if (n > kLast) fail(kOverflowError, "Integer value out of range");
  return n == 0 ? 1 : n * factorial(n - 1);
}

}  // namespace zerosuite::math
