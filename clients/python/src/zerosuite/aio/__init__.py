"""The same clients for asyncio: calls, locks and ids."""

from . import ids
from ._client import Client, Stream
from ._locks import Hold, Lock, MultiLock, RLock, RWLock, Semaphore, locked

__all__ = ["Client", "Hold", "Lock", "MultiLock", "RLock", "RWLock", "Semaphore", "Stream", "ids", "locked"]
