// Held against what CPython answered, see tests/golden/arithmetic.py.
#include "math/arithmetic.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <map>
#include <sstream>

#include "core/error.hpp"
#include "support/golden.hpp"

namespace zerosuite::math::arithmetic_test {

using Words = std::vector<std::string>;
using Numbers = std::vector<Number>;

constexpr Integer kLowest = std::numeric_limits<std::int64_t>::min();
constexpr Integer kHighest = std::numeric_limits<std::uint64_t>::max();

Number parsed(const std::string& word) {
  if (word.find_first_of(".en") != std::string::npos) return std::strtod(word.c_str(), nullptr);
  Integer value = 0;
  const bool negative = word[0] == '-';
  for (const char digit : word.substr(negative ? 1 : 0)) value = 10 * value + (digit - '0');
  return negative ? -value : value;
}

Numbers parsed(Words::const_iterator begin, Words::const_iterator end) {
  Numbers numbers;
  std::transform(begin, end, std::back_inserter(numbers),
                 [](const std::string& word) { return parsed(word); });
  return numbers;
}

// To the bit, so that -0.0 is not 0.0, and nan is nan.
bool same(const Number& a, const Number& b) {
  const auto* const x = std::get_if<double>(&a);
  const auto* const y = std::get_if<double>(&b);
  if (!x || !y) return a == b;
  return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*y) ||
         (std::isnan(*x) && std::isnan(*y));
}

Number call(const Words& words) {
  static const std::map<std::string, Number (*)(const Number&, const Number&)> kOperations{
      {"add", add},       {"subtract", subtract}, {"multiply", multiply},        {"divide", divide},
      {"modulo", modulo}, {"power", power},       {"floor_divide", floor_divide}};
  const std::string& name = words.front();
  const auto first = words.begin() + 1;
  if (name == "sum") return sum(parsed(first, words.end()));
  if (name == "mean") return mean(parsed(first, words.end()));
  const auto by = std::find(first, words.end(), "by");
  if (name == "dot") return dot(parsed(first, by), parsed(by + 1, words.end()));
  return kOperations.at(name)(parsed(words.at(1)), parsed(words.at(2)));
}

// A line of the table reads "name arguments = answer".
void check_line(const std::string& line) {
  CAPTURE(line);
  const std::size_t equals = line.find(" = ");
  REQUIRE(equals != std::string::npos);
  const std::string expected = line.substr(equals + 3);
  std::istringstream left(line.substr(0, equals));
  const Words words(std::istream_iterator<std::string>(left), {});
  try {
    const Number result = call(words);
    REQUIRE(expected.find("core::Error") == std::string::npos);
    CHECK(same(result, parsed(expected)));
  } catch (const core::Failure& failure) {
    const bool with_text = expected.find(':') != std::string::npos;
    CHECK(expected == (with_text ? failure.name() + ": " + failure.what() : failure.name()));
  }
}

template <class F>
core::Error error_of(F f) {
  try {
    f();
  } catch (const core::Failure& failure) {
    return failure.error();
  }
  return {};
}

TEST_CASE("numbers are computed as CPython computes them, to the bit and to the letter") {
  const Words lines = test::golden_lines("arithmetic.txt");
  CHECK(lines.size() > 150);
  for (const std::string& line : lines) check_line(line);
}

TEST_CASE("an integer that leaves 64 bits is an OverflowError and never wraps") {
  for (const core::Error& error :
       {error_of([] { add(kHighest, Integer{1}); }), error_of([] { subtract(kLowest, Integer{1}); }),
        error_of([] { multiply(kHighest, kHighest); }), error_of([] { multiply(kLowest, kHighest); }),
        error_of([] { power(Integer{2}, Integer{64}); }), error_of([] { power(Integer{-2}, Integer{65}); }),
        error_of([] { power(kHighest, kHighest); }), error_of([] { dot({kHighest}, {kHighest}); })}) {
    CHECK(error.name == "OverflowError");
    CHECK(error.text() == "Integer value out of range");
  }
}

TEST_CASE("powers reach the very edge of 64 bits") {
  CHECK(power(Integer{2}, Integer{63}) == Number(kHighest / 2 + 1));
  CHECK(power(Integer{-2}, Integer{63}) == Number(kLowest));
  CHECK(power(Integer{3}, Integer{40}) == Number(Integer{12157665459056928801U}));
  CHECK(power(Integer{-1}, kHighest) == Number(Integer{-1}));
}

TEST_CASE("a quotient of integers is rounded once, as if it were exact before") {
  // The quotient of the two as floats is the float below.
  CHECK(divide(Integer{10499958131665514997U}, Integer{3699794560238578399}) == Number(2.837984099038308));
  CHECK(divide(kHighest, kHighest - 1) == Number(1.0));
  CHECK(divide(kLowest, kHighest) == Number(-0.5));
}

TEST_CASE("the mean of integers is found where their sum is beyond 64 bits") {
  CHECK(mean({kHighest, kHighest}) == Number(18446744073709551616.0));
}

TEST_CASE("nothing sums to 0, and has no mean") {
  CHECK(sum({}) == Number(Integer{0}));
  const core::Error error = error_of([] { mean({}); });
  CHECK(error.name == "ValueError");
  CHECK(error.message == "mean requires at least one data point");
}

TEST_CASE("the scalar product of lists of two lengths is a ValueError") {
  CHECK(error_of([] { dot({Integer{1}}, {}); }).name == "ValueError");
}

TEST_CASE("a negative number has no fractional power, for complex numbers do not travel") {
  CHECK(error_of([] { power(-8.0, 0.5); }).name == "ValueError");
}

TEST_CASE("the greatest common divisor is never negative") {
  CHECK(gcd(0, 0) == 0);
  CHECK(gcd(-12, 18) == 6);
  CHECK(gcd(12, -18) == 6);
  CHECK(gcd(kLowest, 0) == -kLowest);
  CHECK(gcd(0, kLowest) == -kLowest);
  CHECK(gcd(kHighest, kLowest) == 1);
  CHECK(gcd(kHighest, 3 * Integer{5}) == 15);
}

TEST_CASE("factorials are those that 64 bits can hold") {
  CHECK(factorial(0) == 1);
  CHECK(factorial(5) == 120);
  CHECK(factorial(20) == 2432902008176640000);
  CHECK(error_of([] { factorial(21); }).name == "OverflowError");
  const core::Error negative = error_of([] { factorial(-1); });
  CHECK(negative.name == "ValueError");
  CHECK(negative.message == "factorial() not defined for negative values");
}

}  // namespace zerosuite::math::arithmetic_test
