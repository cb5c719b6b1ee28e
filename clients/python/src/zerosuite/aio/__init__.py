"""The same clients for asyncio."""

from ._client import Client, Stream

__all__ = ["Client", "Stream"]
