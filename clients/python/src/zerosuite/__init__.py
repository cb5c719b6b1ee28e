"""Clients of zerosuite and of any zerorpc server: calls, locks and ids, without gevent.

zerosuite.aio has the same for asyncio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import errors, ids
from ._client import Client, Stream
from ._locks import Hold, Lock, MultiLock, RLock, RWLock, Semaphore, default_client, locked
from .errors import (
    Closed, Deadlock, Error, LockError, LockLost, LostRemote, NotAcquired, NotHeld, ProtocolError, RemoteError,
    TimeoutExpired, TooManyCalls,
)
from .redlock import Redlock, acquire_lock, release_lock

if TYPE_CHECKING:
    from . import aio

__all__ = [
    "Client", "Closed", "Deadlock", "Error", "Hold", "Lock", "LockError", "LockLost", "LostRemote", "MultiLock",
    "NotAcquired", "NotHeld", "ProtocolError", "RLock", "RWLock", "Redlock", "RemoteError", "Semaphore", "Stream",
    "TimeoutExpired", "TooManyCalls", "acquire_lock", "aio", "default_client", "errors", "ids", "locked",
    "release_lock",
]
__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    """Imports zerosuite.aio, and asyncio with it, when somebody uses it."""
    if name == "aio":
        import importlib

        return importlib.import_module(".aio", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
