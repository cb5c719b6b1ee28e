"""The programs of one test session: each is started when first asked for, and checked when stopped."""

import sys
import tempfile
import threading

from support.peer import Peer
from support.programs import BIN, PEERS, Server
from support.proxies import ANY_PORT, Behind, Proxy, upstream

#: The services that programs offer, or that stock servers in their place do.
SERVICES = {"zerosuite-math": "math", "zerosuite-lock": "lock", "zerosuite-id": "id", "zerosuite_peer_server": "peer",
            "stock": "stock", "node": "node"}
#: Keys of the id service, the active one first.
KEYS = "b 0f0e0d0c0b0a09080706050403020100,a 000102030405060708090a0b0c0d0e0f"


class Suite:
    """Safe to use from background cases: every method may be called from any thread."""

    def __init__(self, subject, through="nothing"):
        self.subject = subject
        self.through = through
        self._lock = threading.RLock()
        self._shared = {}
        self._programs = []
        self._folders = []

    def keep(self, program):
        """Takes care that it ends with the suite."""
        with self._lock:
            self._programs.append(program)
        return program

    def _once(self, name, make):
        with self._lock:
            if name not in self._shared:
                self._shared[name] = make()
            return self._shared[name]

    def start_proxy(self, *tables, **environment):
        """A fresh proxy."""
        return self.keep(Proxy(*tables, **environment))

    def start_worker(self, program, proxy="none", **environment):
        """A fresh process of a program of ours, registered with the proxy at that endpoint."""
        return self.keep(Server([BIN / program, "--bind", ANY_PORT, "--proxy", proxy], **environment))

    def start_math(self):
        """A fresh process of the math service."""
        return self._start("zerosuite-math")

    def start_lock(self, **environment):
        """A fresh process of the lock service, with an empty folder."""
        return self._start("zerosuite-lock", **{"ZEROSUITE_LOCK_DATA": self.folder(), **environment})

    def start_id(self, **environment):
        """A fresh process of the id service, with an empty folder and keys."""
        return self._start("zerosuite-id", **{"ZEROSUITE_ID_DATA": self.folder(), "ZEROSUITE_ID_KEYS": KEYS, **environment})

    def folder(self):
        """A fresh folder that lasts as long as the suite."""
        folder = tempfile.TemporaryDirectory()
        with self._lock:
            self._folders.append(folder)
        return folder.name

    def start_peer(self, proxy=None, **environment):
        """A fresh process of the test server; `proxy` is the environment of the proxy before it, if there is one."""
        # What tests leave open must not hold up the end.
        return self._start("zerosuite_peer_server", proxy, ZEROSUITE_PEER_DRAIN_MS="0", **environment)

    def _start(self, program, proxy_environment=None, **environment):
        """The program, or the stock server in its place, reached as the session wants it."""
        if self.subject == "stock":
            return self._upstream(program, self.start_stock("server"))
        if self.through == "nothing":
            return self.start_worker(program, **environment)
        proxy = self.start_proxy(**(proxy_environment or {}))
        worker = self.start_worker(program, proxy.back, **environment)
        proxy.await_workers(1)
        return Behind(proxy, worker)

    def _upstream(self, name, server):
        """A server of somebody else, reached as the session wants it."""
        if self.through == "nothing":
            return server
        proxy = self.start_proxy(upstream(SERVICES[name], server.endpoint))
        proxy.await_workers(1)
        return Behind(proxy, server)

    def shown(self, service):
        """What the server that offers a service is called."""
        return "proxy" if self.through == "proxy" else service

    def listed(self, service, method):
        """How a method stands in lists."""
        return f"{service}.{method}" if self.through == "proxy" else method

    def start_stock(self, kind):
        """A fresh stock python process: a "server", "puller" or "subscriber"."""
        return self.keep(Server([sys.executable, PEERS / "reference_server.py", kind]))

    @property
    def math(self):
        return self._once("math", self.start_math)

    @property
    def lock(self):
        return self._once("lock", self.start_lock)

    @property
    def id(self):
        return self._once("id", self.start_id)

    @property
    def peer(self):
        return self._once("peer", self.start_peer)

    @property
    def calm(self):
        """A test server for what is measured in seconds, apart from the load of the other cases."""
        return self._once("calm", self.start_peer)

    @property
    def stock_server(self):
        return self._once("stock", lambda: self._upstream("stock", self.start_stock("server")))

    @property
    def node_server(self):
        return self._once("node", lambda: self._upstream("node", self.start_node()))

    @property
    def town(self):
        """A proxy before four workers of each of our services and a stock server."""
        return self._once("town", self._start_town)

    def _start_town(self):
        proxy = self.start_proxy(upstream("legacy", self.start_stock("server").endpoint))
        for _ in range(4):
            self.start_worker("zerosuite-math", proxy.back)
            self.start_worker("zerosuite_peer_server", proxy.back, ZEROSUITE_PEER_DRAIN_MS="0")
        proxy.await_workers(9)
        return proxy

    def start_node(self):
        """A fresh stock Node process."""
        return self.keep(Server(["node", PEERS / "reference_server.js"]))

    def python_client(self, server, *flags):
        """A stock python client in a process of its own."""
        return self.keep(Peer([sys.executable, PEERS / "client.py", server.endpoint, *flags]))

    def node_client(self, server, heartbeat_ms=""):
        """A stock Node client in a process of its own."""
        return self.keep(Peer(["node", PEERS / "client.js", server.endpoint, heartbeat_ms]))

    def our_client(self, server, *flags):
        """A process around rpc::Client."""
        return self.keep(Peer([BIN / "zerosuite_peer_client", server.endpoint, *flags]))

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
        for folder in self._folders:
            folder.cleanup()
        return complaints
