"""Calls: names, keywords, timeouts, errors, futures."""

import zerosuite

client = zerosuite.Client("tcp://127.0.0.1:4243", timeout=30)

client.math.add(88, 77)  # a service's method
client.add(88, 77)  # a bare name, when only one service has it
client("math.add", 88, 77)  # any name
client.math.subtract(b=1, a=3)  # keywords, as the server names its arguments
client.math.add(88, 77, timeout=5)  # seconds until the first reply

try:
    client.math.divide(1, 0)
except ZeroDivisionError as error:  # Python's names are Python's classes
    print(error)

try:
    client.id.segment("a tag that nobody has created")
except zerosuite.errors.NoSuchTag as error:  # and each of the suite's has its own
    print(error.name, error.msg, error.details)

try:
    client.math.count_primes(100_000_000, timeout=0.2)
except zerosuite.TimeoutExpired as error:  # the server was told to stop
    print(error)

futures = [client.submit("math.add", n, 1) for n in range(64)]
print(sum(future.result() for future in futures))

print(sorted(client.inspect())[:3])
client.close()
