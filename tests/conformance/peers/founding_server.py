"""The zerorpc server of the founding document: a class with add, on a port."""

import signal
import sys

import gevent
import zerorpc
import zmq


class RPCServer(object):
    def add(self, a, b):
        print("a+b", a + b)
        return a + b


server = zerorpc.Server(RPCServer())
server.bind("tcp://127.0.0.1:*")
endpoint = server._events._socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
print(f"listening endpoint={endpoint}", file=sys.stderr, flush=True)
gevent.signal_handler(signal.SIGTERM, sys.exit, 0)
server.run()
