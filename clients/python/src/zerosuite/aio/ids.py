"""Ids from the id service, fetched ahead and handed out without a call for each.

    ids = zerosuite.aio.ids.Ids(client)
    await ids.snowflake()
    async for order_id in ids.segments("orders"): ...
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import uuid
import weakref
from typing import Any, AsyncIterator, Callable, Dict, Generic, List, Optional, TypeVar

from .. import errors
from .._id_requests import (Feed, Snowflake, segment_feed, snowflake_feed, snowflake_of, text_feed, uuid_feed)
from .._supply import EMPTY, Appetite, Shelf
from ._client import Client

__all__ = ["Ids", "Snowflake", "Source"]

Id = TypeVar("Id")

_sources: "weakref.WeakSet[Source[Any]]" = weakref.WeakSet()


class Source(AsyncIterator[Id], Generic[Id]):
    """Ids of one kind without end, for all tasks of a loop. No id is given out twice, also not by forked processes.
    Ids that are not taken within a second are dropped: they are gaps."""

    def __init__(self, client: Client, feed: Feed) -> None:
        self._client = client
        self._feed = feed
        self._reset()
        _sources.add(self)

    def _reset(self) -> None:
        """Also in a forked child: what was fetched is the parent's."""
        self._shelf = EMPTY
        self._ahead: Optional["asyncio.Task[Shelf]"] = None
        self._appetite = Appetite(self._feed.most)
        self._refilling: Optional["asyncio.Task[None]"] = None

    def __aiter__(self) -> "Source[Id]":
        return self

    async def __anext__(self) -> Id:
        while True:
            shelf = self._shelf
            if time.monotonic() < shelf.expires:
                for value in shelf.ids:
                    return value  # type: ignore[no-any-return]
            if self._refilling is None or self._refilling.done():
                self._refilling = asyncio.ensure_future(self._refill(shelf))
            await asyncio.shield(self._refilling)  # one request serves all tasks, also when one is cancelled

    async def take(self, n: int) -> List[Id]:
        """A list of n ids."""
        return [await self.__anext__() for _ in range(n)]

    async def _refill(self, used: Shelf) -> None:
        now = time.monotonic()
        size = self._appetite.next_size(used, now)
        hurry = self._appetite.hurry(used, now)
        ahead, self._ahead = self._ahead, None
        shelf = None
        if ahead is not None:
            with contextlib.suppress(errors.Error):  # the one that somebody waits for says what is wrong
                shelf = await ahead
        if shelf is None or time.monotonic() >= shelf.expires:
            shelf = await self._fetch(size)
        if hurry:
            self._ahead = asyncio.ensure_future(self._fetch(size))
            self._ahead.add_done_callback(_retrieved)
        self._shelf = shelf

    async def _fetch(self, n: int) -> Shelf:
        method, args = self._feed.ask(n)
        asked = time.monotonic()
        # A batch whose reply is lost is a gap, never a repetition, so asking again does no harm.
        reply = await self._client(method, *args, idempotent=True)
        return self._appetite.shelf(self._feed.read(reply), n, asked)


def _retrieved(task: "asyncio.Task[Any]") -> None:
    """A batch that nobody waits for may fail without asyncio complaining that nobody asked."""
    if not task.cancelled():
        task.exception()


class Ids:
    """The id service of a client. Snowflakes, segments, UUIDs and the other texts are fetched ahead; sequences and
    daily numbers, whose order over all clients counts, are not."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sources: Dict[Any, Source[Any]] = {}

    def snowflakes(self, layout: str = "default") -> Source[int]:
        return self._source(("snowflake", layout), lambda: snowflake_feed(layout))

    async def snowflake(self, layout: str = "default") -> int:
        return await self.snowflakes(layout).__anext__()

    def segments(self, tag: str) -> Source[int]:
        """The ids of a tag, which must exist."""
        return self._source(("segment", tag), lambda: segment_feed(tag))

    async def segment(self, tag: str) -> int:
        return await self.segments(tag).__anext__()

    def uuids(self, version: int = 7) -> Source[uuid.UUID]:
        """UUIDs of version 4, 6 or 7."""
        if version not in (4, 6, 7):
            raise ValueError(f"UUIDs are fetched ahead in versions 4, 6 and 7, not {version!r}")
        return self._source(("uuid", version), lambda: uuid_feed(f"uuid{version}"))

    async def uuid7(self) -> uuid.UUID:
        return await self.uuids(7).__anext__()

    async def uuid6(self) -> uuid.UUID:
        return await self.uuids(6).__anext__()

    async def uuid4(self) -> uuid.UUID:
        return await self.uuids(4).__anext__()

    async def uuid1(self, node: Optional[int] = None, clock_seq: Optional[int] = None) -> uuid.UUID:
        return uuid.UUID(await self._client("id.uuid1", node, clock_seq, idempotent=True))

    async def ulid(self) -> str:
        return await self._texts("ulid").__anext__()

    async def ksuid(self) -> str:
        return await self._texts("ksuid").__anext__()

    async def xid(self) -> str:
        return await self._texts("xid").__anext__()

    async def objectid(self) -> str:
        return await self._texts("objectid").__anext__()

    async def seq(self, name: str, *, gaps: bool = False) -> int:
        """The next number: 1, 2, 3 over all callers. If its reply is lost this raises; with `gaps` it takes another."""
        return int(await self._client("id.seq", name, idempotent=gaps))

    async def seq_range(self, name: str, n: int, *, gaps: bool = False) -> range:
        """The next n numbers."""
        first, end = await self._client("id.seq_batch", name, n, idempotent=gaps)
        return range(first, end)

    async def daily(self, prefix: str, width: int = 6, tz: str = "UTC", *, gaps: bool = False) -> str:
        """A text such as INV-20261124000001, whose number begins anew every day."""
        return str(await self._client("id.daily", prefix, width, tz, idempotent=gaps))

    async def decode(self, snowflake: int, layout: str = "default") -> Snowflake:
        """When, where and as which one a snowflake was made."""
        return snowflake_of(await self._client("id.parse", snowflake, layout, idempotent=True))

    def _texts(self, kind: str) -> Source[str]:
        return self._source((kind,), lambda: text_feed(kind))

    def _source(self, key: Any, feed: Callable[[], Feed]) -> Source[Any]:
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = Source(self._client, feed())
        return source


def _after_fork() -> None:
    for source in list(_sources):
        source._reset()


os.register_at_fork(after_in_child=_after_fork)
