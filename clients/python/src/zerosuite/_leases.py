"""What a client knows about the locks it holds: until when each is valid by its own clock, and when to renew it.

Nothing here waits or sends. Renewals is told to look at its holds from time to time, by the client's thread or by its
event loop, and asks for what it wants sent.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
import weakref
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from . import errors

log = logging.getLogger("zerosuite")

NEVER = float("inf")

DRIFT = 0.01  # how much faster the broker's clock may run than ours
TICKS = 0.002  # seconds: the resolution of the two clocks
MOST_IN_A_BATCH = 500  # the broker takes 1000
LONGEST_SLEEP = 1.0  # seconds: a machine that was suspended notices this long after it woke
FORGOTTEN = "a held lock was forgotten without a release; it is free when its lease ends"
LEAP = 1.0  # seconds by which the clocks may drift apart between two looks without meaning anything

#: What the broker says of a lock that the caller no longer has.
LOST = ("NotHeld", "NotOwner", "StaleToken", "LeaseExpired", "SessionLost")
FINAL = "ExtendLimit"  # held to the end of its lease, and no longer

#: Asks the broker: method, arguments, timeout in seconds, and what to call with the value or the error.
Ask = Callable[[str, Tuple[Any, ...], float, Callable[[Any, Optional[BaseException]], None]], None]

if hasattr(time, "CLOCK_BOOTTIME"):

    def boot_time() -> float:
        """Seconds by the clock that leases are judged by. It goes on while the machine is suspended, as the broker's
        does, and time.monotonic() does not."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:  # macOS counts suspended time in time.monotonic()

    def boot_time() -> float:
        return time.monotonic()


def lease_left(lease: float) -> float:
    """The part of a lease that its holder may rely on by its own clock."""
    return lease * (1 - DRIFT) - TICKS


class BaseHold:
    """A lock while it is held, of whatever kind. `names` has several entries if it is a set of locks.

    name, names, owner, token: what identifies it. The token increases with every grant of the broker, so a resource
    can refuse a holder that is late.
    """

    lost: Any  # an event of the driver's kind

    def __init__(self, names: Sequence[str], owner: str, token: int, lease: float, valid_until: float,
                 renewed_until: float) -> None:
        self.names = tuple(names)
        self.owner = owner
        self.token = token
        self.lease = lease
        self.reason = ""  # why it was lost
        self.over = False  # released, or lost
        self.renewing = False
        self.renew_at = NEVER
        self._valid_until = valid_until
        self._renewed_until = renewed_until  # max_hold ends then
        self._callbacks: List[Callable[["BaseHold"], object]] = []
        self._process = os.getpid()
        self.plan(valid_until - lease_left(lease))

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def expires_in(self) -> float:
        """Seconds for which it is certainly held; 0 if it may not be. Renewal keeps it from getting there."""
        return 0.0 if self.over or self.inherited else max(0.0, self._valid_until - boot_time())

    @property
    def inherited(self) -> bool:
        """Whether this is a forked child's copy of its parent's hold. The parent still holds the lock."""
        return os.getpid() != self._process

    @property
    def valid_until(self) -> float:
        return self._valid_until

    def check(self) -> None:
        """Raises LockLost unless the lock is certainly held. Makes no call."""
        if self.inherited:
            raise errors.LockLost(f"{self.name} is held by the process that this one was forked from")
        if not self.over and self._valid_until <= boot_time():
            self.lose("its lease has ended, and was not renewed in time")
        if self.over:
            raise errors.LockLost(f"{self.name} is not held: {self.reason or 'it was released'}")

    def on_lost(self, callback: Callable[["BaseHold"], object]) -> None:
        """Calls it with this hold when it is lost, or now if it was."""
        self._callbacks.append(callback)
        if self.reason:
            self._tell()

    def plan(self, asked: float) -> None:
        """Renew it a third of a lease after what was asked for then."""
        self.renew_at = asked + self.lease / 3 if asked + self.lease / 3 < self._renewed_until else NEVER

    def renewed(self, asked: float) -> None:
        """A renewal that was sent at that time has been confirmed."""
        self._valid_until = max(self._valid_until, asked + lease_left(self.lease))
        self.plan(asked)

    def lose(self, reason: str) -> None:
        """Somebody else may have the lock."""
        if not self.over:
            self.reason = reason
            self.over = True
            log.warning("lock %s of %s is lost: %s", self.name, self.owner, reason)
            self.lost.set()
            self._tell()

    def _tell(self) -> None:
        callbacks, self._callbacks = self._callbacks, []
        if callbacks:
            self.run(callbacks)

    def run(self, callbacks: List[Callable[["BaseHold"], object]]) -> None:
        """Calls them where they may take their time."""
        raise NotImplementedError

    def called(self, callbacks: Iterable[Callable[["BaseHold"], object]]) -> None:
        for callback in callbacks:
            try:
                callback(self)
            except Exception:
                log.exception("on_lost of lock %s has failed", self.name)

    def __repr__(self) -> str:
        state = f"lost: {self.reason}" if self.reason else "released" if self.over else f"{self.expires_in:.1f} s left"
        return f"<hold of {', '.join(self.names)}, token {self.token}, {state}>"


class Renewals:
    """Renews all holds of a client, those of one owner in one call, and tells the holders of those that are lost.

    A hold that nobody refers to any more is not renewed: its lock is free when the lease ends.
    """

    def __init__(self, ask: Ask, wake: Callable[[], None]) -> None:
        self._ask = ask
        self._wake = wake  # has turn() called soon
        self._holds: Dict[int, "weakref.ref[BaseHold]"] = {}
        self._next = NEVER  # when turn() looks again; also written by it alone
        self._offset: Optional[float] = None

    def add(self, hold: BaseHold) -> None:
        """From any thread."""
        self._holds[id(hold)] = weakref.ref(hold)
        if min(hold.renew_at, hold.valid_until) < self._next:
            self._wake()

    def remove(self, hold: BaseHold) -> None:
        self._holds.pop(id(hold), None)

    def has(self, owner: str, names: Sequence[str]) -> bool:
        """Whether this owner holds one of these, as far as this client knows."""
        holds = [hold for hold in (reference() for reference in list(self._holds.values())) if hold is not None]
        return any(hold.owner == owner and set(hold.names) & set(names) for hold in holds)

    def end(self, reason: str) -> None:
        """Nothing is renewed any more, so nothing can be relied on."""
        for reference in list(self._holds.values()):
            hold = reference()
            if hold is not None:
                hold.lose(reason)
        self._holds.clear()

    def __len__(self) -> int:
        return len(self._holds)

    def turn(self) -> float:
        """Does what is due. Returns the seconds until it wants to be called again."""
        self._next = NEVER  # before looking, so that whoever adds a hold that is not seen wakes us
        now = boot_time()
        suspect = self._clock_leapt(now)
        groups: Dict[Tuple[str, float], List[BaseHold]] = {}
        soonest = NEVER
        for hold in self._alive(now):
            waits = hold.renewing or hold.renew_at == NEVER
            if not waits:
                groups.setdefault((hold.owner, hold.lease), []).append(hold)
            soonest = min(soonest, hold.valid_until if waits or now >= hold.renew_at else hold.renew_at)
        batches = {}
        for (owner, lease), holds in groups.items():
            if suspect or any(now >= hold.renew_at for hold in holds):
                # Those that are due soon come along: after that they are due together.
                soon = now + lease / 6
                batches[owner, lease] = [hold for hold in holds if suspect or hold.renew_at <= soon]
        for (owner, lease), holds in batches.items():
            for first in range(0, len(holds), MOST_IN_A_BATCH):
                self._renew(owner, lease, holds[first:first + MOST_IN_A_BATCH], now)
        if self._holds:
            soonest = min(soonest, now + LONGEST_SLEEP)
        self._next = min(self._next, soonest)
        return max(0.0, soonest - now)

    def _alive(self, now: float) -> Iterator[BaseHold]:
        """The holds that are still held and referred to."""
        for key, reference in list(self._holds.items()):
            hold = reference()
            if hold is not None and not hold.over and now < hold.valid_until:
                yield hold
                continue
            self._holds.pop(key, None)
            if hold is None:
                try:
                    warnings.warn(FORGOTTEN, ResourceWarning, stacklevel=2)
                except ResourceWarning:  # warnings are errors here, and it is not this thread's error
                    log.warning(FORGOTTEN)
            elif not hold.over:
                hold.lose("its lease has ended, and was not renewed in time")

    def _clock_leapt(self, now: float) -> bool:
        """Whether the wall clock has run ahead: a virtual machine that its host froze may not count that in its own
        clocks, so the broker is asked for every hold."""
        offset, before = time.time() - now, self._offset
        self._offset = offset
        return before is not None and offset - before > LEAP

    def _renew(self, owner: str, lease: float, holds: List[BaseHold], now: float) -> None:
        for hold in holds:
            hold.renewing = True
        rest = min(hold.valid_until for hold in holds) - now
        held = [[hold.name, hold.token] for hold in holds]
        timeout = max(0.01, min(rest, max(1.0, lease / 3)))
        references = [weakref.ref(each) for each in holds]

        def answered(value: Any, error: Optional[BaseException]) -> None:
            alive = [each for each in (reference() for reference in references) if each is not None]
            self._answered(alive, now, value, error)

        self._ask("lock.renew", (owner, held, round(lease * 1000)), timeout, answered)

    def _answered(self, holds: List[BaseHold], asked: float, value: Any, error: Optional[BaseException]) -> None:
        now = boot_time()
        missed: Dict[int, str] = {}
        if error is None:
            try:
                missed = {token: str(name) for _, token, name in value["lost"]}
            except (TypeError, ValueError, KeyError) as problem:
                error = errors.ProtocolError(f"renew() returned {value!r:.200}: {problem}")
        for hold in holds:
            hold.renewing = False
            failure = missed.get(hold.token)
            if hold.over:
                pass  # released meanwhile: it stays so
            elif error is None and failure is None:
                hold.renewed(asked)
            elif failure in LOST:
                hold.lose(f"the lock service says {failure}")
            elif failure == FINAL:
                hold.renew_at = NEVER
            else:
                hold.renew_at = now + min(1.0, max(0.02, (hold.valid_until - now) / 4))
                log.info("renewing lock %s failed and is tried again: %s", hold.name, failure or error)
        self._wake()
