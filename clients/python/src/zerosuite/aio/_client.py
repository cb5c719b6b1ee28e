"""The client for asyncio. It has no thread: the loop watches the socket's descriptor."""

from __future__ import annotations

import asyncio
import os
import time
import warnings
import weakref
from collections.abc import Coroutine
from typing import Any, AsyncIterator, Dict, Generator, List, Mapping, Optional, Tuple

from .. import _core, _wire, errors
from .._client import (
    DEFAULT, HEARTBEAT, MAX_CALLS, SLOTS, TIMEOUT, Timeout, checked_endpoint, checked_timeout, no_names, unknown_method,
)
from .._link import Connection
from .._signatures import Signatures, in_order

_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()


class AwaitedCall(_core.Call):
    __slots__ = ("future",)
    future: "asyncio.Future[Any]"

    def new_stream(self) -> "_Items":
        return _Items(self.slots)

    def answered(self, value: Any) -> None:
        if not self.future.done():
            self.future.set_result(value)

    def failed(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class _Items(_core.Stream):
    """The items of a stream, and the tasks that wait for the next one."""

    def __init__(self, window: int) -> None:
        super().__init__(window)
        self._waiters: List["asyncio.Future[None]"] = []

    def woken(self) -> None:
        while self._waiters:
            waiter = self._waiters.pop()
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self) -> None:
        """Until there may be an item, or the end."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter


class Driver:
    """Moves what the core wants sent to the sockets, and what comes from them to the core, in one loop."""

    def __init__(self, endpoints: List[str], heartbeat: Optional[float], max_calls: int) -> None:
        self.core = _core.Core(endpoints, heartbeat, max_calls)
        self.closed = False
        self._options = heartbeat, max_calls
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._connections: Dict[_core.Link, Connection] = {}
        self._scheduled = False
        self._alarm: Optional[asyncio.TimerHandle] = None
        self._alarm_at = _core.NEVER
    @property
    def connected(self) -> bool:
        return bool(self._connections)

    def submit(self, call: _core.Call, loop: asyncio.AbstractEventLoop) -> None:
        """From the loop that is running."""
        if self.closed:
            raise errors.Closed("the client is closed")
        if loop is not self._loop:
            self._enter(loop)
        self.core.submit(call, time.monotonic())
        if not self._scheduled:
            self.schedule()

    def cancel(self, call: _core.Call) -> None:
        """Nobody waits for it any more. Safe in a finalizer, in the loop's thread."""
        if not self.closed and self._loop is not None and not self._loop.is_closed():
            self.core.cancel(call)
            self.schedule()
        else:
            call.abandoned = True

    def grant(self, call: _core.Call, credit: int) -> None:
        self.core.grant(call, credit)
        self.schedule()

    def schedule(self) -> None:
        """One turn serves everything that is asked for until the loop gets to it."""
        if not self._scheduled:
            self._scheduled = True
            assert self._loop is not None
            self._loop.call_soon(self._turn)

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.core.close(errors.Closed("the client was closed"))
        if self._loop is not None and not self._loop.is_closed():
            self._send()
            self._leave()
        self._drop()

    def close_soon(self) -> None:
        """From a finalizer, whichever thread that runs in."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.close)

    def forget(self) -> None:
        """In a forked child: the loop and the sockets are the parent's. The next call starts anew, in a new loop."""
        endpoints = [link.endpoint for link in self.core.links]
        closed = self.closed
        self.__init__(endpoints, *self._options)  # type: ignore[misc]
        self.closed = closed

    def _enter(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not None:
            if not self._loop.is_closed():
                raise RuntimeError("this client belongs to another event loop: make one for each loop")
            self.core.close(errors.Closed("the event loop of the call has ended"))
            self._drop()
            self.__init__([link.endpoint for link in self.core.links], *self._options)  # type: ignore[misc]
        several = len(self.core.links) > 1
        try:
            for link in self.core.links:
                self._connections[link] = Connection(link, several)
        except errors.Error:
            self._drop()
            raise
        self._loop = loop
        for connection in self._connections.values():
            loop.add_reader(connection.descriptor, self._turn)
            loop.add_reader(connection.news_descriptor, self._tell, connection)

    def _leave(self) -> None:
        assert self._loop is not None
        for connection in self._connections.values():
            self._loop.remove_reader(connection.descriptor)
            self._loop.remove_reader(connection.news_descriptor)
        if self._alarm is not None:
            self._alarm.cancel()

    def _drop(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections = {}

    def _tell(self, connection: Connection) -> None:
        connection.news = True
        self._turn()

    def _turn(self) -> None:
        self._scheduled = False
        core, more = self.core, False
        self._send()
        for connection in self._connections.values():
            # libzmq's descriptor tells only of changes, and sending may have used one up: always look.
            more = connection.look(core, time.monotonic) or more
        if core.out:
            self._send()
            more = True
        if more:
            self.schedule()
        if core.wake_at < self._alarm_at:
            self._set_alarm()

    def _send(self) -> None:
        out = self.core.out
        while out:
            outgoing = out.popleft()
            connection = self._connections.get(outgoing[0])
            if connection is not None and not connection.send(outgoing[1]):
                self.core.unsent(outgoing, time.monotonic())

    def _set_alarm(self) -> None:
        assert self._loop is not None
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = self.core.wake_at
        self._alarm = self._loop.call_later(max(0.0, self._alarm_at - time.monotonic()), self._ring)

    def _ring(self) -> None:
        self._alarm, self._alarm_at = None, _core.NEVER
        self._turn()  # what has come meanwhile counts
        now = time.monotonic()
        if now >= self.core.wake_at:
            self.core.tick(now)
        self._turn()


class Stream(AsyncIterator[Any]):
    """The items of a streaming method, as they come.

    Leave it early with aclose(), by `async with`, or by forgetting it: the server is told to stop.
    """

    def __init__(self, driver: Driver, call: _core.Call, items: _Items) -> None:
        self._driver = driver
        self._call = call
        self._items = items

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> Any:
        items = self._items
        while not items.items:
            if items.ended:
                error, items.error = items.error, None
                raise StopAsyncIteration if error is None else error
            await items.wait()
        item = items.items.popleft()
        grant = items.taken()
        if grant and not items.ended:
            self._driver.grant(self._call, grant)
        return item

    async def aclose(self) -> None:
        """Takes no more items; the server is told to send none."""
        self._close()
        self._items.items.clear()
        self._items.woken()

    def _close(self) -> None:
        if not self._items.ended:
            self._items.ended = True
            self._driver.cancel(self._call)

    async def __aenter__(self) -> "Stream":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        self._close()


class Pending(Coroutine[Any, Any, Any]):
    """A call that is made when it is awaited; or, if its method streams, when `async for` begins."""

    __slots__ = ("_coroutine", "_method")

    def __init__(self, method: str, coroutine: "Coroutine[Any, Any, Any]") -> None:
        self._method = method
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()

    def send(self, value: Any) -> Any:
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()

    def __aiter__(self) -> AsyncIterator[Any]:
        return _LateStream(self._method, self._coroutine)


class _LateStream(AsyncIterator[Any]):
    """The stream that a call returns, from its first item on."""

    def __init__(self, method: str, coroutine: "Coroutine[Any, Any, Any]") -> None:
        self._method = method
        self._coroutine = coroutine
        self._stream: Optional[Stream] = None

    async def __anext__(self) -> Any:
        if self._stream is None:
            value = await self._coroutine
            if not isinstance(value, Stream):
                raise TypeError(f"{self._method}() returned no stream but {value!r:.100}")
            self._stream = value
        return await self._stream.__anext__()


class Method:
    """A method of the server: call it and await the result. Its attributes are the methods of a service."""

    __slots__ = ("_client", "_name")

    def __init__(self, client: "Client", name: str) -> None:
        self._client = client
        self._name = name

    def __call__(self, *args: Any, **named: Any) -> Pending:
        if named:
            return self._client(self._name, *args, **named)
        client, method = self._client, self._name
        call = AwaitedCall(method, _wire.pack_call(method, args), client.timeout, SLOTS, False)
        return Pending(method, client._finish(call))

    def __getattr__(self, name: str) -> "Method":
        if name.startswith("_"):
            raise AttributeError(name)
        return Method(self._client, f"{self._name}.{name}")

    def __repr__(self) -> str:
        return f"<method {self._name} of {self._client!r}>"


class Client:
    """Calls the methods of a zerorpc server, of a service of zerosuite, or of all of them through its proxy.

        async with zerosuite.aio.Client("tcp://127.0.0.1:4243") as client:
            await client.math.add(88, 77)
            await client.lock.acquire("job", lease_ms=5000)
            async for number in client.math.range(0, 3): ...

    It belongs to the event loop of its first call. A task that is cancelled cancels its call at the server. Arguments
    are those of zerosuite.Client.
    """

    def __init__(self, *endpoints: str, timeout: Optional[float] = TIMEOUT, heartbeat: Optional[float] = HEARTBEAT,
                 max_calls: int = MAX_CALLS) -> None:
        self.timeout = checked_timeout(timeout)
        self._driver = Driver([checked_endpoint(endpoint) for endpoint in endpoints], heartbeat, max_calls)
        self._known: Optional[Signatures] = None
        self._shared: Dict[Any, Any] = {}  # what locks and the like keep with their client
        _clients.add(self)

    def __call__(self, method: str, /, *args: Any, timeout: Timeout = DEFAULT, slots: int = SLOTS,
                 idempotent: bool = False, **named: Any) -> Pending:
        """Calls a method; await it for what the method returns, or iterate over it if that is a stream."""
        limit = self.timeout if timeout is DEFAULT else checked_timeout(timeout)  # type: ignore[arg-type]
        if named:
            return Pending(method, self._call_named(method, args, named, limit, slots, idempotent))
        call = AwaitedCall(method, _wire.pack_call(method, args), limit, slots, idempotent)
        return Pending(method, self._finish(call))

    async def _finish(self, call: AwaitedCall) -> Any:
        driver, loop = self._driver, asyncio.get_running_loop()
        call.future = future = loop.create_future()
        driver.submit(call, loop)
        try:
            value = await future
        except (asyncio.CancelledError, GeneratorExit):
            driver.cancel(call)
            raise
        return Stream(driver, call, value) if type(value) is _Items else value

    async def _call_named(self, method: str, args: Tuple[Any, ...], named: Mapping[str, Any], timeout: Optional[float],
                          slots: int, idempotent: bool) -> Any:
        placed = await self._in_order(method, args, named)
        return await self._finish(AwaitedCall(method, _wire.pack_call(method, placed), timeout, slots, idempotent))

    async def inspect(self) -> Mapping[str, Mapping[str, Any]]:
        """The methods of the server by name, as its _zerorpc_inspect describes them."""
        self._known = Signatures(await self(_core.INSPECT, idempotent=True))
        return self._known.methods

    async def _in_order(self, method: str, args: Tuple[Any, ...], named: Mapping[str, Any]) -> Tuple[Any, ...]:
        for fresh in (False, True):
            if fresh or self._known is None:
                try:
                    await self.inspect()
                except errors.RemoteError as error:
                    raise no_names(method, named, error) from error
            assert self._known is not None
            about = self._known.find(method)
            if about is not None:
                return in_order(method, about, args, named)
        raise unknown_method(method, self._known)

    async def close(self) -> None:
        """Ends open calls with Closed, cancels them at the server, and disconnects. Locks that are held are lost: they
        are free when their leases end."""
        for shared in list(self._shared.values()):
            shared.close()
        self._driver.close()

    @property
    def closed(self) -> bool:
        return self._driver.closed

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        method = self.__dict__[name] = Method(self, name)
        return method

    def __reduce__(self) -> Any:
        raise TypeError("a Client is a connection and can be neither copied nor pickled; make another one")

    def __repr__(self) -> str:
        return f"aio.{type(self).__name__}({', '.join(repr(link.endpoint) for link in self._driver.core.links)})"

    def __del__(self) -> None:
        driver = self.__dict__.get("_driver")
        if driver is not None and driver.connected and not driver.closed:
            warnings.warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)
            driver.close_soon()


def _after_fork() -> None:
    for client in list(_clients):
        client._shared.clear()
        client._driver.forget()


os.register_at_fork(after_in_child=_after_fork)
