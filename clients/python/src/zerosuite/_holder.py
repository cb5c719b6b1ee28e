"""What a lock object knows of its holds, whichever way its program waits. Nothing here makes a call."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import socket
from typing import Any, Callable, Dict, Generic, List, Optional, TypeVar

from . import errors
from ._leases import LOST, BaseHold
from ._lock_requests import Kind, checked_lease, checked_wait

log = logging.getLogger("zerosuite")

AHold = TypeVar("AHold", bound=BaseHold)


def owner_prefix() -> str:
    """What tells a client's owners from all others."""
    return f"{socket.gethostname()[:48]}:{os.getpid()}:{os.urandom(6).hex()}"


class Holder(Generic[AHold]):
    """The base of all locks."""

    reentrant = False

    def __init__(self, client: Any, kind: Kind, wait: Optional[float], max_hold: Optional[float],
                 on_lost: Optional[Callable[[BaseHold], object]]) -> None:
        self._client = client
        self._kind = kind
        self._wait = None if wait is None else checked_wait(True, wait, None)
        self._max_hold = math.inf if max_hold is None else checked_lease(max_hold)
        self._on_lost = on_lost
        self._holds: List[AHold] = []
        self._blocks: Dict[str, int] = {}  # open `with` blocks, by the owner who entered them

    @property
    def _registry(self) -> Any:
        """What the locks of the client share."""
        raise NotImplementedError

    @property
    def hold(self) -> AHold:
        """What this owner, a thread or a task, holds, or, if nothing, what any holds by this object. Raises NotHeld."""
        hold = self._mine()
        if hold is None:
            raise errors.NotHeld("NotHeld", f"{self._names} was not acquired here")
        return hold

    @property
    def token(self) -> int:
        """The fencing token of the hold."""
        return self.hold.token

    def check(self) -> None:
        """Raises LockLost unless the lock is certainly held. Makes no call."""
        self.hold.check()

    @property
    def _names(self) -> str:
        return ", ".join(self._kind.names)

    # Blocks.

    @property
    def _patience(self) -> float:
        """Seconds for which a block waits for the lock."""
        return math.inf if self._wait is None else self._wait

    def _entered(self, hold: Optional[AHold]) -> AHold:
        """A block begins with this hold, or must not."""
        if hold is None:
            raise errors.NotAcquired(f"{self._names} did not become free within {self._wait:g} s")
        self._blocks[hold.owner] = self._blocks.get(hold.owner, 0) + 1
        return hold

    def _left(self) -> Optional[AHold]:
        """The hold of the block that ends now; None if it was released. Who entered the block may be another than who
        is here: a generator is left where it is closed."""
        owner: str = self._registry.owner
        if owner not in self._blocks and self._blocks:
            owner = next(reversed(self._blocks))
        if self._blocks.get(owner, 0) > 1:
            self._blocks[owner] -= 1
        else:
            self._blocks.pop(owner, None)
        return self._held_by(owner)

    def _released_inside(self) -> errors.LockLost:
        return errors.LockLost(f"{self._names} was released inside its own block")

    # Holds.

    def _mine(self) -> Optional[AHold]:
        """This owner's newest hold, or else anybody's: a lock may be released by another thread or task."""
        if not self._holds:
            return None
        hold = self._held_by(self._registry.owner)
        return self._holds[-1] if hold is None and not self.reentrant else hold

    def _held_by(self, owner: str) -> Optional[AHold]:
        return next((hold for hold in reversed(self._holds) if hold.owner == owner), None)

    def _forget(self, hold: Optional[AHold]) -> None:
        """Neither renews it nor counts it as held any more."""
        if hold is not None:
            hold.over = True
            self._registry.renewals.remove(hold)
            with contextlib.suppress(ValueError):
                self._holds.remove(hold)

    def _give_up(self, hold: AHold) -> float:
        """Forgets a hold that is to be released. The seconds that are left of it; if none are, the service need not be
        told, and this raises LockLost."""
        inherited, was_lost, left = hold.inherited, hold.over, hold.expires_in
        self._forget(hold)
        if inherited:
            raise errors.NotHeld("NotHeld", f"{hold.name} is held by the process that this one was forked from")
        if was_lost:
            raise lost(hold)
        if left <= 0:
            raise lost_now(hold, "its lease has ended, and was not renewed in time")
        return left

    def _released(self, hold: AHold, why_not: Optional[str], left: float) -> None:
        """What the service says of a release; None if it was done."""
        if why_not in LOST:
            raise lost_now(hold, f"the lock service says {why_not}")
        if why_not is not None:
            not_released(hold, why_not, left)


def lost(hold: BaseHold) -> errors.LockLost:
    return errors.LockLost(f"{hold.name} was lost while it was held: {hold.reason}")


def lost_now(hold: BaseHold, reason: str) -> errors.LockLost:
    """Of a hold that was forgotten as released: it had been lost."""
    hold.over = False
    hold.lose(reason)
    return lost(hold)


def not_released(hold: BaseHold, why: object, left: float) -> None:
    log.warning("lock %s could not be released, and is free in %.1f s: %s", hold.name, left, why)
