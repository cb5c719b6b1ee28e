#include "core/arithmetic.hpp"

#include <cmath>
#include <functional>

#include "core/error.hpp"

namespace zerosuite::core {
namespace {

[[noreturn]] void fail(const ErrorName& name, const char* text) { throw Failure(name, text); }

Integer checked(Integer value) {
  if (!fits_wire(value)) fail(kOverflowError, "Integer value out of range");
  return value;
}

double real(const Number& number) {
  return std::visit([](auto value) { return static_cast<double>(value); }, number);
}

template <class OnIntegers, class OnFloats>
Number apply(const Number& a, const Number& b, OnIntegers on_integers, OnFloats on_floats) {
  const auto* const i = std::get_if<Integer>(&a);
  const auto* const j = std::get_if<Integer>(&b);
  if (!i || !j) return on_floats(real(a), real(b));
  return checked(on_integers(*i, *j));
}

Integer product(Integer a, Integer b) {
  Integer result;
  if (__builtin_mul_overflow(a, b, &result)) fail(kOverflowError, "Integer value out of range");
  return result;
}

Integer integer_modulo(Integer a, Integer b) {
  if (b == 0) fail(kZeroDivisionError, "integer modulo by zero");
  const Integer rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

double float_modulo(double a, double b) {
  if (b == 0) fail(kZeroDivisionError, "float modulo");
  const double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

Integer integer_power(Integer base, Integer exponent) {
  if (base == 0 || base == 1) return exponent == 0 ? 1 : base;
  if (base == -1) return exponent % 2 == 0 ? 1 : -1;
  Integer result = 1;
  for (; exponent > 0 && fits_wire(result); --exponent) result = product(result, base);  // 64 rounds at most
  return result;
}

double float_power(double base, double exponent) {
  if (base == 0 && exponent < 0) fail(kZeroDivisionError, "0.0 cannot be raised to a negative power");
  const double result = std::pow(base, exponent);
  if (std::isnan(result) && !std::isnan(base) && !std::isnan(exponent))
    fail(kValueError, "a negative number cannot be raised to a fractional power");
  if (std::isinf(result) && std::isfinite(base) && std::isfinite(exponent))
    fail(kOverflowError, "Numerical result out of range");
  return result;
}

}  // namespace

Number add(const Number& a, const Number& b) { return apply(a, b, std::plus<>(), std::plus<>()); }
Number subtract(const Number& a, const Number& b) { return apply(a, b, std::minus<>(), std::minus<>()); }
Number multiply(const Number& a, const Number& b) { return apply(a, b, product, std::multiplies<>()); }

Number divide(const Number& a, const Number& b) {
  if (real(b) == 0) fail(kZeroDivisionError, "division by zero");
  return real(a) / real(b);
}

Number floor_divide(const Number& a, const Number& b) {
  if (real(b) == 0) fail(kZeroDivisionError, "integer division or modulo by zero");
  const auto on_floats = [](double x, double y) { return std::round((x - float_modulo(x, y)) / y); };
  return apply(
      a, b, [](Integer x, Integer y) { return (x - integer_modulo(x, y)) / y; }, on_floats);
}

Number modulo(const Number& a, const Number& b) { return apply(a, b, integer_modulo, float_modulo); }

Number power(const Number& base, const Number& exponent) {
  const auto* const whole = std::get_if<Integer>(&exponent);
  return whole && *whole < 0 ? float_power(real(base), real(exponent))
                             : apply(base, exponent, integer_power, float_power);
}

Number sum(const std::vector<Number>& values) {
  const std::vector<Number> ones(values.size(), Integer{1});
  return dot(values, ones);
}

Number mean(const std::vector<Number>& values) {
  if (values.empty()) fail(kValueError, "mean requires at least one data point");
  return divide(sum(values), Integer(values.size()));
}

Number dot(const std::vector<Number>& a, const std::vector<Number>& b) {
  if (a.size() != b.size()) fail(kValueError, "the two lists must have one length");
  Integer whole = 0;
  double fraction = 0;
  bool exact = true;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto* const x = std::get_if<Integer>(&a[i]);
    const auto* const y = std::get_if<Integer>(&b[i]);
    exact = exact && x && y;
    if (!x || !y) {
      fraction += real(a[i]) * real(b[i]);
    } else if (__builtin_add_overflow(whole, product(*x, *y), &whole)) {
      fail(kOverflowError, "Integer value out of range");
    }
  }
  if (exact) return checked(whole);
  return static_cast<double>(whole) + fraction;
}

Integer gcd(Integer a, Integer b) { return b == 0 ? (a < 0 ? -a : a) : gcd(b, a % b); }

Integer factorial(Integer n) {
  constexpr Integer kLast = 20;  // 21! is beyond 2^64
  if (n < 0) fail(kValueError, "factorial() not defined for negative values");
  if (n > kLast) fail(kOverflowError, "Integer value out of range");
  return n == 0 ? 1 : n * factorial(n - 1);
}

}  // namespace zerosuite::core
