"""The calls to the id service, by the kind of id, and what their replies are worth. Shared by all drivers."""

from __future__ import annotations

import datetime
import itertools
import uuid
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

MOST_RUNS = 400_000
MOST_LISTED = 10_000


class Feed(NamedTuple):
    """Where ids of one kind come from: how n of them are asked for, and how the reply is read."""

    ask: Callable[[int], Tuple[str, Tuple[Any, ...]]]
    read: Callable[[Any], Iterable[Any]]
    most: int


class Snowflake(NamedTuple):
    """What a snowflake says about itself. `dc` is None in layouts that have none."""

    id: int
    time: datetime.datetime
    worker: int
    sequence: int
    dc: Optional[int]
    layout: str


def snowflake_feed(layout: str) -> Feed:
    if layout == "sony":  # its ids are not consecutive
        return Feed(lambda n: ("id.snowflake_batch", (n, layout)), list, MOST_LISTED)
    return Feed(lambda n: ("id.snowflake_runs", (n, layout)), _runs, MOST_RUNS)


def segment_feed(tag: str) -> Feed:
    return Feed(lambda n: ("id.segment_batch", (tag, n)), list, MOST_LISTED)


def uuid_feed(kind: str) -> Feed:
    return Feed(lambda n: (f"id.{kind}", (n,)), lambda texts: map(uuid.UUID, listed(texts)), MOST_LISTED)


def text_feed(kind: str) -> Feed:
    return Feed(lambda n: (f"id.{kind}", (n,)), listed, MOST_LISTED)


def _runs(runs: List[List[int]]) -> Iterable[int]:
    return itertools.chain.from_iterable([range(first, first + count) for first, count in runs])


def listed(texts: Any) -> List[str]:
    """One of them comes without a list."""
    return [texts] if isinstance(texts, str) else texts


def snowflake_of(parsed: Dict[str, Any]) -> Snowflake:
    epoch = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
    time = epoch + datetime.timedelta(milliseconds=parsed["time_ms"])
    return Snowflake(parsed["id"], time, parsed["worker"], parsed["sequence"], parsed.get("dc"), parsed["layout"])
