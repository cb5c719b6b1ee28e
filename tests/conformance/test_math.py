"""The math service computes what Python computes, and fails where Python fails."""

import itertools
import math
import operator
import statistics

import pytest

pytestmark = pytest.mark.ours

NUMBERS = [0, 1, -1, 2, 3, -3, 7, -7, 10, 63, 64, 2**31, -(2**31), 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64 - 1, True,
           0.0, -0.0, 0.1, -0.3, 0.5, 1.0, -2.5, 3.0, -7.0, 1e16, 5e-324, 1e-300, 1e308, -1e308, 1.7e308, math.inf, -math.inf,
           math.nan]
OPERATORS = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
             "floor_divide": operator.floordiv, "modulo": operator.mod, "power": operator.pow}


def by_python(function, args):
    """("value", value), or ("error", name) where Python raises or the wire cannot carry the result."""
    try:
        value = function(*args)
    except (ArithmeticError, TypeError, ValueError) as error:
        return "error", type(error).__name__
    if isinstance(value, complex):
        return "error", "ValueError"
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return "error", "OverflowError"
    return "value", value


def by_service(raw, method, args):
    reply = raw.next(raw.call(method, args))
    return ("value", reply.args[0]) if reply.name == "OK" else ("error", reply.args[0])


def same(left, right):
    """To the bit, so that -0.0 is not 0.0; but nan is nan."""
    a, b = left[1], right[1]
    if left[0] != right[0] or type(a) is not type(b):
        return False
    if isinstance(a, float):
        return math.isnan(a) and math.isnan(b) or (a, math.copysign(1, a)) == (b, math.copysign(1, b))
    return a == b


def differences(raw, method, function, cases):
    for args in cases:
        ours, theirs = by_service(raw, method, args), by_python(function, args)
        if not same(ours, theirs):
            yield args, "ours", ours, "python", theirs


def too_long(method, args):
    """Powers Python would compute exactly for minutes."""
    return method == "power" and all(isinstance(arg, int) for arg in args) and args[1] > 200 and abs(args[0]) > 1


@pytest.mark.parametrize("method", OPERATORS)
def test_an_operator_agrees_with_python_on_all_pairs(raw_math, method):
    cases = [pair for pair in itertools.product(NUMBERS, repeat=2) if not too_long(method, pair)]
    assert list(differences(raw_math, method, OPERATORS[method], cases)) == []


@pytest.mark.parametrize("values", [[], [1], [1, 2, 3], [0.1] * 10, [1, 2.5], [2**63, 2**63], [1e308, 1e308], [1, -1]],
                         ids=str)
def test_a_sum_agrees_with_python(raw_math, values):
    assert list(differences(raw_math, "sum", sum, [[values]])) == []


@pytest.mark.parametrize("values", [[1], [1, 2, 3, 4], [0.5, 1.5], [-3, 3], [2**60] * 3], ids=str)
def test_a_mean_is_that_of_python(raw_math, values):
    assert raw_math.value("mean", values) == pytest.approx(statistics.fmean(values))


def test_the_mean_of_nothing_is_an_error(raw_math):
    assert raw_math.error("mean", [])[0] in ("ValueError", "StatisticsError", "ZeroDivisionError")


def test_a_scalar_product_is_computed_element_by_element(raw_math):
    assert raw_math.value("dot", [1, 2, 3], [4, 5, 6]) == 32
    assert raw_math.value("dot", [0.5], [4]) == 2.0
    assert raw_math.value("dot", [], []) == 0
    assert raw_math.error("dot", [1], [1, 2])[0] == "ValueError"


@pytest.mark.parametrize("pair", [(12, 18), (0, 0), (0, 5), (-12, 18), (2**63 - 1, 2**31), (-(2**63), 0)], ids=str)
def test_a_greatest_common_divisor_agrees_with_python(raw_math, pair):
    assert list(differences(raw_math, "gcd", math.gcd, [pair])) == []


def test_a_factorial_agrees_with_python_as_far_as_the_wire_goes(raw_math):
    assert list(differences(raw_math, "factorial", math.factorial, [[n] for n in range(-2, 30)])) == []


def test_text_and_nothing_are_no_numbers(raw_math):
    for method, (left, right) in itertools.product(OPERATORS, [("a", 1), (1, None), ([1], 2), ({}, {})]):
        assert raw_math.error(method, left, right)[0] == "TypeError", (method, left, right)


def test_primes_are_primes(python_math):
    primes = python_math.items("primes", 10_000)
    assert len(primes) == 1_229
    assert all(all(prime % divisor for divisor in range(2, math.isqrt(prime) + 1)) for prime in primes)
    assert python_math.call("count_primes", 1_000_000) == 78_498


@pytest.mark.parametrize("limit", [-5, 0, 1, 2, 3, 4, 25, 121, 122])
def test_primes_up_to_a_limit_include_it(python_math, limit):
    expected = [n for n in range(2, limit + 1) if all(n % divisor for divisor in range(2, n))]
    assert python_math.items("primes", limit) == expected
    assert python_math.call("count_primes", limit) == len(expected)


def test_fibonacci_numbers_end_where_the_wire_ends(python_math):
    expected = [0, 1]
    while len(expected) < 94:
        expected.append(expected[-1] + expected[-2])
    assert python_math.items("fibonacci", 94) == expected
    answer = python_math.stream("fibonacci", 95)
    assert (answer["items"], answer["error"]["name"]) == (expected, "OverflowError")


def test_a_range_as_long_as_you_like_starts_at_once(suite):
    # A client of its own: a stock one that leaves a stream with items on their way may read nothing any more.
    answer = suite.python_client(suite.math).stream("range", 0, 2**62, take=3)
    assert answer["items"] == [0, 1, 2]


def test_a_range_reaches_the_end_of_64_bits(python_math):
    assert python_math.items("range", 2**63 - 3, 2**63 - 1) == [2**63 - 3, 2**63 - 2]
