"""Faults 12, 13, 16 and 19: the Redis server that keeps what was given out is away, or its answers are lost."""

import contextlib
import functools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.id_service import Stream, retry_after, stop_all, streams_of
from support.programs import wait_until
from support.redis_server import free_port

#: A lease that ends soon, and windows that are used up before it.
QUICK = {"lease_ms": 3000, "renew_ms": 300, "lease_margin_ms": 500, "window_ms": 1000, "park_ms": 300}
ALONE = ("uuid7", "ulid", "uuid6", "uuid4")  # need no store


@pytest.fixture
def redis(start_redis):
    return start_redis()


class NoServer:
    def __init__(self):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"


def answered(streams):
    return sum(stream.answered for stream in streams.values())


@pytest.mark.parametrize("fault", ["nobody listens", "frozen"])
def test_12_without_its_store_it_does_not_start_and_says_why(start_issuer, redis, fault):
    there = redis if fault == "frozen" else NoServer()
    issuer = start_issuer(redis=there, start_wait_ms=1500, start=False)
    begun = time.monotonic()
    with redis.frozen() if fault == "frozen" else contextlib.nullcontext():
        line = issuer.refusal()
    assert 1.4 < time.monotonic() - begun < 6
    assert f"Redis at {there.address}: " in line, line


def test_12_it_waits_for_a_store_that_is_late(start_issuer, redis, record, ask):
    issuer = start_issuer(redis=redis, start=False)
    redis.kill()
    redis.start()
    redis.freeze()
    try:
        starting = Background(issuer.start)
        assert not starting.done(0.7), "nothing is issued before the store has answered"
    finally:
        redis.thaw()
    starting.result()
    ask(issuer, "snowflake", 10)


class Background:
    """A call in a thread of its own."""

    def __init__(self, function):
        self._pool = ThreadPoolExecutor(1)
        self._future = self._pool.submit(function)
        self._pool.shutdown(wait=False)

    def done(self, seconds):
        with contextlib.suppress(TimeoutError):
            self._future.result(seconds)
        return self._future.done()

    def result(self):
        return self._future.result(30)


@contextlib.contextmanager
def away(how, redis, gate):
    """The store cannot be reached, in one of the ways in which that may be."""
    {"frozen": redis.freeze, "cut": gate.cut, "killed": redis.kill}[how]()
    try:
        yield
    finally:
        {"frozen": redis.thaw, "cut": gate.mend, "killed": redis.start}[how]()


@pytest.mark.parametrize("how", ["frozen", "cut", "killed"])
def test_13_without_its_store_it_goes_on_to_the_end_of_window_and_lease_and_then_stops(
        start_issuer, redis, start_gate, record, how):
    gate = start_gate(redis)
    issuer = start_issuer(redis=gate, **QUICK)
    issuer.call("tag_create", "t", {"step": 1_000_000})
    streams = streams_of(record, issuer, "snowflake", "segment", "seq", *ALONE)
    wait_until(lambda: all(stream.answered > 5 for stream in streams.values()))
    with away(how, redis, gate):
        begun, before = time.monotonic(), streams["snowflake"].answered
        wait_until(lambda: "LeaseLost" in streams["snowflake"].errors, every=0.01)
        assert 1.5 < time.monotonic() - begun < 4, "when the lease is over, and not before"
        assert streams["snowflake"].answered > before + 5, "there was something left in the window"
        wait_until(lambda: "Unavailable" in streams["seq"].errors)
        assert issuer.reasons(), "and its health says so"
        stopped, others = streams["snowflake"].answered, [streams[kind].answered for kind in ("segment", *ALONE)]
        wait_until(lambda: all(streams[kind].answered > before + 5
                               for kind, before in zip(("segment", *ALONE), others)))
        assert streams["snowflake"].answered == stopped, "nothing more is issued"
    wait_until(lambda: issuer.reasons() == [], 20)
    before = answered(streams)
    wait_until(lambda: answered(streams) > before + 50)
    stop_all(streams)


def test_13_a_store_that_is_back_before_the_lease_ends_is_not_noticed_by_the_lease(
        start_issuer, redis, record):
    issuer = start_issuer(redis=redis, **{**QUICK, "window_ms": 60_000})  # asks for no more ticks meanwhile
    epoch = issuer.call("worker")["epoch"]
    streams = streams_of(record, issuer, "snowflake", *ALONE)
    wait_until(lambda: streams["snowflake"].answered > 0)  # it has asked for its ticks
    for _ in range(2):
        wait_until(lambda: issuer.call("worker")["lease_ms_left"] > 2000)
        with redis.frozen():
            wait_until(lambda: issuer.call("worker")["lease_ms_left"] < 1300)
    wait_until(lambda: issuer.call("worker")["lease_ms_left"] > 2000)
    stop_all(streams)
    assert streams["snowflake"].errors == {}
    assert issuer.call("worker")["epoch"] == epoch


def test_16_a_tag_outlives_an_outage_of_its_store_at_the_rate_it_is_used(start_issuer, redis, record):
    issuer = start_issuer(redis=redis, outage_budget_ms=60_000)
    issuer.call("tag_create", "t", {"step": 10})
    begun = time.monotonic()
    stream = Stream(issuer, record, "segment", n=10, pause=0.01)

    def enough():
        # The issuer's own idea of the rate is an average over ten seconds, and lags behind.
        return stream.answered > 50 and tag(issuer)["left"] > 6 * record.count("segment") / (time.monotonic() - begun)

    wait_until(enough, 20)
    with redis.frozen():
        frozen, before = time.monotonic(), stream.answered
        wait_until(lambda: time.monotonic() > frozen + 3, every=0.1)
        assert stream.answered > before + 50
        assert stream.errors == {}
    stream.stop()


def tag(issuer):
    return issuer.call("tag_info", "t")


def test_16_used_up_without_a_store_callers_are_parked_and_then_told_when_to_ask_again(
        start_issuer, redis, ask):
    issuer = start_issuer(redis=redis, park_ms=500, outage_budget_ms=1000)
    issuer.call("tag_create", "t", {"step": 100})
    ask(issuer, "segment", 10)
    with redis.frozen():
        left = tag_left(issuer, ask)
        assert left >= 80, "what was reserved is given out"
        begun = time.monotonic()
        name, message = ask.error(issuer, "segment", 10)
        assert 0.4 < time.monotonic() - begun < 2
        assert name == "SegmentExhausted"
        assert 0 < retry_after(message) <= 2000
        waiting = Background(functools.partial(ask.try_one, issuer, "uuid7", 10))  # others do not wait behind it
        assert waiting.done(2)
    wait_until(lambda: not isinstance(ask.try_one(issuer, "segment", 10), tuple))


def tag_left(issuer, ask):
    """Uses up what an issuer has of the tag; answers how much that was."""
    total = 0
    while not isinstance(answer := ask.try_one(issuer, "segment", 10), tuple):
        total += answer.count
        assert total < 100_000
    assert answer[0] == "SegmentExhausted", answer
    return total


def test_16_who_is_parked_gets_its_ids_when_the_store_is_back_in_time(start_issuer, redis, ask):
    issuer = start_issuer(redis=redis, park_ms=8000)
    ask(issuer, "seq", 1)
    with redis.frozen():
        waiting = Background(functools.partial(ask, issuer, "seq", 100, 10.0))
        assert not waiting.done(0.3)
    assert waiting.result().count == 100


@pytest.mark.parametrize("kind, key", [("snowflake", b"ticks:"), ("segment", b"tag:t"), ("range", b"tag:t"),
                                       ("seq", b"counter:seq/s"), ("durable", b"counter:seq/d"),
                                       ("daily", b"counter:")])
def test_19_a_reservation_whose_answer_is_lost_leaves_a_gap_and_nothing_else(
        start_issuer, redis, start_gate, ask, kind, key):
    gate = start_gate(redis)
    issuer = start_issuer(redis=gate, window_ms=200, park_ms=8000, outage_budget_ms=0)
    issuer.call("tag_create", "t", {"step": 10})
    last = ask(issuer, kind, 10)
    gate.lose_answers(key)
    until = time.monotonic() + 10
    while gate.lost < 2:
        asking = Background(functools.partial(ask.try_one, issuer, kind, 10, 10.0))
        wait_until(lambda: asking.done(0) or gate.lost >= 2, every=0.005)
        assert time.monotonic() < until
    gate.lose_answers(None)
    assert asking.done(20)
    # seq, durable and daily may have been answered by then: what follows is above in any case.
    answer = wait_until(lambda: not isinstance(made := ask.try_one(issuer, kind, 10, 10.0), tuple) and made)
    assert answer.first > last.last


@pytest.mark.parametrize("how", ["frozen", "cut", "killed"])
def test_13_told_to_end_without_its_store_it_ends_in_good_order(start_issuer, redis, start_gate, ask, how):
    gate = start_gate(redis)
    issuer = start_issuer(redis=gate)
    issuer.call("tag_create", "t")
    for kind in ("snowflake", "segment", "seq"):
        ask(issuer, kind, 10)
    with away(how, redis, gate):
        assert issuer.program.finish() == 0


def test_13_told_to_end_twice_it_waits_for_nothing_and_ends_in_good_order(start_issuer, redis, ask):
    issuer = start_issuer(redis=redis)
    ask(issuer, "snowflake", 10)
    with redis.frozen():
        issuer.program.ask_to_end()
        issuer.program.await_line(r" stopped calls=")  # and gives back what it has left
        assert issuer.program.finish() == 0


@pytest.mark.parametrize("change, holds", [
    ({"floor": 1_000_000}, lambda id: id >= 1_000_000),
    ({"delta": 100, "remainder": 42}, lambda id: id % 100 == 42),
])
def test_17_what_is_changed_of_a_tag_at_one_issuer_holds_at_all_when_it_is_answered(
        start_issuer, redis, change, holds):
    here, *there = (start_issuer(redis=redis) for _ in range(3))
    here.call("tag_create", "t", {"step": 1000})
    for issuer in there:
        issuer.call("segment", "t")
    begun = time.monotonic()
    here.call("tag_update", "t", change)
    assert time.monotonic() - begun < 1.5
    for issuer in (here, *there):
        assert all(holds(id) for id in issuer.call("segment_batch", "t", 50))
    here.call("tag_delete", "t")
    for issuer in (here, *there):
        assert issuer.error("segment", "t")[0] == "NoSuchTag"


def test_17_an_issuer_that_was_paused_while_a_tag_was_changed_follows_when_it_is_back(start_issuer, redis):
    here, there = (start_issuer(redis=redis) for _ in range(2))
    here.call("tag_create", "t", {"step": 1000})
    there.call("segment", "t")
    there.freeze()
    begun = time.monotonic()
    here.call("tag_update", "t", {"floor": 1_000_000})
    assert 1.5 < time.monotonic() - begun < 4
    there.thaw()
    wait_until(lambda: there.call("segment", "t") >= 1_000_000, 1)
