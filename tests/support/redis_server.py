"""Redis servers of a test's own, and a gate that loses what goes through it."""

import contextlib
import socket
import threading

import redis

from support.programs import Program, Restartable, wait_until


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class RedisServer(Restartable):
    """redis-server over its restarts: one folder, one port. What it was told is there after kill()."""

    def __init__(self, suite, *options, appendonly=True, replica_of=None):
        self.suite = suite
        self.port = free_port()
        self.folder = suite.folder()
        self.options = ["--save", "", "--appendonly", "yes" if appendonly else "no", "--appendfsync", "always",
                        "--repl-diskless-sync-delay", "0", *options]
        if replica_of is not None:
            self.options += ["--replicaof", "127.0.0.1", replica_of.port]
        self.program = None
        # One that does not answer must not hold up a test.
        self.client = redis.Redis(port=self.port, decode_responses=True, socket_timeout=5)
        self.start()
        if replica_of is None:
            self.client.set("zerosuite:id:born", 0)  # not one that may have lost its data
        else:
            wait_until(lambda: self.client.info("replication")["master_link_status"] == "up")

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        """Also after kill()."""
        self.program = self.suite.keep(Program(
            ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--dir", self.folder, *self.options]))
        wait_until(self._answers)

    def _answers(self):
        assert self.program.process.poll() is None, self.program.log()
        with contextlib.suppress(redis.ConnectionError, redis.exceptions.BusyLoadingError):
            return self.client.ping()
        return False


class Gate:
    """A way to a server on which connections are cut and answers lost. Ends with close()."""

    MOST = 1 << 16

    def __init__(self, server):
        self.server = server  # where new connections go; has a port
        self._lock = threading.Lock()
        self._open = set()
        self._shut = False
        self._losing = None
        self.lost = 0  # answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def cut(self):
        """Nothing comes through until mend()."""
        with self._lock:
            self._shut = True
            connections = list(self._open)
        for connection in connections:
            self._end(connection)

    def mend(self, server=None):
        """Lets connections through again, to that server from now on if one is given."""
        with self._lock:
            self.server = server or self.server
            self._shut = False

    def lose_answers(self, to):
        """Whatever contains those bytes is done, and then its connection ends without an answer; None ends this."""
        with self._lock:
            self._losing = to

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.server.port), 5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            connection = Connection(client, server)
            with self._lock:
                shut = self._shut
                self._open.add(connection)
            if shut:
                self._end(connection)
                continue
            threading.Thread(target=self._ask, args=(connection,), daemon=True).start()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _ask(self, connection):
        with contextlib.suppress(OSError):
            while data := connection.client.recv(self.MOST):
                with self._lock:
                    doomed = self._losing is not None and self._losing in data
                connection.doomed = connection.doomed or doomed
                connection.server.sendall(data)
        self._end(connection)

    def _answer(self, connection):
        with contextlib.suppress(OSError):
            while data := connection.server.recv(self.MOST):
                if connection.doomed:
                    with self._lock:
                        self.lost += 1
                    break
                connection.client.sendall(data)
        self._end(connection)

    def _end(self, connection):
        with self._lock:
            self._open.discard(connection)
        connection.end()


class Connection:
    """Two sockets that end together."""

    def __init__(self, client, server):
        self.client = client
        self.server = server
        self.doomed = False

    def end(self):
        for side in (self.client, self.server):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
