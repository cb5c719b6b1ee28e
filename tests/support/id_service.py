"""An id service that is killed, frozen and started again in its place, and what it issues."""

import itertools
import os
import re
import subprocess
import threading
import time

from support.id_checkers import Answer, runs_of
from support.programs import BIN, USUAL, Restartable, Server
from support.proxies import ANY_PORT
from support.raw import Raw

_numbers = itertools.count(1)

TWITTER_EPOCH, WORKER_SHIFT, TICK_SHIFT = 1_288_834_974_657, 12, 22


def worker_of(id):
    """Of a snowflake in the usual layout."""
    return id >> WORKER_SHIFT & 1023


def time_ms_of(id):
    return (id >> TICK_SHIFT) + TWITTER_EPOCH


class Issuer(Restartable):
    """zerosuite-id over its restarts: one folder, one endpoint, one store."""

    def __init__(self, suite, *flags, folder=None, redis=None, clock=None, start=True, **options):
        """Options as in its configuration: lease_ms=1500. `redis` has an address; `clock` is a FakeWallClock."""
        self.suite = suite
        self.flags = flags
        self.folder = folder or suite.folder()
        self.environment = {f"ZEROSUITE_ID_{name.upper()}": str(value) for name, value in options.items()}
        if redis is not None:
            self.environment |= {"ZEROSUITE_ID_STORE": "redis", "ZEROSUITE_ID_REDIS": redis.address}
        if clock is not None:
            self.environment |= clock.environment
        self.endpoint = ANY_PORT
        self.program = None
        self.life = None  # another with every start
        if start:
            self.start()

    def command(self, *flags):
        return [BIN / "zerosuite-id", "--bind", self.endpoint, "--proxy", "none", "--data", self.folder, *self.flags,
                *flags]

    def start(self, *flags):
        """Also after kill() or finish(); flags are of this one start. Answers the process."""
        self.program = self.suite.keep(Server(self.command(*flags), **self.environment))
        self.endpoint = self.program.endpoint
        self.life = f"life {next(_numbers)}"
        return self.program

    def refusal(self, *flags, seconds=20.0):
        """Starts it where it cannot: in its last line it says why, and ends with status 1. None when it can."""
        command = [str(part) for part in self.command(*flags)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, **USUAL, **self.environment})
        watchdog = threading.Timer(seconds, process.kill)
        watchdog.start()
        try:
            said = []
            for line in process.stderr:
                said.append(line.rstrip("\n"))
                if " listening endpoint=" in line:
                    return None
            assert process.wait() == 1, said
            return said[-1]
        finally:
            watchdog.cancel()
            process.kill()
            process.wait()
            process.stderr.close()

    def finish(self):
        assert self.program.finish() == 0

    def call(self, method, *args, seconds=10.0):
        """One call on a connection of its own."""
        with Raw(self.endpoint) as raw:
            return raw.value(method, *args, seconds=seconds)

    def error(self, method, *args, seconds=10.0):
        """(name, message) of the error that a call ends in."""
        with Raw(self.endpoint) as raw:
            event = raw.next(raw.call(method, args), seconds)
            assert event.name == "ERR", f"{method}{args} answered {event.name} {event.args}"
            return tuple(event.args[:2])

    def reasons(self):
        """The names of what health() complains of."""
        told = self.call("health")
        assert told["ok"] == (not told["reasons"])
        return [reason.split(":")[0] for reason in told["reasons"]]


def _runs(value):
    return [tuple(run) for run in value]


def _range(value):
    return [(value[0], value[1] - value[0])]


def _number(value):
    return [(value, 1)]


def _texts(value):
    return [value] if isinstance(value, str) else value


#: How ids of a kind are asked for: the method, its arguments for n of them, what reads the answer, and whose answers
#: are in order.
KINDS = {
    "snowflake": ("snowflake_runs", lambda n: (n,), _runs, "worker"),
    "segment": ("segment_batch", lambda n: ("t", n), runs_of, "life"),
    "range": ("segment_range", lambda n: ("t", n), _range, "nobody"),
    "seq": ("seq_batch", lambda n: ("s", n), _range, "all"),
    "durable": ("seq_durable", lambda _: ("d",), _number, "all"),
    "daily": ("daily", lambda _: ("A",), _texts, "day"),
    "uuid7": ("uuid7", lambda n: (n,), _texts, "life"),
    "uuid6": ("uuid6", lambda n: (n,), _texts, "life"),
    "ulid": ("ulid", lambda n: (n,), _texts, "life"),
    "uuid4": ("uuid4", lambda n: (n,), _texts, "nobody"),
}
#: Kinds whose ids are never the same as those of another one.
SAME_IDS = {"range": "segment"}
DAY = len("A20261124")


class Asker:
    """One connection to an issuer; whatever it is told goes into a record."""

    def __init__(self, issuer, record):
        self.issuer = issuer
        self.record = record
        self._raw = None

    def close(self):
        if self._raw is not None:
            self._raw.close()
            self._raw = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, kind, n=1, seconds=5.0):
        """The Answer; or the (name, message) of the error, which is "Lost" when no answer came."""
        method, args, read, order = KINDS[kind]
        if self._raw is None:
            self._raw = Raw(self.issuer.endpoint)
        life, asked = self.issuer.life, time.monotonic()
        try:
            event = self._raw.next(self._raw.call(method, args(n)), seconds)
        except AssertionError:
            self.close()  # what comes now was told to nobody
            return "Lost", ""
        if event.name == "ERR":
            return tuple(event.args[:2])
        ids = read(event.args[0])
        textual = isinstance(ids[0], str)
        answer = Answer(SAME_IDS.get(kind, kind), None, asked, event.at, [] if textual else ids, ids if textual else [])
        # Between two lives nobody knows which one has answered.
        same = life if life == self.issuer.life else None
        answer.group = {"worker": lambda: same and (same, worker_of(answer.first)), "life": lambda: same,
                        "all": lambda: "all", "day": lambda: answer.first[:DAY], "nobody": lambda: None}[order]()
        self.record.add(answer)
        return answer

    def get(self, kind, n=1, seconds=5.0):
        """The Answer; fails when there is none."""
        answer = self.ask(kind, n, seconds)
        assert isinstance(answer, Answer), answer
        return answer

    def error(self, kind, n=1, seconds=5.0):
        """(name, message)"""
        answer = self.ask(kind, n, seconds)
        assert not isinstance(answer, Answer), answer
        return answer


def retry_after(message):
    """What a message's JSON object tells a program to wait, in ms."""
    return int(re.search(r'"retry_after_ms":(\d+)', message).group(1))


class Stream:
    """Asks for ids of a kind again and again in a thread of its own, until it is told to stop."""

    def __init__(self, issuer, record, kind, n=1, pause=0.0, patience=5.0):
        self.kind = kind
        self.errors = {}
        self.answered = 0
        self._stop = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._run, args=(issuer, record, n, pause, patience), daemon=True)
        self._thread.start()

    def _run(self, issuer, record, n, pause, patience):
        try:
            with Asker(issuer, record) as asker:
                while not self._stop.is_set():
                    answer = asker.ask(self.kind, n, patience)
                    if isinstance(answer, Answer):
                        self.answered += 1
                        wait = pause
                    else:
                        self.errors[answer[0]] = answer[1]
                        wait = max(pause, 0.02)
                    if wait:
                        self._stop.wait(wait)
        except BaseException as failure:  # told by stop(), in the test's thread
            self._failure = failure

    def stop(self):
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()
        if self._failure is not None:
            raise self._failure

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def streams_of(record, issuer, *kinds, n=10, pause=0.005):
    """A stream of each kind, by kind."""
    return {kind: Stream(issuer, record, kind, n, pause) for kind in kinds}


def stop_all(*all_streams):
    """Each must have been told something."""
    for stream in (stream for streams in all_streams for stream in streams.values()):
        stream.stop()
        assert stream.answered > 0, stream.kind
