"""For programs written for redlock-py, or with the acquire_lock() and release_lock() of the SETNX recipe: they run with
one import changed, and the lock service grants what several Redis servers did.

    from zerosuite import Redlock

    dlm = Redlock(["tcp://127.0.0.1:4243"])
    lock = dlm.lock("name of the resource", 1000)
    if lock: ...
    dlm.unlock(lock)
"""

from __future__ import annotations

import secrets
import time
from typing import Any, Iterable, List, Literal, Mapping, NamedTuple, Optional, Union

from . import errors
from ._client import Client
from ._lock_requests import GRACE
from ._locks import Registry, default_client

__all__ = ["CannotObtainLock", "Lock", "MultipleRedlockException", "Redlock", "acquire_lock", "release_lock"]

DEFAULT_PORT = 4243


class Lock(NamedTuple):
    """What lock() returns. validity: milliseconds for which it is certainly held."""

    validity: int
    resource: str
    key: str


class CannotObtainLock(errors.Error):
    """No server was named."""


class MultipleRedlockException(errors.Error):
    """The lock service could not be asked."""

    def __init__(self, errors_: List[BaseException]) -> None:
        super().__init__(errors_)
        self.errors = errors_

    def __str__(self) -> str:
        return " :: ".join(str(error) for error in self.errors)


class Redlock:
    """Locks with the calls of redlock-py. Several servers are several ways to one lock service: proxies, for example.

    connection_list: endpoints, or dicts with "host" and "port", or one Client. Nothing renews these locks.
    """

    default_retry_count = 3
    default_retry_delay = 0.2

    def __init__(self, connection_list: Union[Client, Iterable[Union[str, Mapping[str, Any], Client]]],
                 retry_count: Optional[int] = None, retry_delay: Optional[float] = None) -> None:
        self.client = _client_of(connection_list)
        self.retry_count = self.default_retry_count if retry_count is None else retry_count
        self.retry_delay = self.default_retry_delay if retry_delay is None else retry_delay

    def lock(self, resource: str, ttl: int) -> Union[Lock, Literal[False]]:
        """Takes the lock for ttl milliseconds; False if it does not become free within the retries. They need no
        polling here: it is a place in the line."""
        if isinstance(ttl, bool) or not isinstance(ttl, int):
            raise ValueError(f"ttl {ttl!r} is not an integer")
        return _acquire(self.client, resource, ttl, self.retry_count * self.retry_delay)

    def unlock(self, lock: Lock) -> None:
        """Gives it back; nothing happens if it has ended."""
        try:
            self.client("lock.unlock", [lock.validity, lock.resource, lock.key], idempotent=True)
        except (errors.LostRemote, errors.TimeoutExpired, errors.Closed) as error:
            raise MultipleRedlockException([error]) from error

    def close(self) -> None:
        self.client.close()

    def __enter__(self) -> "Redlock":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def acquire_lock(lock_name: str, acquire_time: float = 10, time_out: float = 10,
                 client: Optional[Client] = None) -> Union[str, Literal[False]]:
    """Takes the lock for time_out seconds, waiting for up to acquire_time seconds; an identifier for release_lock(), or
    False. Without a client it uses the one of zerosuite.default_client()."""
    lock = _acquire(client or default_client(), lock_name, round(time_out * 1000), acquire_time)
    return lock.key if lock else False


def release_lock(lock_name: str, identifier: Union[str, bytes], client: Optional[Client] = None) -> bool:
    """Gives it back; False if somebody else has it by now."""
    return bool((client or default_client())("lock.release_lock", lock_name, identifier, idempotent=True))


def _acquire(client: Client, resource: str, ttl: int, wait: float) -> Union[Lock, Literal[False]]:
    key = secrets.token_hex(16)
    begun = time.monotonic()
    opts = {"request_id": next(Registry.of(client).request_ids), "reentrant": False}
    try:
        grant = client("lock.acquire", resource, key, ttl, round(wait * 1000), opts, timeout=wait + GRACE,
                       idempotent=True)
    except (errors.LostRemote, errors.TimeoutExpired, errors.Closed) as error:
        raise MultipleRedlockException([error]) from error
    if not grant["ok"]:
        return False
    validity = int(grant["validity_ms"] + grant["waited_ms"] - (time.monotonic() - begun) * 1000)
    lock = Lock(validity, resource, key)
    if validity <= 0:
        client("lock.unlock", list(lock), idempotent=True)
        return False
    return lock


def _client_of(connection_list: Union[Client, Iterable[Union[str, Mapping[str, Any], Client]]]) -> Client:
    if isinstance(connection_list, Client):
        return connection_list
    servers = [connection_list] if isinstance(connection_list, (str, Mapping)) else list(connection_list)
    if not servers:
        raise CannotObtainLock("no server was named")
    clients = [server for server in servers if isinstance(server, Client)]
    if clients:
        return clients[0]
    return Client(*(_endpoint_of(server) for server in servers))


def _endpoint_of(server: Union[str, Mapping[str, Any]]) -> str:
    if isinstance(server, str):
        return server
    return f"tcp://{server.get('host', '127.0.0.1')}:{server.get('port', DEFAULT_PORT)}"
