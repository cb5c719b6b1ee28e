"""The programs of one test session: each is started when first asked for, and checked when stopped."""

import sys
import threading

from support.peer import Peer
from support.programs import BIN, PEERS, Server


class Suite:
    """Safe to use from background cases: every method may be called from any thread."""

    def __init__(self, subject):
        self.subject = subject
        self._lock = threading.RLock()
        self._shared = {}
        self._programs = []

    def _keep(self, program):
        with self._lock:
            self._programs.append(program)
        return program

    def _once(self, name, make):
        with self._lock:
            if name not in self._shared:
                self._shared[name] = make()
            return self._shared[name]

    def start_math(self):
        """A fresh process of the math service."""
        if self.subject == "stock":
            return self.start_stock("server")
        return self._keep(Server([BIN / "zerosuite-math", "--bind", "tcp://127.0.0.1:*", "--proxy", "none"]))

    def start_peer(self, **environment):
        """A fresh process of the test server."""
        if self.subject == "stock":
            return self.start_stock("server")
        # What tests leave open must not hold up the end.
        return self._keep(Server([BIN / "zerosuite_peer_server"], ZEROSUITE_PEER_DRAIN_MS="0", **environment))

    def start_stock(self, kind):
        """A fresh stock python process: a "server", "puller" or "subscriber"."""
        return self._keep(Server([sys.executable, PEERS / "reference_server.py", kind]))

    @property
    def math(self):
        return self._once("math", self.start_math)

    @property
    def peer(self):
        return self._once("peer", self.start_peer)

    @property
    def calm(self):
        """A test server for what is measured in seconds, apart from the load of the other cases."""
        return self._once("calm", self.start_peer)

    @property
    def stock_server(self):
        return self._once("stock", lambda: self.start_stock("server"))

    @property
    def node_server(self):
        return self._once("node", lambda: self._keep(Server(["node", PEERS / "reference_server.js"])))

    def python_client(self, server, *flags):
        """A stock python client in a process of its own."""
        return self._keep(Peer([sys.executable, PEERS / "client.py", server.endpoint, *flags]))

    def node_client(self, server, heartbeat_ms=""):
        """A stock Node client in a process of its own."""
        return self._keep(Peer(["node", PEERS / "client.js", server.endpoint, heartbeat_ms]))

    def our_client(self, server, *flags):
        """A process around rpc::Client."""
        return self._keep(Peer([BIN / "zerosuite_peer_client", server.endpoint, *flags]))

    def stop(self):
        """Ends everything, clients first; answers what did not end as it should."""
        killed = [program for program in self._programs if (program.process.poll() or 0) < 0]
        ending = [program for program in reversed(self._programs) if program not in killed]
        for program in ending:
            program.ask_to_end()
        complaints = []
        for program in ending:
            try:
                status = program.finish()
            except AssertionError as problem:
                complaints.append(str(problem))
            else:
                if status != 0:
                    complaints.append(f"{program.command} ended with status {status}:\n{program.log()}")
        return complaints
