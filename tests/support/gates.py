"""A way to a server that carries no more than so many bytes a second."""

import socket
import threading
import time
from urllib.parse import urlparse

CHUNK = 16 << 10


class SlowGate:
    """A TCP port on the loopback interface. What comes through waits in the sender's buffers, not here."""

    def __init__(self, endpoint, bytes_per_second):
        self._target = urlparse(endpoint)
        self._rate = bytes_per_second
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
            far = socket.create_connection((self._target.hostname, self._target.port))
            for source, target in ((near, far), (far, near)):
                source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * CHUNK)
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source, target):
        try:
            while data := source.recv(CHUNK):
                target.sendall(data)
                time.sleep(len(data) / self._rate)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other way has ended
