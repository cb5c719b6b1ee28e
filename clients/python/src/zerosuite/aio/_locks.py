"""Locks that are held across processes and machines, for asyncio. They belong to tasks as the others to threads."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import itertools
import logging
import math
import os
import sys
import time
import weakref
from typing import Any, Awaitable, Callable, List, Optional, Sequence, Tuple, TypeVar, cast

from .. import _core, _wire, errors
from .._holder import Holder, not_released, owner_prefix
from .._leases import LOST, BaseHold, Renewals, boot_time
from .._lock_requests import (FOREVER, GRACE, LONGEST_WAIT, Kind, checked_lease, checked_name, checked_names,
                              checked_wait, validity)
from .._locks import QUERY_TIMEOUT, RELEASE_TIMEOUT, NameOf, default_endpoints
from ._client import AwaitedCall, Client

log = logging.getLogger("zerosuite")

Function = TypeVar("Function", bound=Callable[..., Awaitable[Any]])


class Hold(BaseHold):
    """A lock while it is held: what an `async with` block gets. `lost` is an asyncio.Event."""

    def __init__(self, client: Client, kind: Kind, owner: str, token: int, valid_until: float,
                 renewed_until: float) -> None:
        super().__init__(kind.names, owner, token, kind.lease, valid_until, renewed_until)
        self.lost = asyncio.Event()
        self.kind = kind
        self.entries = 1
        self.cancelled: Optional["asyncio.Task[Any]"] = None  # whose body was cancelled because of the loss
        self.registry = Registry.of(client)
        self._client = client
        self._loop = asyncio.get_running_loop()

    async def extend(self, lease: float) -> None:
        """Makes it valid for `lease` seconds from now, and renews it by that from now on. Raises LockLost."""
        self.check()
        asked = boot_time()
        try:
            await self._client("lock.extend", self.name, self.owner, self.token,
                                        round(checked_lease(lease) * 1000), idempotent=True)
        except errors.RemoteError as error:
            if error.name in LOST:
                self.lose(f"the lock service says {error.name}")
                raise errors.LockLost(f"{self.name} is not held: {error}") from error
            raise
        self.lease = lease
        self.renewed(asked)

    def run(self, callbacks: List[Callable[[BaseHold], object]]) -> None:
        self._loop.call_soon(self.called, callbacks)


class Registry:
    """What the locks of one client share: their renewal, and who their owners are. It does not know the client, which
    would never be collected: the loop refers to this."""

    def __init__(self, client: Client) -> None:
        self._driver = client._driver
        self.renewals = Renewals(self._ask, self._wake)
        self.request_ids = itertools.count(1)
        self.newest = 0  # the greatest token that was received
        self._client_part = owner_prefix()
        self._owners: "weakref.WeakKeyDictionary[asyncio.Task[Any], str]" = weakref.WeakKeyDictionary()
        self._timer: Optional[asyncio.TimerHandle] = None

    @classmethod
    def of(cls, client: Client) -> "Registry":
        registry = client._shared.get(cls)
        if registry is None:
            registry = client._shared[cls] = cls(client)
        return cast(Registry, registry)

    @property
    def owner(self) -> str:
        """Of this task. Not of its context: tasks inherit that, and would let one another in."""
        task = asyncio.current_task()
        assert task is not None
        owner = self._owners.get(task)
        if owner is None:
            owner = self._owners[task] = f"{self._client_part}:{os.urandom(6).hex()}"
        return owner

    def close(self) -> None:
        """The client is about to be closed."""
        self.renewals.end("its client was closed")
        if self._timer is not None:
            self._timer.cancel()

    def _ask(self, method: str, args: Tuple[Any, ...], timeout: float,
             tell: Callable[[Any, Optional[BaseException]], None]) -> None:
        try:
            self._driver.submit(_core.ToldCall(method, args, timeout, tell), asyncio.get_running_loop())
        except errors.Closed as error:
            tell(None, error)

    def _wake(self) -> None:
        self._set_timer(0.0)

    def _turn(self) -> None:
        self._timer = None
        delay = self.renewals.turn()
        if delay < math.inf and self._timer is None:
            self._set_timer(delay)

    def _set_timer(self, delay: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay, self._turn)


class _Base(Holder[Hold]):
    """What all locks have in common."""

    def __init__(self, client: Client, kind: Kind, wait: Optional[float], max_hold: Optional[float],
                 on_lost: Optional[Callable[[BaseHold], object]], cancel_on_lost: bool) -> None:
        super().__init__(client, kind, wait, max_hold, on_lost)
        self._cancel_on_lost = cancel_on_lost

    @property
    def _registry(self) -> Registry:
        return Registry.of(self._client)

    async def acquire(self, blocking: bool = True, timeout: float = FOREVER) -> bool:
        """Takes the lock; returns whether it did, for certain. `timeout` is in seconds and may be a fraction; without
        one it waits for as long as the lock was made to wait, or for ever. Raises an Error if the lock service cannot
        be asked, and Deadlock if waiting would be one."""
        return await self._take(checked_wait(blocking, timeout, self._wait)) is not None

    async def release(self) -> None:
        """Gives the lock back. Raises NotHeld if it was not acquired, and LockLost if it was lost."""
        await self._leave(self.hold)

    async def locked(self) -> bool:
        """Whether anybody holds the lock at this moment. Asks the lock service."""
        infos = [await self._client("lock.info", name, idempotent=True, timeout=QUERY_TIMEOUT)
                 for name in self._kind.names]
        return any(info["held"] for info in infos)

    @property
    def lost(self) -> asyncio.Event:
        """Set when the hold is lost."""
        return cast(asyncio.Event, self.hold.lost)

    async def __aenter__(self) -> Hold:
        hold = self._entered(await self._take(self._patience))
        if self._cancel_on_lost:
            task = asyncio.current_task()
            assert task is not None
            hold.on_lost(functools.partial(self._cancel_body, task))
        return hold

    async def __aexit__(self, kind: Optional[type], *_: object) -> None:
        hold = self._left()
        try:
            if hold is None:
                raise self._released_inside()
            await self._leave(hold)
        except errors.LockLost as error:
            if kind is None or kind is asyncio.CancelledError and hold is not None and _was_ours(hold):
                raise
            log.warning("%s; the error that ended its block goes first", error)

    def __repr__(self) -> str:
        return f"<aio.{type(self).__name__} {self._names} of {self._client!r}>"

    def _cancel_body(self, task: "asyncio.Task[Any]", hold: BaseHold) -> None:
        if hold in self._holds and not task.done():
            hold.cancelled = task
            task.cancel()

    async def _take(self, wait: float) -> Optional[Hold]:
        registry = self._registry
        end = time.monotonic() + wait
        while True:
            part = max(0.0, min(end - time.monotonic(), LONGEST_WAIT))
            hold = await self._ask(registry, part)
            if hold is not None:
                if hold.expires_in > 0:
                    return hold
                # We were stopped for longer than the lease. Whoever uses the lock now would use it in vain.
                with contextlib.suppress(errors.LockError):
                    await self._leave(hold)
            elif time.monotonic() + 0.001 >= end:
                return None

    async def _ask(self, registry: Registry, wait: float) -> Optional[Hold]:
        owner, newest = registry.owner, registry.newest
        method, args = self._kind.acquire(owner, wait, next(registry.request_ids))
        call = AwaitedCall(method, _wire.pack_call(method, args), wait + GRACE, 1, True)
        call.most_tries = _core.PERSISTENT
        asked = boot_time()
        try:
            # Cancelled in here, even with the grant in hand, the client tells the service, which takes it back.
            grant = await self._client._finish(call)
        except errors.NotReentrant:
            if not registry.renewals.has(owner, self._kind.names):
                return await self._ask_after_giving_back(registry, wait)
            if wait == 0:
                return None
            raise
        if not grant["ok"]:
            return None
        renewed_until = asked + grant.get("waited_ms", 0) / 1000 + self._max_hold
        hold = Hold(self._client, self._kind, owner, grant["token"], validity(grant, asked), renewed_until)
        self._holds.append(hold)
        registry.renewals.add(hold)
        if not grant.get("replay") and grant.get("hold_count", 1) == 1:
            if hold.token <= newest:
                with contextlib.suppress(errors.Error):
                    await self._leave(hold)
                raise errors.LockError(f"{hold.name} has token {hold.token} after {newest}: the endpoints of "
                                       f"{self._client!r} lead to different lock services")
            registry.newest = max(registry.newest, hold.token)
        if self._on_lost is not None:
            hold.on_lost(self._on_lost)
        return hold

    async def _ask_after_giving_back(self, registry: Registry, wait: float) -> Optional[Hold]:
        """For when the service says that we hold the lock, and we do not know."""
        holds = await self._client("lock.holds", registry.owner, idempotent=True, timeout=QUERY_TIMEOUT)
        request = self._kind.forgotten(registry.owner, holds)
        if request is not None:
            method, args = request
            await self._client(method, *args, idempotent=True, timeout=QUERY_TIMEOUT)
        return await self._ask(registry, wait)

    async def _leave(self, hold: Hold) -> None:
        """Stops the renewal, then tells the service. A lock that was lost needs no telling."""
        left = self._give_up(hold)
        # Whoever is cancelled now no longer waits for the release, but it is made.
        await asyncio.shield(asyncio.ensure_future(self._tell_released(hold, left)))

    async def _tell_released(self, hold: Hold, left: float) -> None:
        method, args = hold.kind.release(hold.owner, hold.token, f"r{next(hold.registry.request_ids)}")
        try:
            released = await self._client(method, *args, timeout=min(left, RELEASE_TIMEOUT), idempotent=True)
            why_not = hold.kind.why_not(hold.token, released)
        except errors.RemoteError as error:
            why_not = error.name
        except errors.Error as error:
            return not_released(hold, error, left)
        self._released(hold, why_not, left)


def _was_ours(hold: Hold) -> bool:
    """Whether the loss of the lock, and nothing else, has cancelled the body."""
    task = hold.cancelled
    if task is None:
        return False
    # Before Python 3.11 nobody counts, and a second cancellation in the same turn of the loop cannot be told apart.
    return sys.version_info < (3, 11) or task.uncancel() == 0


class Lock(_Base):
    """A lock that one task of one process on one machine holds at a time.

        async with zerosuite.aio.Lock(client, "stock-7", lease=30, wait=5) as hold:  # NotAcquired after 5 s
            await sell(item=7, fence=hold.token)
            hold.check()                                                             # LockLost if it was lost

        if await lock.acquire(timeout=0.5): ...                                      # True only if it is held

    Arguments are those of zerosuite.Lock. on_lost is called in the event loop. cancel_on_lost: an `async with` block is
    cancelled when the lock is lost, and ends in LockLost.
    """

    def __init__(self, client: Client, name: str, *, lease: float = 30.0, wait: Optional[float] = None,
                 shared: bool = False, max_hold: Optional[float] = None,
                 on_lost: Optional[Callable[[BaseHold], object]] = None, cancel_on_lost: bool = False,
                 data: Optional[str] = None) -> None:
        kind = Kind((checked_name(name),), checked_lease(lease), shared=shared, reentrant=self.reentrant, data=data)
        super().__init__(client, kind, wait, max_hold, on_lost, cancel_on_lost)


class RLock(Lock):
    """A Lock that the task that holds it may acquire again. It is free after as many releases."""

    reentrant = True

    async def _take(self, wait: float) -> Optional[Hold]:
        hold = self._mine()
        if hold is None:
            return await super()._take(wait)
        hold.check()  # the broker would let us in again, and so would hide that somebody else was in between
        hold.entries += 1
        return hold

    async def _leave(self, hold: Hold) -> None:
        if hold.entries > 1 and not hold.inherited:
            hold.entries -= 1
        else:
            await super()._leave(hold)


class Semaphore(_Base):
    """Lets in as many as there are permits: `limit` of them, for all who use that name."""

    def __init__(self, client: Client, name: str, limit: int, *, permits: int = 1, lease: float = 30.0,
                 wait: Optional[float] = None, max_hold: Optional[float] = None,
                 on_lost: Optional[Callable[[BaseHold], object]] = None, cancel_on_lost: bool = False) -> None:
        if not 1 <= permits <= limit:
            raise ValueError(f"permits are from 1 to the limit of {limit}, not {permits}")
        kind = Kind((checked_name(name),), checked_lease(lease), permits=permits, limit=limit)
        super().__init__(client, kind, wait, max_hold, on_lost, cancel_on_lost)


class MultiLock(_Base):
    """Several locks that are taken together or not at all, under one token, in whatever order they are named."""

    def __init__(self, client: Client, names: Sequence[str], *, lease: float = 30.0, wait: Optional[float] = None,
                 shared: bool = False, max_hold: Optional[float] = None,
                 on_lost: Optional[Callable[[BaseHold], object]] = None, cancel_on_lost: bool = False) -> None:
        kind = Kind(checked_names(names), checked_lease(lease), shared=shared, many=True)
        super().__init__(client, kind, wait, max_hold, on_lost, cancel_on_lost)


class RWLock:
    """Many readers or one writer: `async with rw.read:` and `async with rw.write:`. A reader does not overtake a
    writer that waits. A reader cannot become the writer."""

    def __init__(self, client: Client, name: str, *, lease: float = 30.0, wait: Optional[float] = None,
                 max_hold: Optional[float] = None, on_lost: Optional[Callable[[BaseHold], object]] = None,
                 cancel_on_lost: bool = False) -> None:
        def lock(shared: bool) -> Lock:
            return Lock(client, name, lease=lease, wait=wait, shared=shared, max_hold=max_hold, on_lost=on_lost,
                        cancel_on_lost=cancel_on_lost)

        self.read = lock(shared=True)
        self.write = lock(shared=False)


def locked(name: str, client: Optional[Client] = None, **options: Any) -> Callable[[Function], Function]:
    """Decorates an async function that runs only while the lock is held. `name` may have the function's arguments in
    braces. Without a client, each call connects to the endpoint that zerosuite.default_client() has. Options are those
    of Lock."""

    def decorate(function: Function) -> Function:
        if inspect.isasyncgenfunction(function):
            raise TypeError(f"{function!r} is a generator function, whose body runs later: use `async with` inside it")
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"{function!r} is no async function: decorate it with zerosuite.locked")
        named = NameOf(name, function)

        @functools.wraps(function)
        async def run(*args: Any, **kwargs: Any) -> Any:
            if client is not None:
                async with Lock(client, named(args, kwargs), **options):
                    return await function(*args, **kwargs)
            async with Client(*default_endpoints()) as own, Lock(own, named(args, kwargs), **options):
                return await function(*args, **kwargs)

        return cast(Function, run)

    return decorate
