"""Makes arithmetic.txt: what CPython 3.11 answers, one line for each call. See the head of its output."""

import itertools
import math
import operator
import sys

# The edges alone: tests/conformance/test_math.py asks the service, and CPython, for many more.
INTEGERS = [-3, 2**64 - 1]
FLOATS = [-0.0, -7.0, float("inf")]
OPERATIONS = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
              "floor_divide": operator.floordiv, "modulo": operator.mod, "power": operator.pow}
PLAIN = {"add", "subtract", "multiply"}  # on two floats the processor's own, in Python as here
LISTS = [
    [0], [1, 2, 3], [2**64 - 1, 2**64 - 1, -(2**64 - 1)], [-(2**63), -1, 1], [2**64 - 1, 1], [-(2**63), -1],
    [2**64 - 1, 1, 0.0], [0.1, 1, 0.2], [0.1] * 10, [2**53, 1, 1.0, 1, 1], [1e308, 1e308, -1e308], [-0.0], [1, -0.0, -1],
    [2**64 - 1] * 3, [2**63 - 1, 2**63, 2], [float("inf"), -float("inf")],
]
PAIRS = [
    ([], []), ([1, 2], [3, 4]), ([2**63, 2**63], [2**62, -(2**62)]), ([2**64 - 1], [2]), ([0.1, 3], [0.2, 2**53 + 1]),
    ([2**40, 0.5, 2**40], [2**40, 2, -(2**40)]),
]


def power_is_too_big(base, exponent):
    """2 ** (2**64) would take Python a while, and all the memory there is."""
    return isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1 and exponent > 64


def power_is_complex(base, exponent):
    return -math.inf < base < 0 and math.isfinite(exponent) and exponent % 1 != 0


def answer(function, *arguments):
    if function is operator.pow and power_is_too_big(*arguments):
        return "OverflowError"
    if function is operator.pow and power_is_complex(*arguments):
        return "ValueError"
    try:
        value = function(*arguments)
    except ZeroDivisionError as error:
        return f"ZeroDivisionError: {error}"
    except OverflowError:
        return "OverflowError"
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return "OverflowError"
    return repr(value)


def mean(values):
    return sum(values) / len(values)


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


print(f"# Made by: python3 tests/golden/arithmetic.py > tests/golden/arithmetic.txt (CPython {sys.version.split()[0]})")
print("# Integers beyond the wire's are an OverflowError here, complex numbers a ValueError.")
for name, function in OPERATIONS.items():
    for a, b in itertools.product(INTEGERS + FLOATS, repeat=2):
        if name in PLAIN and isinstance(a, float) and isinstance(b, float):
            continue
        print(f"{name} {a!r} {b!r} = {answer(function, a, b)}")
for values in LISTS:
    for name, function in {"sum": sum, "mean": mean}.items():
        print(" ".join([name, *map(repr, values), "=", answer(function, values)]))
for a, b in PAIRS:
    print(" ".join(["dot", *map(repr, a), "by", *map(repr, b), "=", answer(dot, a, b)]))
