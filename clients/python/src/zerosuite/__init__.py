"""Clients of zerosuite and of any zerorpc server: calls, locks and ids, without gevent. See zerosuite.aio for asyncio."""

from ._client import Client, Stream
from ._locks import Hold, Lock, MultiLock, RLock, RWLock, Semaphore, default_client, locked
from .errors import (
    Closed, Deadlock, Error, LockError, LockLost, LostRemote, NotAcquired, NotHeld, ProtocolError, RemoteError,
    TimeoutExpired, TooManyCalls,
)

__all__ = [
    "Client", "Closed", "Deadlock", "Error", "Hold", "Lock", "LockError", "LockLost", "LostRemote", "MultiLock",
    "NotAcquired", "NotHeld", "ProtocolError", "RLock", "RWLock", "RemoteError", "Semaphore", "Stream",
    "TimeoutExpired", "TooManyCalls", "default_client", "locked",
]
__version__ = "0.2.0"
