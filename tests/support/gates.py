"""Ways to a server that are slow, or that break."""

import contextlib
import socket
import struct
import threading
import time
from urllib.parse import urlparse

CHUNK = 16 << 10
IN_EVERY_EVENT = b"message_id"  # and in no handshake
RESET_WHEN_CLOSED = struct.pack("ii", 1, 0)


class Gate:
    """A TCP port on the loopback interface that carries on to the server's."""

    def __init__(self, endpoint):
        self._target = urlparse(endpoint)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # closed
            with contextlib.suppress(ConnectionRefusedError):  # the server is not there; they dial again
                far = socket.create_connection((self._target.hostname, self._target.port))
                self._join(near, far)

    def _join(self, near, far):
        for way in (("request", near, far), ("answer", far, near)):
            threading.Thread(target=self._carry_all, args=way, daemon=True).start()

    def _carry_all(self, what, source, target):
        try:
            while data := source.recv(CHUNK):
                self._carry(what, data, source, target)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other way has ended

    def _carry(self, what, data, source, target):
        target.sendall(data)


class SlowGate(Gate):
    """It carries no more than so many bytes a second. What comes through waits in the sender's buffers, not here."""

    def __init__(self, endpoint, bytes_per_second):
        self._rate = bytes_per_second
        super().__init__(endpoint)

    def _join(self, near, far):
        for end in (near, far):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * CHUNK)
        super()._join(near, far)

    def _carry(self, what, data, source, target):
        target.sendall(data)
        time.sleep(len(data) / self._rate)


class BreakingGate(Gate):
    """It resets a client's connection between a request and its answer, once each time that it is told to."""

    def __init__(self, endpoint):
        self._wanted = None
        self._broken = threading.Semaphore(0)
        self._open = threading.Event()
        self._open.set()
        super().__init__(endpoint)

    def break_at(self, what):
        """The connection that comes next with a "request", which the server still gets, or an "answer", which the
        client does not."""
        self._wanted = what

    def await_break(self, seconds=10.0):
        assert self._broken.acquire(timeout=seconds), f"no {self._wanted} came within {seconds} s"

    @contextlib.contextmanager
    def shut(self):
        """What clients send meanwhile comes to the server afterwards."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def _join(self, near, far):
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_WHEN_CLOSED)
        super()._join(near, far)

    def _carry(self, what, data, source, target):
        if what == "request":
            self._open.wait()
        breaks = self._wanted == what and IN_EVERY_EVENT in data
        if what == "request" or not breaks:
            target.sendall(data)
        if breaks:
            self._wanted = None
            for end in (source, target):
                end.shutdown(socket.SHUT_RDWR)
            self._broken.release()
