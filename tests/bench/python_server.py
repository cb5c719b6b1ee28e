"""The stock zerorpc server: `add`, a slow call and a stream, on a free port of the loopback, which it names on standard error."""

import sys

import gevent
import zerorpc
import zmq


class Math:
    def add(self, a, b):
        return a + b

    def slow_async(self, ms):
        gevent.sleep(ms / 1000)

    @zerorpc.stream
    def range(self, start, stop):
        return iter(range(start, stop))


if __name__ == "__main__":
    server = zerorpc.Server(Math())
    server.bind("tcp://127.0.0.1:*")
    # zerorpc has no call that tells the port it got.
    endpoint = server._events._socket.getsockopt_string(zmq.LAST_ENDPOINT)
    print(f"listening endpoint={endpoint}", file=sys.stderr, flush=True)
    server.run()
