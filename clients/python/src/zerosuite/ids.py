"""Ids from the id service, fetched ahead and handed out without a call for each.

    ids = zerosuite.ids.Ids(client)
    ids.snowflake()             # 2125335254485958656
    ids.uuid7()                 # UUID('01a20f61-a179-742f-9ac5-0f851a1f0896')
    for order_id in ids.segments("orders"): ...

docs/ids.md says which kind of id is good for what.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
import weakref
from typing import Any, Callable, Dict, Generic, Iterator, List, Optional, Tuple, TypeVar, Union, overload

from . import errors
from ._client import CallFuture, Client
from ._id_requests import (Feed, Snowflake, listed, segment_feed, snowflake_feed, snowflake_of, text_feed, uuid_feed)
from ._supply import EMPTY, Appetite, Shelf

__all__ = ["Ids", "Snowflake", "Source"]

Id = TypeVar("Id")

_sources: "weakref.WeakSet[Source[Any]]" = weakref.WeakSet()


class Source(Iterator[Id], Generic[Id]):
    """Ids of one kind without end. Any thread may take from it; no id is given out twice, also not by forked
    processes. Ids that are not taken within a second are dropped: they are gaps."""

    def __init__(self, client: Client, feed: Feed) -> None:
        self._client = client
        self._feed = feed
        self._reset()
        _sources.add(self)

    def _reset(self) -> None:
        """Also in a forked child: what was fetched is the parent's."""
        self._shelf = EMPTY
        self._ahead: Optional[Tuple[CallFuture, int, float]] = None
        self._appetite = Appetite(self._feed.most)
        self._fetching = threading.Lock()

    def __iter__(self) -> "Source[Id]":
        return self

    def __next__(self) -> Id:
        while True:
            shelf = self._shelf
            if time.monotonic() < shelf.expires:
                for value in shelf.ids:
                    return value  # type: ignore[no-any-return]
            self._refill(shelf)

    def take(self, n: int) -> List[Id]:
        """A list of n ids."""
        return [next(self) for _ in range(n)]

    def _refill(self, used: Shelf) -> None:
        with self._fetching:  # one request serves all callers
            if self._shelf is not used:
                return
            now = time.monotonic()
            size = self._appetite.next_size(used, now)
            hurry = self._appetite.hurry(used, now)
            shelf = self._fetched_ahead(now)
            if shelf is None:
                future, size, asked = self._ask(size)
                shelf = self._shelf_of(future, size, asked)
            if hurry:
                self._ahead = self._ask(size)
            self._shelf = shelf

    def _fetched_ahead(self, now: float) -> Optional[Shelf]:
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return None
        try:
            shelf = self._shelf_of(*ahead)
        except errors.Error:
            return None  # it was made when nobody needed it; the one that somebody waits for says what is wrong
        return shelf if now < shelf.expires else None

    def _ask(self, n: int) -> Tuple[CallFuture, int, float]:
        method, args = self._feed.ask(n)
        # A batch whose reply is lost is a gap, never a repetition, so asking again does no harm.
        return self._client.submit(method, *args, idempotent=True), n, time.monotonic()

    def _shelf_of(self, future: CallFuture, size: int, asked: float) -> Shelf:
        return self._appetite.shelf(self._feed.read(future.result()), size, asked)


class Ids:
    """The id service of a client. Snowflakes, segments, UUIDs and the other texts are fetched ahead; sequences and
    daily numbers, whose order over all clients counts, are not. Any thread may use it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sources: Dict[Any, Source[Any]] = {}

    def snowflakes(self, layout: str = "default") -> Source[int]:
        return self._source(("snowflake", layout), lambda: snowflake_feed(layout))

    def snowflake(self, layout: str = "default") -> int:
        return next(self.snowflakes(layout))

    def segments(self, tag: str) -> Source[int]:
        """The ids of a tag, which must exist."""
        return self._source(("segment", tag), lambda: segment_feed(tag))

    def segment(self, tag: str) -> int:
        return next(self.segments(tag))

    def uuids(self, version: int = 7) -> Source[uuid.UUID]:
        """UUIDs of version 4, 6 or 7."""
        if version not in (4, 6, 7):
            raise ValueError(f"UUIDs are fetched ahead in versions 4, 6 and 7, not {version!r}")
        return self._source(("uuid", version), lambda: uuid_feed(f"uuid{version}"))

    @overload
    def uuid7(self) -> uuid.UUID: ...

    @overload
    def uuid7(self, n: int) -> List[uuid.UUID]: ...

    def uuid7(self, n: Optional[int] = None) -> Union[uuid.UUID, List[uuid.UUID]]:
        return next(self.uuids(7)) if n is None else self._uuids("uuid7", n)

    @overload
    def uuid6(self) -> uuid.UUID: ...

    @overload
    def uuid6(self, n: int) -> List[uuid.UUID]: ...

    def uuid6(self, n: Optional[int] = None) -> Union[uuid.UUID, List[uuid.UUID]]:
        return next(self.uuids(6)) if n is None else self._uuids("uuid6", n)

    @overload
    def uuid4(self) -> uuid.UUID: ...

    @overload
    def uuid4(self, n: int) -> List[uuid.UUID]: ...

    def uuid4(self, n: Optional[int] = None) -> Union[uuid.UUID, List[uuid.UUID]]:
        return next(self.uuids(4)) if n is None else self._uuids("uuid4", n)

    def uuid1(self, node: Optional[int] = None, clock_seq: Optional[int] = None) -> uuid.UUID:
        return uuid.UUID(self._client("id.uuid1", node, clock_seq, idempotent=True))

    def ulid(self) -> str:
        return next(self._texts("ulid"))

    def ksuid(self) -> str:
        return next(self._texts("ksuid"))

    def xid(self) -> str:
        return next(self._texts("xid"))

    def objectid(self) -> str:
        return next(self._texts("objectid"))

    def seq(self, name: str, *, gaps: bool = False) -> int:
        """The next number: 1, 2, 3 over all callers. If its reply is lost this raises; with `gaps` it takes another."""
        return int(self._client("id.seq", name, idempotent=gaps))

    def seq_range(self, name: str, n: int, *, gaps: bool = False) -> range:
        """The next n numbers."""
        first, end = self._client("id.seq_batch", name, n, idempotent=gaps)
        return range(first, end)

    def daily(self, prefix: str, width: int = 6, tz: str = "UTC", *, gaps: bool = False) -> str:
        """A text such as INV-20261124000001, whose number begins anew every day."""
        return str(self._client("id.daily", prefix, width, tz, idempotent=gaps))

    def decode(self, snowflake: int, layout: str = "default") -> Snowflake:
        """When, where and as which one a snowflake was made."""
        return snowflake_of(self._client("id.parse", snowflake, layout, idempotent=True))

    def _uuids(self, kind: str, n: int) -> List[uuid.UUID]:
        return [uuid.UUID(text) for text in listed(self._client(f"id.{kind}", n, idempotent=True))]

    def _texts(self, kind: str) -> Source[str]:
        return self._source((kind,), lambda: text_feed(kind))

    def _source(self, key: Any, feed: Callable[[], Feed]) -> Source[Any]:
        source = self._sources.get(key)
        # Of two threads that come first at the same time, both get the same one.
        return source if source is not None else self._sources.setdefault(key, Source(self._client, feed()))


def _after_fork() -> None:
    for source in list(_sources):
        source._reset()


os.register_at_fork(after_in_child=_after_fork)
