"""How many ids to fetch ahead, and for how long they are good."""

from __future__ import annotations

import time
from typing import Any, Iterable, Iterator, NamedTuple

FRESH = 1.0  # seconds: older ids are dropped, since ids are to increase over all clients, more or less
QUICK = 0.1  # seconds: a batch that was used up within them was too small
SLOW = 0.5  # seconds: one that lasted as long was too large, or nobody asks for more
GROWTH = 4


class Shelf(NamedTuple):
    """Ids that were fetched. Iterators over ranges and lists are written in C: of several threads each gets another."""

    ids: Iterator[Any]
    size: int
    begun: float
    expires: float


EMPTY = Shelf(iter(()), 0, 0.0, 0.0)


class Appetite:
    """Learns from how fast the last batch was used how many ids the next one should have."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 1

    def shelf(self, ids: Iterable[Any], size: int, asked: float) -> Shelf:
        return Shelf(iter(ids), size, time.monotonic(), asked + FRESH)

    def next_size(self, last: Shelf, now: float) -> int:
        """How many to fetch after this batch, which is used up or too old."""
        lasted = now - last.begun
        if last.size and lasted < QUICK:
            self._size = min(self._size * GROWTH, self._most)
        elif lasted > SLOW:
            self._size = max(1, self._size // GROWTH)
        return self._size

    def hurry(self, last: Shelf, now: float) -> bool:
        """Whether the batch after the next one should be fetched already."""
        return last.size > 1 and now - last.begun < SLOW
