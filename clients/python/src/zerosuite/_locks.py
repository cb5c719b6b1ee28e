"""Locks that are held across processes and machines, with the interface of threading.Lock."""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import logging
import os
import threading
import time
from typing import Any, Callable, List, Optional, Sequence, Tuple, TypeVar, cast

from . import _core, _wire, errors
from ._client import Client, WaitedCall
from ._holder import Holder, not_released, owner_prefix
from ._leases import LOST, BaseHold, Renewals, boot_time
from ._lock_requests import (FOREVER, GRACE, LONGEST_WAIT, Kind, checked_lease, checked_name, checked_names,
                             checked_wait, validity)

log = logging.getLogger("zerosuite")

RELEASE_TIMEOUT = 5.0  # seconds; the end of the lease releases it, too
QUERY_TIMEOUT = 10.0

Function = TypeVar("Function", bound=Callable[..., Any])


class Hold(BaseHold):
    """A lock while it is held: what a `with` block gets. `lost` is a threading.Event."""

    def __init__(self, client: Client, kind: Kind, owner: str, token: int, valid_until: float,
                 renewed_until: float) -> None:
        super().__init__(kind.names, owner, token, kind.lease, valid_until, renewed_until)
        self.lost = threading.Event()
        self.kind = kind
        self.entries = 1
        self.registry = Registry.of(client)
        self._client = client

    def extend(self, lease: float) -> None:
        """Makes it valid for `lease` seconds from now, and renews it by that from now on. Raises LockLost."""
        self.check()
        asked = boot_time()
        try:
            self._client("lock.extend", self.name, self.owner, self.token, round(checked_lease(lease) * 1000),
                                  idempotent=True)
        except errors.RemoteError as error:
            if error.name in LOST:
                self.lose(f"the lock service says {error.name}")
                raise errors.LockLost(f"{self.name} is not held: {error}") from error
            raise
        self.lease = lease
        self.renewed(asked)

    def run(self, callbacks: List[Callable[[BaseHold], object]]) -> None:
        threading.Thread(target=self.called, args=(callbacks,), name="zerosuite-on-lost", daemon=True).start()


class Registry:
    """What the locks of one client share: their renewal, and who their owners are. It does not know the client, which
    would never be collected: the client's thread refers to this."""

    def __init__(self, client: Client) -> None:
        self._io = client._io
        self.renewals = Renewals(self._ask, self._wake)
        self.request_ids = itertools.count(1)
        self.newest = 0  # the greatest token that was received
        self._client_part = owner_prefix()
        self._thread = threading.local()
        client._io.on_failure = self.renewals.end

    @classmethod
    def of(cls, client: Client) -> "Registry":
        registry = client._shared.get(cls)
        # Of two threads that come first at the same time, both get the same one.
        return registry if registry is not None else cast(Registry, client._shared.setdefault(cls, cls(client)))

    def close(self) -> None:
        """The client is about to be closed."""
        self.renewals.end("its client was closed")

    @property
    def owner(self) -> str:
        """Of this thread. The broker sees one owner wait and hold, and so finds deadlocks; two threads under one name
        would let one another in."""
        owner = getattr(self._thread, "owner", None)
        if owner is None:
            owner = self._thread.owner = f"{self._client_part}:{os.urandom(6).hex()}"
        return cast(str, owner)

    def _ask(self, method: str, args: Tuple[Any, ...], timeout: float,
             tell: Callable[[Any, Optional[BaseException]], None]) -> None:
        try:
            self._io.submit(_core.ToldCall(method, args, timeout, tell))
        except errors.Closed as error:
            tell(None, error)

    def _wake(self) -> None:
        with contextlib.suppress(errors.Closed):
            self._io.set_timer(self._turn)

    def _turn(self) -> float:
        return time.monotonic() + self.renewals.turn()


class _Base(Holder[Hold]):
    """What all locks have in common."""

    @property
    def _registry(self) -> Registry:
        return Registry.of(self._client)

    def acquire(self, blocking: bool = True, timeout: float = FOREVER) -> bool:
        """Takes the lock; returns whether it did, for certain. `timeout` is in seconds and may be a fraction; without
        one it waits for as long as the lock was made to wait, or for ever. Raises an Error if the lock service cannot
        be asked, and Deadlock if waiting would be one."""
        return self._take(checked_wait(blocking, timeout, self._wait)) is not None

    def release(self) -> None:
        """Gives the lock back. Raises NotHeld if it was not acquired, and LockLost if it was lost."""
        self._leave(self.hold)

    def locked(self) -> bool:
        """Whether anybody holds the lock at this moment. Asks the lock service."""
        infos = [self._client("lock.info", name, idempotent=True, timeout=QUERY_TIMEOUT) for name in self._kind.names]
        return any(info["held"] for info in infos)

    @property
    def lost(self) -> threading.Event:
        """Set when the hold is lost."""
        return cast(threading.Event, self.hold.lost)

    def __enter__(self) -> Hold:
        return self._entered(self._take(self._patience))

    def __exit__(self, kind: Optional[type], *_: object) -> None:
        hold = self._left()
        try:
            if hold is None:
                raise self._released_inside()
            self._leave(hold)
        except errors.LockLost as error:
            if kind is None:
                raise
            log.warning("%s; the error that ended its block goes first", error)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._names} of {self._client!r}>"

    def _take(self, wait: float) -> Optional[Hold]:
        registry = self._registry
        end = time.monotonic() + wait
        while True:
            part = max(0.0, min(end - time.monotonic(), LONGEST_WAIT))
            hold = self._ask(registry, part)
            if hold is not None:
                if hold.expires_in > 0:
                    return hold
                # We were stopped for longer than the lease. Whoever uses the lock now would use it in vain.
                with contextlib.suppress(errors.LockError):
                    self._leave(hold)
            elif time.monotonic() + 0.001 >= end:
                return None

    def _ask(self, registry: Registry, wait: float) -> Optional[Hold]:
        owner, newest = registry.owner, registry.newest
        method, args = self._kind.acquire(owner, wait, next(registry.request_ids))
        call = WaitedCall(method, _wire.pack_call(method, args), wait + GRACE, 1, True)
        call.most_tries = _core.PERSISTENT
        asked = boot_time()
        hold = None
        try:
            grant = self._client._finish(call)
            if not grant["ok"]:
                return None
            renewed_until = asked + grant.get("waited_ms", 0) / 1000 + self._max_hold
            hold = Hold(self._client, self._kind, owner, grant["token"], validity(grant, asked), renewed_until)
            self._holds.append(hold)
            registry.renewals.add(hold)
        except errors.NotReentrant:
            if not registry.renewals.has(owner, self._kind.names):
                return self._ask_after_giving_back(registry, wait)
            if wait == 0:
                return None
            raise
        except BaseException:
            if call.value is not None:  # interrupted with the grant in hand: the service takes it back
                self._forget(hold)
                self._client._io.cancel(call)
            raise
        if not grant.get("replay") and grant.get("hold_count", 1) == 1:
            if grant["token"] <= newest:
                self._forget(hold)
                self._client._io.cancel(call)
                raise errors.LockError(f"{self._kind.names[0]} has token {grant['token']} after {newest}: "
                                       f"the endpoints of {self._client!r} lead to different lock services")
            registry.newest = max(registry.newest, grant["token"])
        if self._on_lost is not None:
            hold.on_lost(self._on_lost)
        return hold

    def _ask_after_giving_back(self, registry: Registry, wait: float) -> Optional[Hold]:
        """For when the service says that we hold the lock, and we do not know."""
        holds = self._client("lock.holds", registry.owner, idempotent=True, timeout=QUERY_TIMEOUT)
        request = self._kind.forgotten(registry.owner, holds)
        if request is not None:
            method, args = request
            self._client(method, *args, idempotent=True, timeout=QUERY_TIMEOUT)
        return self._ask(registry, wait)

    def _leave(self, hold: Hold) -> None:
        """Stops the renewal, then tells the service. A lock that was lost needs no telling."""
        left = self._give_up(hold)
        method, args = hold.kind.release(hold.owner, hold.token, f"r{next(hold.registry.request_ids)}")
        try:
            released = self._client(method, *args, timeout=min(left, RELEASE_TIMEOUT), idempotent=True)
            why_not = hold.kind.why_not(hold.token, released)
        except errors.RemoteError as error:
            why_not = error.name
        except errors.Error as error:
            return not_released(hold, error, left)
        self._released(hold, why_not, left)


class Lock(_Base):
    """A lock that one thread of one process on one machine holds at a time.

        with zerosuite.Lock(client, "stock-7", lease=30, wait=5) as hold:  # NotAcquired after 5 s
            sell(item=7, fence=hold.token)
            hold.check()                                                   # LockLost if it was lost; makes no call

        if lock.acquire(timeout=0.5): ...                                  # True only if it is held

    lease: seconds after which the lock service ends a hold that is not renewed. It is renewed in the background, three
    times per lease, until it is released. wait: seconds to wait for it; None waits for ever. shared: many may hold it
    at a time that ask so. max_hold: seconds after which it is no longer renewed. on_lost: called with the Hold, in a
    thread of its own, when it is lost. data: a note for those who look at the lock.
    """

    def __init__(self, client: Client, name: str, *, lease: float = 30.0, wait: Optional[float] = None,
                 shared: bool = False, max_hold: Optional[float] = None,
                 on_lost: Optional[Callable[[BaseHold], object]] = None, data: Optional[str] = None) -> None:
        kind = Kind((checked_name(name),), checked_lease(lease), shared=shared, reentrant=self.reentrant, data=data)
        super().__init__(client, kind, wait, max_hold, on_lost)


class RLock(Lock):
    """A Lock that the thread that holds it may acquire again. It is free after as many releases."""

    reentrant = True

    def _take(self, wait: float) -> Optional[Hold]:
        hold = self._mine()
        if hold is None:
            return super()._take(wait)
        hold.check()  # the broker would let us in again, and so would hide that somebody else was in between
        hold.entries += 1
        return hold

    def _leave(self, hold: Hold) -> None:
        if hold.entries > 1 and not hold.inherited:
            hold.entries -= 1
        else:
            super()._leave(hold)


class Semaphore(_Base):
    """Lets in as many as there are permits: `limit` of them, for all who use that name."""

    def __init__(self, client: Client, name: str, limit: int, *, permits: int = 1, lease: float = 30.0,
                 wait: Optional[float] = None, max_hold: Optional[float] = None,
                 on_lost: Optional[Callable[[BaseHold], object]] = None) -> None:
        if not 1 <= permits <= limit:
            raise ValueError(f"permits are from 1 to the limit of {limit}, not {permits}")
        kind = Kind((checked_name(name),), checked_lease(lease), permits=permits, limit=limit)
        super().__init__(client, kind, wait, max_hold, on_lost)


class MultiLock(_Base):
    """Several locks that are taken together or not at all, under one token, in whatever order they are named."""

    def __init__(self, client: Client, names: Sequence[str], *, lease: float = 30.0, wait: Optional[float] = None,
                 shared: bool = False, max_hold: Optional[float] = None,
                 on_lost: Optional[Callable[[BaseHold], object]] = None) -> None:
        kind = Kind(checked_names(names), checked_lease(lease), shared=shared, many=True)
        super().__init__(client, kind, wait, max_hold, on_lost)


class RWLock:
    """Many readers or one writer: `with rw.read:` and `with rw.write:`. A reader does not overtake a writer that
    waits. A reader cannot become the writer."""

    def __init__(self, client: Client, name: str, *, lease: float = 30.0, wait: Optional[float] = None,
                 max_hold: Optional[float] = None, on_lost: Optional[Callable[[BaseHold], object]] = None) -> None:
        self.read = Lock(client, name, lease=lease, wait=wait, shared=True, max_hold=max_hold, on_lost=on_lost)
        self.write = Lock(client, name, lease=lease, wait=wait, max_hold=max_hold, on_lost=on_lost)


def locked(name: str, client: Optional[Client] = None, **options: Any) -> Callable[[Function], Function]:
    """Decorates a function that runs only while the lock is held. `name` may have the function's arguments in braces:

        @zerosuite.locked("stock-{item}", client, wait=5)
        def sell(item): ...

    Without a client it uses the one of default_client(). Options are those of Lock. For `async def` functions there is
    zerosuite.aio.locked.
    """
    def decorate(function: Function) -> Function:
        if inspect.iscoroutinefunction(function):
            raise TypeError(f"{function!r} is an async function: decorate it with zerosuite.aio.locked")
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{function!r} is a generator function, whose body runs later: use `with` inside it")
        named = NameOf(name, function)

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with Lock(client or default_client(), named(args, kwargs), **options):
                return function(*args, **kwargs)

        return cast(Function, run)

    return decorate


class NameOf:
    """The name of a lock for a call of a function."""

    def __init__(self, pattern: str, function: Callable[..., Any]) -> None:
        self._pattern = pattern
        self._signature = inspect.signature(function) if "{" in pattern else None

    def __call__(self, args: Tuple[Any, ...], kwargs: Any) -> str:
        if self._signature is None:
            return self._pattern
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return self._pattern.format(**bound.arguments)


_default: Optional[Client] = None
_default_lock = threading.Lock()

DEFAULT_ENDPOINT = "tcp://127.0.0.1:4243"


def default_client() -> Client:
    """The client to the endpoints in ZEROSUITE_ENDPOINT, separated by commas, or to the usual one of the proxy."""
    global _default
    with _default_lock:
        if _default is None or _default.closed:
            _default = Client(*default_endpoints())
        return _default


def default_endpoints() -> List[str]:
    return [each.strip() for each in os.environ.get("ZEROSUITE_ENDPOINT", DEFAULT_ENDPOINT).split(",")]


def _after_fork() -> None:
    global _default_lock
    _default_lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
