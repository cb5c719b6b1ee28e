"""Faults 7, 14 and 27: an issuer that does not run for a while, and another one goes on in its place."""

import shutil
import time

import pytest

from support.id_service import Issuer, Stream, worker_of
from support.programs import wait_until

#: A lease that ends soon.
QUICK = {"lease_ms": 1500, "renew_ms": 300, "lease_margin_ms": 300}
LEASE = 1.5


@pytest.fixture
def redis(start_redis):
    return start_redis()


def rest(seconds):
    """For what is a span of time by its nature: a lease that passes."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, seconds + 5)


def with_streams(record, issuer, *kinds, n=100):
    return [Stream(issuer, record, kind, n) for kind in kinds]


def test_7_an_issuer_frozen_beyond_its_lease_takes_a_new_one_before_it_issues_again(start_issuer, redis, ask):
    issuer = start_issuer(redis=redis, **QUICK)
    last = ask(issuer, "snowflake", 1000)
    before = issuer.call("worker")
    with issuer.frozen():
        rest(LEASE + 0.2)
    first = ask.try_one(issuer, "snowflake", 1000)
    assert first == ("LeaseLost", first[1]) if isinstance(first, tuple) else first.first > last.last
    again = wait_until(lambda: not isinstance(ask.try_one(issuer, "snowflake", 1000), tuple))
    assert again
    after = issuer.call("worker")
    assert (after["worker"], after["epoch"]) == (before["worker"], before["epoch"]), "nobody else had it"
    wait_until(lambda: issuer.reasons() == [])


def test_7_a_machine_paused_for_half_a_minute_by_its_clocks_uses_nothing_of_what_was_reserved_before(
        start_issuer, redis, clock, ask):
    issuer = start_issuer(redis=redis, clock=clock)
    issuer.call("tag_create", "t")
    reserved = issuer.call("worker")
    last = {kind: ask(issuer, kind, 10) for kind in ("snowflake", "segment", "seq", "durable")}
    with issuer.frozen():
        clock.step(30)  # its hypervisor stood, and then the time was set
    first = {kind: ask(issuer, kind, 10) for kind in last}
    for kind in last:
        assert first[kind].first > last[kind].last
    assert first["segment"].first > 1000, "the range that was in use is left"
    assert issuer.call("worker")["hwm_ms"] >= reserved["hwm_ms"] + 25_000
    assert issuer.call("stats")["clock_breaks"] == 1


def test_7_in_a_storm_of_pauses_nothing_repeats(start_issuer, redis, record):
    issuers = [start_issuer(redis=redis, window_ms=300, **QUICK) for _ in range(2)]
    streams = [stream for issuer in issuers for stream in with_streams(record, issuer, "snowflake", "seq")]
    for pause in (0.05, 0.2, 0.7, 0.0, 1.4):
        for issuer in issuers:
            with issuer.frozen():
                rest(pause / 2)
    for stream in streams:
        stream.stop()
        assert stream.answered > 0


def test_14_a_zombie_that_wakes_when_another_has_its_worker_id_repeats_none_of_the_other_s_ids(
        start_issuer, redis, record, ask):
    zombie = start_issuer(redis=redis, worker=3, **QUICK)
    zombie.call("tag_create", "t")
    ask(zombie, "snowflake", 1000)
    with zombie.frozen():
        heir = start_issuer(redis=redis, worker=3, **QUICK)
        assert heir.call("worker")["epoch"] == 2
        streams = with_streams(record, heir, "snowflake", "segment", "seq", "durable")
        wait_until(lambda: all(stream.answered > 20 for stream in streams))
    streams += with_streams(record, zombie, "snowflake", "segment", "seq", "durable")
    wait_until(lambda: "LeaseLost" in streams[4].errors)
    wait_until(lambda: all(stream.answered > 20 for stream in streams[5:]))
    for stream in streams:
        stream.stop()
    assert "LeaseLost" in zombie.reasons()
    assert heir.reasons() == []


def test_14_a_zombie_takes_another_worker_id_when_it_may(start_issuer, redis, record, ask):
    zombie = start_issuer(redis=redis, **QUICK)
    ask(zombie, "snowflake", 1000)
    with zombie.frozen():
        rest(LEASE + 0.1)
        heir = start_issuer(redis=redis, **QUICK)
        assert heir.call("worker")["worker"] == 0
        streams = with_streams(record, heir, "snowflake")
    streams += with_streams(record, zombie, "snowflake")
    wait_until(lambda: zombie.call("worker")["worker"] == 1 and streams[1].answered > 20)
    for stream in streams:
        stream.stop()
    assert {worker_of(ask(issuer, "snowflake").first) for issuer in (zombie, heir)} == {0, 1}


def test_14_frozen_and_woken_by_turns_two_with_one_worker_id_repeat_nothing(start_issuer, redis, record):
    how = {"redis": redis, "worker": 3, "window_ms": 400, "start_wait_ms": 10_000, **QUICK}
    pair = [start_issuer(**how)]
    streams = with_streams(record, pair[0], "snowflake", "seq", n=10_000)
    pair[0].freeze()
    pair.append(start_issuer(**how))
    streams += with_streams(record, pair[1], "snowflake", "seq", n=10_000)
    sleeper = 0
    for _ in range(3):
        awake = pair[1 - sleeper]
        wait_until(lambda: awake.reasons() == [])
        before = awake.call("stats")["snowflakes"]["twitter"]["issued"]
        wait_until(lambda: awake.call("stats")["snowflakes"]["twitter"]["issued"] > before + 10_000)
        awake.freeze()
        pair[sleeper].thaw()  # between two looks at its clock, it may be in the midst of an answer
        sleeper = 1 - sleeper
    pair[sleeper].thaw()
    for stream in streams:
        stream.stop()
        assert stream.answered > 0


def test_27_a_copy_of_a_machine_that_wakes_beside_it_repeats_nothing(start_issuer, redis, suite, record, ask):
    """The copy has the folder that the original has at this moment, and asks the same store."""
    original = start_issuer(redis=redis, **QUICK)
    original.call("tag_create", "t")
    for kind in ("snowflake", "segment", "seq", "daily", "uuid7"):
        ask(original, kind, 10)
    with original.frozen():
        folder = suite.folder()
        shutil.copytree(original.folder, folder, dirs_exist_ok=True)
    copy = Issuer(suite, redis=redis, folder=folder, **QUICK)
    streams = [stream for issuer in (original, copy) for stream in
               with_streams(record, issuer, "snowflake", "segment", "seq", "durable", "daily", "uuid7", "ulid")]
    wait_until(lambda: all(stream.answered > 20 for stream in streams))
    for stream in streams:
        stream.stop()
    assert [issuer.reasons() for issuer in (original, copy)] == [[], []]


@pytest.mark.parametrize("step", [-2, 2, 40])
def test_27_a_jump_between_the_clocks_drops_every_window_and_range(start_issuer, redis, clock, ask, step):
    issuer = start_issuer(redis=redis, clock=clock)
    issuer.call("tag_create", "t", {"step": 5000})
    ask(issuer, "segment", 10)
    last, reserved = ask(issuer, "snowflake", 10), issuer.call("worker")["hwm_ms"]
    assert issuer.call("tag_info", "t")["left"] >= 4990
    assert ask(issuer, "segment", 10).first == 11
    clock.step(step)  # as after a restored snapshot, whose memory another may have
    assert ask(issuer, "segment", 10).first > 5000
    assert ask(issuer, "snowflake", 10).first > last.last
    assert issuer.call("worker")["hwm_ms"] > reserved
    assert issuer.call("stats")["clock_breaks"] == 1
    texts = [ask(issuer, kind, 2).texts for kind in ("uuid7", "ulid")]
    assert all(texts)
    assert issuer.reasons() == []
