"""The synchronous client."""

from __future__ import annotations

import atexit
import concurrent.futures
import os
import threading
import time
import warnings
import weakref
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple, Union

from . import _core, _link, _wire, errors
from ._io_thread import IoThread
from ._signatures import Signatures, in_order

TIMEOUT = 30.0
LONGEST_TIMEOUT = 1e9  # a longer one is none: thirty years
HEARTBEAT = 5.0
SLOTS = 480
MAX_CALLS = 10_000


class _Default:
    """Stands for what the client says."""

    def __repr__(self) -> str:
        return "the client's"


DEFAULT = _Default()
Timeout = Union[float, None, _Default]

_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()


class WaitedCall(_core.Call):
    """A call whose caller waits for a lock that was made for it: nothing in Python wakes a thread faster."""

    __slots__ = ("value", "error", "done")

    def __init__(self, method: str, packed: bytes, timeout: Optional[float], slots: int, repeatable: bool) -> None:
        super().__init__(method, packed, timeout, slots, repeatable)
        self.value: Any = None
        self.error: Optional[BaseException] = None
        self.done = threading.Lock()
        self.done.acquire()

    def new_stream(self) -> "_Items":
        return _Items(self.slots)

    def answered(self, value: Any) -> None:
        self.value = value
        self.done.release()

    def failed(self, error: BaseException) -> None:
        self.error = error
        self.done.release()


class _Items(_core.Stream):
    """The items of a stream, and the threads that wait for the next one."""

    def __init__(self, window: int) -> None:
        super().__init__(window)
        self._waiters: List[threading.Lock] = []

    def woken(self) -> None:
        while self._waiters:
            self._waiters.pop().release()

    def wait(self) -> None:
        """Until there is an item, or the end."""
        waiter = threading.Lock()
        waiter.acquire()
        self._waiters.append(waiter)
        if not self.items and not self.ended:
            waiter.acquire()


class Stream(Iterator[Any]):
    """The items of a streaming method, as they come.

    Leave it early with close(), by a `with` block, or by forgetting it: the server is told to stop. Any thread may take
    items; each item goes to one of them.
    """

    def __init__(self, io: IoThread, call: _core.Call, items: _Items) -> None:
        self._io = io
        self._call = call
        self._items = items
        self._closed = False

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> Any:
        items = self._items
        while True:
            try:
                item = items.items.popleft()
            except IndexError:
                pass
            else:
                grant = items.taken()
                if grant and not items.ended:
                    self._io.grant(self._call, grant)
                return item
            if self._closed:
                raise StopIteration
            if items.ended and not items.items:
                if items.error is not None:
                    error, items.error = items.error, None
                    raise error
                raise StopIteration
            items.wait()

    def close(self) -> None:
        """Takes no more items; the server is told to send none."""
        self._closed = True
        self._items.items.clear()
        if not self._items.ended:
            self._items.ended = True
            self._io.cancel(self._call)
        self._items.woken()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._items.ended and not self._io.closed:
            self._io.cancel(self._call)


class CallFuture(concurrent.futures.Future[Any]):
    """The result of a call, for later. cancel() tells the server, too."""

    def __init__(self, io: IoThread, call: "_FutureCall") -> None:
        super().__init__()
        self._io = io
        self._call = call

    def cancel(self) -> bool:
        cancelled = super().cancel()
        if cancelled:
            self._io.cancel(self._call)
        return cancelled


class _FutureCall(_core.Call):
    """A call whose result is put into a future. The future knows its call; the call forgets the future when it has the
    result, so that they are no cycle for the garbage collector."""

    __slots__ = ("future", "io")
    future: CallFuture
    io: IoThread

    def new_stream(self) -> _Items:
        return _Items(self.slots)

    def answered(self, value: Any) -> None:
        future = self.future
        del self.future
        if type(value) is _Items:
            value = Stream(self.io, self, value)
        try:
            future.set_result(value)
        except concurrent.futures.InvalidStateError:
            pass  # it was cancelled

    def failed(self, error: BaseException) -> None:
        future = self.future
        del self.future
        try:
            future.set_exception(error)
        except concurrent.futures.InvalidStateError:
            pass


class Method:
    """A method of the server: call it. Its attributes are the methods of a service: client.lock.acquire."""

    __slots__ = ("_client", "_name")

    def __init__(self, client: "Client", name: str) -> None:
        self._client = client
        self._name = name

    def __call__(self, *args: Any, **named: Any) -> Any:
        if named:
            return self._client(self._name, *args, **named)
        client, method = self._client, self._name
        return client._finish(WaitedCall(method, _wire.pack_call(method, args), client.timeout, SLOTS, False))

    def submit(self, *args: Any, **named: Any) -> CallFuture:
        """The same call, as a future."""
        return self._client.submit(self._name, *args, **named)

    def __getattr__(self, name: str) -> "Method":
        if name.startswith("_"):
            raise AttributeError(name)
        return Method(self._client, f"{self._name}.{name}")

    def __repr__(self) -> str:
        return f"<method {self._name} of {self._client!r}>"


class Client:
    """Calls the methods of a zerorpc server, of a service of zerosuite, or of all of them through its proxy.

        with zerosuite.Client("tcp://127.0.0.1:4243") as client:
            client.math.add(88, 77)
            client.lock.acquire("job", lease_ms=5000)
            for number in client.math.range(0, 3): ...
            client("method that is no Python name", 1, 2, timeout=5)

    Any thread may use it. It connects with the first call, and may be made before a fork. Several endpoints must lead
    to the same services: calls go to the first that is up, and change to another when its connection ends.

    timeout: seconds until the first reply; None waits for ever. May be given with each call, too.
    heartbeat: seconds between signs of life; a server silent for twice that is lost. None sends and expects none.
    max_calls: how many may be open; one more is TooManyCalls.
    """

    def __init__(self, *endpoints: str, timeout: Optional[float] = TIMEOUT, heartbeat: Optional[float] = HEARTBEAT,
                 max_calls: int = MAX_CALLS) -> None:
        self.timeout = checked_timeout(timeout)
        self._io = IoThread([checked_endpoint(endpoint) for endpoint in endpoints], heartbeat, max_calls)
        self._known: Optional[Signatures] = None
        self._shared: Dict[Any, Any] = {}  # what locks and the like keep with their client
        _clients.add(self)

    def connect(self, endpoint: str) -> None:
        """Adds an endpoint; before the first call."""
        self._io.add(checked_endpoint(endpoint))

    def __call__(self, method: str, /, *args: Any, timeout: Timeout = DEFAULT, slots: int = SLOTS,
                 idempotent: bool = False, **named: Any) -> Any:
        """Calls a method and returns what it returns: a value, or a Stream.

        slots: how many items of a stream may be on their way. idempotent: the call may be executed twice, so it is
        repeated if nobody knows whether it was. Other keywords are arguments of the method.
        """
        if named:
            args = self._in_order(method, args, named)
        limit = self.timeout if timeout is DEFAULT else checked_timeout(timeout)  # type: ignore[arg-type]
        return self._finish(WaitedCall(method, _wire.pack_call(method, args), limit, slots, idempotent))

    def _finish(self, call: WaitedCall) -> Any:
        io = self._io
        if io.ident == threading.get_ident():
            raise RuntimeError("a call from the client's own thread would wait for itself; use submit() in callbacks")
        try:
            io.submit(call)
            call.done.acquire()
            value = call.value
            if type(value) is _Items:
                return Stream(io, call, value)
        except BaseException:  # Ctrl-C, most often: nobody waits for it any more
            io.cancel(call)
            raise
        if call.error is None:
            return value
        error = call.error
        try:
            raise error
        finally:
            del error, call  # they and the traceback would keep one another

    def submit(self, method: str, /, *args: Any, timeout: Timeout = DEFAULT, slots: int = SLOTS,
               idempotent: bool = False, **named: Any) -> CallFuture:
        """Starts a call and returns a future of its result."""
        if named:
            args = self._in_order(method, args, named)
        limit = self.timeout if timeout is DEFAULT else checked_timeout(timeout)  # type: ignore[arg-type]
        call = _FutureCall(method, _wire.pack_call(method, args), limit, slots, idempotent)
        call.io = self._io
        call.future = future = CallFuture(self._io, call)
        self._io.submit(call)
        return future

    def inspect(self) -> Mapping[str, Mapping[str, Any]]:
        """The methods of the server by name, as its _zerorpc_inspect describes them."""
        self._known = Signatures(self(_core.INSPECT, idempotent=True))
        return self._known.methods

    def _in_order(self, method: str, args: Tuple[Any, ...], named: Mapping[str, Any]) -> Tuple[Any, ...]:
        for fresh in (False, True):
            if fresh or self._known is None:
                try:
                    self.inspect()
                except errors.RemoteError as error:
                    raise no_names(method, named, error) from error
            assert self._known is not None
            about = self._known.find(method)
            if about is not None:
                return in_order(method, about, args, named)
        raise unknown_method(method, self._known)

    def close(self) -> None:
        """Ends open calls with Closed, cancels them at the server, and disconnects. Locks that are held are lost: they
        are free when their leases end."""
        for shared in list(self._shared.values()):
            shared.close()
        self._io.close()

    @property
    def closed(self) -> bool:
        return self._io.closed

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what copy, pickle, IPython and others ask for is not the server's business
            raise AttributeError(name)
        method = self.__dict__[name] = Method(self, name)
        return method

    def __reduce__(self) -> Any:
        raise TypeError("a Client is a connection and can be neither copied nor pickled; make another one")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(repr(link.endpoint) for link in self._io.core.links)})"

    def __del__(self) -> None:
        io = self.__dict__.get("_io")
        if io is not None and io.running and not io.closed:
            warnings.warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)
            io.close(wait=None)


def checked_endpoint(endpoint: str) -> str:
    """An endpoint that libzmq understands, or ValueError. libzmq itself would try some bad ones for ever."""
    scheme, separator, address = endpoint.partition("://")
    if not separator:
        scheme, address = "tcp", endpoint
    if scheme == "tcp":
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"{endpoint!r} is no endpoint; one looks like tcp://127.0.0.1:4243")
    elif scheme not in ("ipc", "inproc") or not address:
        raise ValueError(f"{endpoint!r} is no endpoint; one looks like tcp://127.0.0.1:4243 or ipc:///run/some.sock")
    return f"{scheme}://{address}"


def checked_timeout(timeout: Optional[float]) -> Optional[float]:
    """Seconds, or None for no limit."""
    if timeout is None:
        return None
    seconds = float(timeout)
    if not seconds > 0:
        raise ValueError(f"a timeout is a positive number of seconds or None, not {timeout!r}")
    return seconds if seconds < LONGEST_TIMEOUT else None


def no_names(method: str, named: Mapping[str, Any], error: errors.RemoteError) -> TypeError:
    """For keyword arguments to a server that does not say what its methods' arguments are called."""
    return TypeError(f"{method}() cannot take the keyword {next(iter(named))!r}: the server does not say what its "
                     f"arguments are called ({error.name}: {error.msg}); pass them by position")


def unknown_method(method: str, known: Optional[Signatures]) -> TypeError:
    near = known.nearest(method) if known is not None else []
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return TypeError(f"{method}() cannot take keyword arguments: the server has no method of that name{hint}")


def _after_fork() -> None:
    _link.forget_context()
    for client in list(_clients):
        client._shared.clear()
        client._io.forget()


def _at_exit() -> None:
    end = time.monotonic() + 1.0
    for client in list(_clients):
        client._io.close(wait=max(0.0, end - time.monotonic()))


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
