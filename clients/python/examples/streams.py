"""Streams are iterators. The server sends no more than was asked for, and stops when nobody wants more."""

import zerosuite

with zerosuite.Client("tcp://127.0.0.1:4243") as client:
    for prime in client.math.primes(1_000_000):
        if prime > 100:
            break  # the server is told

    with client.math.range(0, 1_000_000, slots=10) as stream:  # at most ten on their way
        print(next(stream), next(stream))
