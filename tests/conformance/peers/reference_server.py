"""A stock zerorpc server with the methods of zerosuite-math and of the test server, as one class.

It is the other side for our client, and the yardstick of the tests themselves: what holds for it must hold for ours.
"""

import signal
import sys
import time

import gevent
import zerorpc
import zmq


class Fate:
    """What became of one handler: how it ended, after how many items, and when."""

    def __init__(self):
        self.state = "running"
        self.items = 0
        self.begun = time.monotonic()
        self.ms = 0

    def end(self, state):
        self.state = state
        self.ms = int((time.monotonic() - self.begun) * 1000)


class Mathematics:
    def add(self, a, b):
        """Adds two numbers.

        The second line of the text.
        """
        return a + b

    def divide(self, a, b):
        return a / b

    def echo(self, value):
        """Answers its argument."""
        return value

    @zerorpc.stream
    def range(self, start, stop, step=1):
        """Counts from start to stop."""
        return iter(range(start, stop, step))


class Peer(Mathematics):
    def __init__(self):
        self.fates = {}

    def slow(self, seconds):
        gevent.sleep(seconds)
        return "slept"

    def busy(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
        return "computed"

    def slow_async(self, ms, tag=""):
        fate = self.fates[tag] = Fate()
        try:
            gevent.sleep(ms / 1000)
        except zerorpc.LostRemote:
            fate.end("cancelled")
            raise
        fate.end("done")
        return "slept"

    def fate(self, tag):
        fate = self.fates.get(tag)
        return [fate.state, fate.items, fate.ms] if fate else None

    def open_channels(self):
        return len(server._multiplexer.active_channels) - 1

    @zerorpc.stream
    def count(self, n):
        return iter(range(n))

    @zerorpc.stream
    def heavy(self, n, size):
        """n items of that many bytes each."""
        return ("x" * size for _ in range(n))

    @zerorpc.stream
    def endless(self, tag=""):
        fate = self.fates[tag] = Fate()
        try:
            while True:
                fate.items += 1
                yield fate.items - 1
        finally:
            fate.end("cancelled")

    @zerorpc.stream
    def fail_after(self, n):
        yield from range(n)
        raise ValueError(f"no more after {n}")

    @zerorpc.stream
    def ticks(self, count, every_ms, tag=""):
        fate = self.fates[tag] = Fate()
        try:
            for number in range(count):
                gevent.sleep(every_ms / 1000)
                fate.items += 1
                yield number
            gevent.sleep(every_ms / 1000)
            fate.end("done")
        finally:
            fate.end("cancelled")

    def boom(self, name, message):
        raise type(name, (Exception,), {})(message)

    def none(self):
        return None

    def tuple(self):
        return (1, (2, 3))

    def bytes(self):
        return b"\x00\xff\x80"

    def big(self, n):
        return "x" * n

    def bad_utf8(self):
        return "\udc80"

    def too_big_int(self):
        return 2**64


class Sink:
    """The methods of a puller and a subscriber: what they were called with goes to standard error."""

    def note(self, *args):
        print("noted", *args, file=sys.stderr, flush=True)

    def fail(self):
        raise ValueError("nobody hears this")


if __name__ == "__main__":
    kind = {"server": zerorpc.Server, "puller": zerorpc.Puller, "subscriber": zerorpc.Subscriber}[sys.argv[1]]
    server = kind(Peer() if kind is zerorpc.Server else Sink())
    gevent.signal_handler(signal.SIGTERM, sys.exit, 0)
    server.bind(sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:*")
    endpoint = server._events._socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
    print(f"listening endpoint={endpoint}", file=sys.stderr, flush=True)
    server.run()
