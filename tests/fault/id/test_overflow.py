"""Fault 25: more ids are asked for than a millisecond has."""

import functools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.id_service import Stream, time_ms_of
from support.programs import wait_until
from support.raw import Raw

A_SECOND = 4_096_000  # ids of a worker
BURST = 4_000_000
LEAD_MS = 1000


def test_25_a_burst_borrows_from_the_next_second_and_then_waits_for_the_clock(start_issuer, record, ask):
    issuer = start_issuer(park_ms=10_000)
    begun, times = time.monotonic(), []
    for _ in range(6):
        answer = ask(issuer, "snowflake", BURST, seconds=20)
        ahead = time_ms_of(answer.last) - time.time() * 1000
        times.append((time.monotonic() - begun, ahead))
    assert times[0][0] < 1, "the first is there at once"
    assert all(ahead <= LEAD_MS + 20 for _, ahead in times)
    least = (6 * BURST - A_SECOND) / A_SECOND
    assert least - 0.3 < times[-1][0] < least + 3, "and not faster than the layout allows"
    assert record.count("snowflake") == 24_000_000


def test_25_who_waits_longer_than_he_may_is_told_and_who_asks_for_little_is_served_in_time(start_issuer, ask):
    issuer = start_issuer(park_ms=200)
    ask(issuer, "snowflake", BURST)
    name, message = ask.error(issuer, "snowflake", BURST)
    assert name == "Overloaded"
    assert '"retry_after_ms"' in message
    wait_until(lambda: not isinstance(ask.try_one(issuer, "snowflake", 1), tuple), 5)


@pytest.mark.parametrize("layout, method, args", [("twitter", "snowflake_runs", (4_000_000,)),
                                                  ("js53", "snowflake_batch", (64_000, "js53"))])
def test_25_who_asks_for_more_than_there_is_starves_nobody(start_issuer, layout, method, args):
    issuer = start_issuer(layout=layout)
    slowest, until = 0, time.monotonic() + 6
    with Raw(issuer.endpoint) as greedy, Raw(issuer.endpoint) as modest:
        asked = 0
        while time.monotonic() < until:
            if asked < 3 * (time.monotonic() - until + 6.5):
                greedy.call(method, args)
                asked += 1
            begun = time.monotonic()
            for call in (("snowflake", ()), ("snowflake_batch", (10,))):
                event = modest.next(modest.call(*call), 5)
                assert event.name == "OK", event.args[:2]
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.01)
    assert asked > 10 and slowest < 1


@pytest.mark.parametrize("layout, capacity", [("js53", 64_000), ("sony", 25_600)])
def test_25_layouts_with_few_ids_wait_without_blocking_anything_else(start_issuer, record, layout, capacity):
    issuer = start_issuer(layout=layout, park_ms=10_000)
    aside = Stream(issuer, record, "uuid7", 10, pause=0.01)
    wait_until(lambda: aside.answered > 0)

    def take(_):
        return issuer.call("snowflake_batch", capacity // 4, seconds=30)

    begun, before = time.monotonic(), aside.answered
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(take, range(12)))
    assert time.monotonic() - begun > (12 / 4 - 1) * 0.9
    assert aside.answered > before + 20, "others are served in the meantime"
    aside.stop()
    ids = [id for batch in batches for id in batch]
    assert len(set(ids)) == 12 * (capacity // 4)
    assert all(batch == sorted(batch) for batch in batches)


def test_25_millions_of_ids_of_several_workers_at_once_are_all_different(start_issuer, start_redis, record, ask):
    redis = start_redis()
    issuers = [start_issuer(redis=redis, park_ms=20_000) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            list(pool.map(functools.partial(ask, kind="snowflake", n=2_000_000, seconds=30), issuers))
    assert record.count("snowflake") == 24_000_000
