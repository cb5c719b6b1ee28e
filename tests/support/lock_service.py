"""A lock service that is killed and started again in its place, and clients whose calls make a history."""

import signal
import threading
import time

from support.programs import BIN, Server
from support.proxies import ANY_PORT
from support.raw import Raw


class Broker:
    """zerosuite-lock over its restarts: one folder, one endpoint."""

    def __init__(self, suite, durability="sync", folder=None, proxy="none", **environment):
        self.suite = suite
        self.durability = durability
        self.folder = folder or suite.folder()
        self.proxy = proxy
        self.environment = environment
        self.endpoint = ANY_PORT
        self.program = None
        self.start()

    def start(self, **environment):
        """Also after kill() or finish(); answers the process."""
        self.program = self.suite.keep(Server(self.command(), **{**self.environment, **environment}))
        self.endpoint = self.program.endpoint
        return self.program

    def command(self):
        return [BIN / "zerosuite-lock", "--bind", self.endpoint, "--proxy", self.proxy, "--data", self.folder,
                "--durability", self.durability]

    def kill(self):
        self.program.kill()

    def pause(self):
        self.program.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.program.process.send_signal(signal.SIGCONT)

    def call(self, method, *args, seconds=10.0):
        """One call on a connection of its own."""
        with Raw(self.endpoint) as raw:
            return raw.value(method, *args, seconds=seconds)

    def error(self, method, *args):
        """The name of the error that a call ends in."""
        with Raw(self.endpoint) as raw:
            return raw.error(method, *args)[0]

    def stats(self):
        return self.call("stats")

    def waiters(self, name):
        """Their owners, in line."""
        return [waiter["owner"] for waiter in self.call("info", name)["waiters"]]

    def holder(self, name):
        """(owner, token) of who holds it; None when nobody does."""
        holders = self.call("info", name)["holders"]
        return (holders[0]["owner"], holders[0]["token"]) if holders else None


#: How the arguments of a history's op go into a call.
CALLS = {
    "acquire": lambda a: (a["name"], a["owner"], a["lease_ms"], a.get("wait_ms", 0), opts_of(a)),
    "acquire_many": lambda a: (a["names"], a["owner"], a["lease_ms"], a.get("wait_ms", 0), opts_of(a)),
    "sem_acquire": lambda a: (a["name"], a["owner"], a["limit"], a.get("permits", 1), a["lease_ms"],
                              a.get("wait_ms", 0), opts_of(a)),
    "release": lambda a: (a["name"], a["owner"], a["token"], opts_of(a)),
    "sem_release": lambda a: (a["name"], a["owner"], a["token"], opts_of(a)),
    "release_many": lambda a: (a["owner"], a["held"], opts_of(a)),
    "extend": lambda a: (a["name"], a["owner"], a["token"], a["lease_ms"]),
}
OPTIONS = ("request_id", "mode", "session", "bind", "lock_delay_ms", "confirm_ms", "data", "reentrant")


def opts_of(args):
    return {key: args[key] for key in OPTIONS if key in args}


class Owner:
    """One owner of locks, who asks through a stock client in a process of its own."""

    def __init__(self, name, peer, history):
        self.name = name
        self.peer = peer
        self.history = history

    def ask(self, op, within=40.0, timeout=None, **args):
        """Makes the call and answers its op, which says how it went."""
        return self.start(op, timeout, **args).finish(within)

    def start(self, op, timeout=None, **args):
        """Makes the call; finish() of what it answers waits for the answer."""
        args = {"owner": self.name, **args}
        if op in ("acquire", "acquire_many", "sem_acquire", "extend"):
            args.setdefault("lease_ms", 30_000)
        made = self.history.sent(self.name, op, **args)
        options = {} if timeout is None else {"timeout": timeout}
        future = self.peer.start("call", method=op, args=CALLS[op](args), **options)
        return Asked(self.history, made, future)

    def acquire(self, name, **args):
        """The grant; fails when there is none."""
        op = self.ask("acquire", name=name, **args)
        assert op.granted, op
        return op.result

    def release(self, name, token):
        op = self.ask("release", name=name, token=token)
        assert op.error is None, op
        return op.result


class Asked:
    """A call under way; its answer goes into the history when it comes."""

    def __init__(self, history, made, future):
        self._history = history
        self._made = made
        self._future = future
        self._recorded = threading.Event()
        future.add_done_callback(self._record)

    def _record(self, future):
        # Of a process that has ended nobody was told.
        if future.exception() is None:
            answer = future.result()
            error = answer.get("error")
            self._made.message = error["message"] if error else ""
            self._history.received(self._made, answer.get("value"), error and error["name"])
        self._recorded.set()

    def age(self):
        """Seconds since it was sent."""
        return time.monotonic() - self._made.t_send

    def finish(self, within=40.0):
        """The op, with its answer."""
        self._future.result(within)
        assert self._recorded.wait(within)
        return self._made

    def grant(self, within=40.0):
        op = self.finish(within)
        assert op.granted, op
        return op.result
