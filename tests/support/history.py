"""What clients asked of a lock service and what they were told, by one clock: the machine's monotonic one.

A history is a list of Ops. Several processes may record one together: each writes lines of its own to a file, the
sending before the call and the answer after it, so that a process that is killed leaves a call without an answer.
"""

import itertools
import json
import os
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

#: What a holder takes off a lease: 1 % for clocks that run at different rates, and 2 ms for their ticks.
DRIFT, TICKS = 0.01, 0.002

GRANTING = ("acquire", "try_acquire", "acquire_many", "sem_acquire", "wait", "enqueue")
RELEASING = ("release", "sem_release", "release_many")
NEUTRAL = ("TimeoutExpired", "LostRemote", "WorkerLost", "Indeterminate", "StorageError")


@dataclass
class Op:
    """One call. Without t_recv nobody knows what became of it."""

    client: str
    op: str
    args: dict
    t_send: float
    t_recv: float = None
    result: object = None
    error: str = None
    message: str = field(default="", compare=False)
    id: str = field(default="", compare=False)

    @property
    def names(self):
        return self.args.get("names") or [self.args["name"]]

    @property
    def owner(self):
        return self.args.get("owner")

    @property
    def mode(self):
        """x, s or permits."""
        if self.op == "sem_acquire":
            return "permits"
        return self.args.get("mode") or "x"

    @property
    def lease(self):
        """Seconds."""
        return self.args.get("lease_ms", 30_000) / 1000

    @property
    def granted(self):
        return self.op in GRANTING and self.error is None and isinstance(self.result, dict) and self.result.get("ok")

    @property
    def refused(self):
        return self.op in GRANTING and self.error is None and isinstance(self.result, dict) and not self.result["ok"]

    @property
    def done(self):
        """A release or extend that was answered with success."""
        return self.op not in GRANTING and self.t_recv is not None and self.error is None

    @property
    def unknown(self):
        """It may or may not have happened, now or at any time later."""
        return self.t_recv is None or self.error in NEUTRAL

    @property
    def token(self):
        """The one it was given, or the one it is about."""
        return self.result["token"] if self.granted else self.args.get("token")

    @property
    def request(self):
        """What it has in common with the other attempts of the same request, and with nothing else."""
        if "request_id" not in self.args:
            return self.id or id(self)
        about = tuple(tokens_of(self)) if self.op in RELEASING else None
        return self.owner, about, self.args["request_id"]

    def __str__(self):
        told = self.error or self.result if self.t_recv else "no answer"
        return f"{self.client} {self.op} {self.args} at {self.t_send:.3f} -> {told}"


class History:
    """Records calls, from any thread; with a path also for other processes to read."""

    def __init__(self, path=None):
        self._ops = []
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        # Unbuffered and appending: what was written is there however the process ends.
        self._file = None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def sent(self, client, op, **args):
        """To be called before the call is made."""
        with self._lock:
            made = Op(client, op, args, time.monotonic(), id=f"{client}/{os.getpid()}/{next(self._numbers)}")
            self._ops.append(made)
        self._write({"id": made.id, "client": client, "op": op, "args": args, "t_send": made.t_send})
        return made

    def received(self, made, result=None, error=None):
        """To be called when its answer, or the failure to get one, has come."""
        made.t_recv = time.monotonic()
        made.result, made.error = result, error
        self._write({"id": made.id, "t_recv": made.t_recv, "result": result, "error": error})
        return made

    def _write(self, line):
        if self._file is not None:
            os.write(self._file, json.dumps(line).encode() + b"\n")

    def ops(self):
        with self._lock:
            return list(self._ops)


def load(*paths):
    """The ops in those files, by the time they were sent."""
    ops = {}
    for path in paths:
        for line in open(path, encoding="utf-8"):
            said = json.loads(line)
            if "op" in said:
                ops[said["id"]] = Op(said["client"], said["op"], said["args"], said["t_send"], id=said["id"])
            else:
                made = ops[said["id"]]
                made.t_recv, made.result, made.error = said["t_recv"], said["result"], said["error"]
    return sorted(ops.values(), key=lambda op: op.t_send)


@dataclass
class Hold:
    """What one token stood for, as its owner could know it, and as late as it can have ended."""

    token: int
    owner: str
    names: list
    mode: str
    permits: int
    limit: int
    spans: list  # (from, to), in which its owner may use it
    grants: list  # the answers that gave it
    at_latest: float  # by then the broker has ended it, unless it was away


def first_sending(ops):
    """When each request was sent for the first time."""
    first = {}
    for op in ops:
        first[op.request] = min(first.get(op.request, op.t_send), op.t_send)
    return first


def span_of(op, first):
    """In which its owner may use what a grant or extend gave: from the answer on, for the lease after the asking."""
    if op.granted:
        asked = op.t_send
        if not op.result.get("replay"):
            # The wait is counted from the first time that the request came.
            asked = first[op.request] + op.result.get("waited_ms", 0) / 1000
        return op.t_recv, asked + op.result["validity_ms"] / 1000
    lease = op.result["remaining_ms"] / 1000
    return op.t_recv, op.t_send + lease * (1 - DRIFT) - TICKS


def holds_of(ops):
    """Every hold of a history, by its token."""
    first, holds = first_sending(ops), {}
    for op in sorted((op for op in ops if op.granted), key=lambda op: op.t_recv):
        hold = holds.get(op.token)
        if hold is None:
            hold = holds[op.token] = Hold(op.token, op.result["owner"], op.names, op.mode, op.args.get("permits", 1),
                                          op.args.get("limit", 1), [], [], 0)
        hold.grants.append(op)
        hold.spans.append(span_of(op, first))
        hold.at_latest = max(hold.at_latest, op.t_recv + op.result["lease_ms"] / 1000)
    releases = defaultdict(list)
    for op in ops:
        for token in tokens_of(op):
            if token in holds and op.op == "extend" and op.done:
                _extend(holds[token], op, first)
            elif token in holds and op.op in RELEASING and op.owner == holds[token].owner:
                releases[token].append(op)
    for token, mine in releases.items():
        _leave(holds[token], mine)
    return holds


def _extend(hold, op, first):
    hold.spans.append(span_of(op, first))
    hold.at_latest = max(hold.at_latest, op.t_recv + op.result["remaining_ms"] / 1000)


def _leave(hold, releases):
    stays = _stays(hold.grants, releases)
    hold.spans = [(max(begin, entered), min(end, left)) for begin, end in hold.spans for entered, left in stays
                  if begin < left and entered < end]
    exits, first = {left for _, left in stays}, first_sending(releases)
    for op in releases:
        # The answer to a release_many does not say how often it is still held.
        if op.done and (op.result["hold_count"] == 0 if "hold_count" in op.result else first[op.request] in exits):
            hold.at_latest = min(hold.at_latest, op.t_recv)


def _stays(grants, releases):
    """From when to when its owner was in it by its own count, whatever the answers to its releases say. Each request
    counts once: an acquire from its first grant on, a release from the first time that it was sent."""
    moves = {}
    for op in sorted(grants, key=lambda op: op.t_recv):
        moves.setdefault(op.request, (op.t_recv, 1))
    for op in sorted(releases, key=lambda op: op.t_send):
        moves.setdefault(op.request, (op.t_send, -1))
    stays, inside, entered = [], 0, None
    for at, change in sorted(moves.values(), key=lambda move: (move[0], -move[1])):
        if inside == 0 and change > 0:
            entered = at
        if inside == 1 and change < 0:
            stays.append((entered, at))
        inside = max(0, inside + change)
    return stays + [(entered, float("inf"))] * (inside > 0)


def tokens_of(op):
    """The tokens that a release or extend is about."""
    if op.op in GRANTING:
        return []
    if "held" in op.args:
        return sorted({token for _, token in op.args["held"]})
    return [op.args["token"]] if "token" in op.args else []
