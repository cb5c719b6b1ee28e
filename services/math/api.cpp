#include "math/api.hpp"

#include "math/arithmetic.hpp"
#include "math/primes.hpp"

namespace zerosuite::math {
namespace {

using core::Failure, rpc::Stream, wire::Value;
using Operation = Number (*)(const Number&, const Number&);

std::optional<Number> number(const Value& value) {
  if (const auto* flag = value.as<bool>()) return Integer{*flag};  // as in Python, True is 1
  if (const auto* integer = value.as<Integer>()) return *integer;
  if (const auto* real = value.as<double>()) return *real;
  return {};
}

std::string type(const Value& value) { return "'" + std::string(python_name(value)) + "'"; }

// A binary operator, with Python's error message for operands that are not numbers.
auto binary(std::string sign, Operation operation) {
  return [sign = std::move(sign), operation](const Value& a, const Value& b) {
    const auto x = number(a), y = number(b);
    if (x && y) return operation(*x, *y);
    throw Failure(core::kTypeError,
                  "unsupported operand type(s) for " + sign + ": " + type(a) + " and " + type(b));
  };
}

Stream<std::int64_t> range(std::int64_t start, std::int64_t stop, std::int64_t step) {
  if (step == 0) throw Failure(core::kValueError, "range() arg 3 must not be zero");
  return Stream<std::int64_t>([at = Integer{start}, stop, step]() mutable -> std::optional<std::int64_t> {
    if (step > 0 ? at >= stop : at <= stop) return {};
    return static_cast<std::int64_t>(std::exchange(at, at + step));
  });
}

Stream<Integer> fibonacci(std::int64_t count) {
  return Stream<Integer>([count, a = Integer{0}, b = Integer{1}]() mutable -> std::optional<Integer> {
    if (count-- <= 0) return {};
    return std::exchange(a, std::exchange(b, a + b));
  });
}

std::int64_t count_primes(const std::stop_token& stop, std::int64_t limit) {
  std::int64_t total = 0;
  Primes primes(limit);
  for (auto count = primes.count_segment(); count && !stop.stop_requested(); count = primes.count_segment())
    total += *count;
  return total;
}

}  // namespace

void bind(rpc::Server& server) {
  server.method("add", {"a", "b"}, "a + b", binary("+", add));
  server.method("subtract", {"a", "b"}, "a - b", binary("-", subtract));
  server.method("multiply", {"a", "b"}, "a * b", binary("*", multiply));
  server.method("divide", {"a", "b"}, "a / b, always a float", binary("/", divide));
  server.method("floor_divide", {"a", "b"}, "a // b", binary("//", floor_divide));
  server.method("modulo", {"a", "b"}, "a % b, with the sign of b", binary("%", modulo));
  server.method("power", {"a", "b"}, "a ** b", binary("**", power));
  server.method("sum", {"values"}, "The sum of a list of numbers.", sum);
  server.method("mean", {"values"}, "The mean of a list of numbers.", mean);
  server.method("dot", {"a", "b"}, "The scalar product of two lists.", dot);
  server.method("gcd", {"a", "b"}, "The greatest common divisor.", gcd);
  server.method("factorial", {"n"}, "n!", factorial);
  server.method("echo", {"x"}, "x, unchanged in value and type.", [](Value x) { return x; });
  server.method("range", {"start", "stop", {"step", 1}}, "Streams start, start + step, … before stop.",
                range);
  server.method("primes", {"limit"}, "Streams the primes up to limit.", [](std::int64_t limit) {
    return Stream<std::int64_t>([primes = Primes(limit)]() mutable { return primes.next(); });
  });
  server.method("fibonacci", {"count"}, "Streams the first Fibonacci numbers from 0.", fibonacci);
  server.method("count_primes", {"limit"}, "Counts the primes up to limit.", rpc::blocking(count_primes));
  server.declare_idempotent();  // arithmetic changes nothing
}

}  // namespace zerosuite::math
