"""Under gevent's monkey patching: argument 1 is the endpoint of the test server, 2 of the suite."""

import sys

from gevent import monkey

monkey.patch_all()

import time

import gevent

import zerosuite

peer = zerosuite.Client(sys.argv[1])
suite = zerosuite.Client(sys.argv[2])
ticks = []


def tick():
    while True:
        ticks.append(time.monotonic())
        gevent.sleep(0.02)


ticker = gevent.spawn(tick)
began = time.monotonic()
sleepers = [gevent.spawn(peer.slow_async, 2000) for _ in range(3)]
assert [sleeper.get(timeout=20) for sleeper in sleepers] == ["slept"] * 3
assert time.monotonic() - began < 5.5, "they ran one after the other"
assert max(after - before for before, after in zip(ticks, ticks[1:])) < 1.8, "the hub was held up"
callers = [gevent.spawn(lambda n=n: [suite.math.add(n, k) for k in range(50)]) for n in range(40)]
assert [caller.get(timeout=30) for caller in callers] == [[n + k for k in range(50)] for n in range(40)]
assert list(suite.math.range(0, 3000)) == list(range(3000))
with zerosuite.Lock(suite, "patched", lease=1.5) as hold:
    gevent.sleep(3.0)
    hold.check()
    assert gevent.spawn(zerosuite.Lock(suite, "patched").acquire, timeout=0.1).get() is False
ids = zerosuite.ids.Ids(suite)
takers = [gevent.spawn(ids.snowflakes().take, 500) for _ in range(10)]
assert len({each for taker in takers for each in taker.get()}) == 5000
killed = gevent.spawn(peer.slow_async, 60_000, "killed")
while peer.fate("killed") is None:
    gevent.sleep(0.01)
killed.kill()
while peer.fate("killed")[0] != "cancelled":
    gevent.sleep(0.01)
ticker.kill()
peer.close()
suite.close()
print("all is well")
