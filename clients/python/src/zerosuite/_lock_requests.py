"""The calls to the lock service, by the kind of lock: what a lock object of any driver sends."""

from __future__ import annotations

import math
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

Request = Tuple[str, Tuple[Any, ...]]

FOREVER = -1.0
LONGEST_WAIT = 3600.0  # seconds in one call; whoever waits longer stands at the end of the line again
GRACE = 2.0  # seconds that the reply may come after the wait has ended
SHORTEST_LEASE = 0.01


class Kind(NamedTuple):
    """What is asked for."""

    names: Tuple[str, ...]
    lease: float
    shared: bool = False
    reentrant: bool = False
    permits: int = 0  # of a semaphore with `limit` of them; 0 for a lock
    limit: int = 0
    many: bool = False  # a set, even if it has one name
    data: Optional[str] = None

    def acquire(self, owner: str, wait: float, request_id: int) -> Request:
        wait_ms = math.ceil(wait * 1000)
        opts: Dict[str, Any] = {"request_id": request_id}
        if self.data is not None:
            opts["data"] = self.data
        if self.permits:
            return "lock.sem_acquire", (self.names[0], owner, self.limit, self.permits, self.lease_ms, wait_ms, opts)
        if self.shared:
            opts["mode"] = "s"
        if not self.reentrant:
            opts["reentrant"] = False
        if self.many:
            return "lock.acquire_many", (list(self.names), owner, self.lease_ms, wait_ms, opts)
        return "lock.acquire", (self.names[0], owner, self.lease_ms, wait_ms, opts)

    def release(self, owner: str, token: int, request_id: str) -> Request:
        # An id in text: integers must come in order, and a release may be made by another thread than its acquire.
        opts = {"request_id": request_id}
        if self.permits:
            return "lock.sem_release", (self.names[0], owner, token, opts)
        if self.many:
            return "lock.release_many", (owner, [[name, token] for name in self.names], opts)
        return "lock.release", (self.names[0], owner, token, opts)

    def forgotten(self, owner: str, holds: Any) -> Optional[Request]:
        """What releases these locks, of a reply of lock.holds(), if their owner has them without knowing: an acquire
        that was given up while the service was away had been granted."""
        tokens = {hold["token"] for hold in holds["holds"] if hold["name"] in self.names}
        held = [[hold["name"], hold["token"]] for hold in holds["holds"] if hold["token"] in tokens]
        return ("lock.release_many", (owner, held)) if held else None

    @property
    def lease_ms(self) -> int:
        return round(self.lease * 1000)

    def why_not(self, token: int, released: Any) -> Optional[str]:
        """The error's name in the reply to a release of a set, if it was lost."""
        lost: List[Any] = released.get("lost", []) if isinstance(released, dict) else []
        return next((str(error) for _, lost_token, error in lost if lost_token == token), None)


def checked_names(names: Sequence[str]) -> Tuple[str, ...]:
    if isinstance(names, str):
        raise TypeError("a set of locks is made from a list of names, not from one string")
    if not names:
        raise ValueError("a set of locks has at least one name")
    return tuple(checked_name(name) for name in names)


def checked_name(name: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the name of a lock is a str, not {type(name).__name__}")
    if not 0 < len(name.encode()) <= 255:
        raise ValueError(f"the name of a lock has 1 to 255 bytes, not {len(name.encode())}")
    return name


def checked_lease(lease: float) -> float:
    if not SHORTEST_LEASE <= lease < math.inf:
        raise ValueError(f"a lease is a number of seconds from {SHORTEST_LEASE} on, not {lease!r}")
    return lease


def checked_wait(blocking: bool, timeout: float, otherwise: Optional[float]) -> float:
    """Seconds to wait, or infinity. The arguments are those of threading.Lock.acquire()."""
    if not blocking:
        if timeout != FOREVER:
            raise ValueError("can't specify a timeout for a non-blocking call")
        return 0.0
    if timeout == FOREVER:
        return math.inf if otherwise is None else otherwise
    if not timeout >= 0:
        raise ValueError("timeout value must be a non-negative number")
    return timeout


def validity(grant: Dict[str, Any], asked: float) -> float:
    """Until when a grant is valid by the caller's own clock, of a request that was first sent at `asked`."""
    valid_ms: float = grant.get("waited_ms", 0) + grant["validity_ms"]
    return asked + valid_ms / 1000
