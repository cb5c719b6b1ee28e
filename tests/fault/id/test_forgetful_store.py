"""Faults 20 and 21: the Redis server that keeps what was given out forgets it, or its replica does that takes over."""

import time

import pytest

from support.id_service import Stream, stop_all, streams_of
from support.programs import wait_until

#: A lease that ends soon.
QUICK = {"lease_ms": 3000, "renew_ms": 300, "lease_margin_ms": 500, "window_ms": 1000, "park_ms": 300}
STORED = ("segment", "seq", "durable", "daily")


@pytest.fixture
def redis(start_redis):
    return start_redis()


FORGETTING = ["flushed", "killed without a file"]


def forget(redis, how):
    if how == "flushed":
        redis.client.flushall()
    else:
        redis.kill()
        redis.start()


def refused(issuer, ask, kinds=("seq", "durable", "daily")):
    """Whether all of these are."""
    told = [ask.try_one(issuer, kind) for kind in kinds]
    return all(isinstance(each, tuple) and each[0] == "StoreRegressed" for each in told)


@pytest.mark.parametrize("how", FORGETTING)
def test_20_of_a_redis_that_has_lost_everything_nobody_gets_anything_until_an_operator_says_so(
        start_issuer, start_redis, record, ask, how):
    redis = start_redis(appendonly=False)
    issuers = [start_issuer(redis=redis, **QUICK) for _ in range(2)]
    issuers[0].call("tag_create", "t", {"step": 100})
    streams = [streams_of(record, issuer, "snowflake", *STORED) for issuer in issuers]
    wait_until(lambda: all(stream.answered > 20 for each in streams for stream in each.values()))
    stop_all(*streams)
    ask(issuers[0], "seq", 1)
    last = {kind: ask(issuers[1], kind, 1000) for kind in ("snowflake", *STORED)}  # the other one knows less
    forget(redis, how)
    for issuer in issuers:
        wait_until(lambda: "StoreRegressed" in issuer.reasons())
        wait_until(lambda: refused(issuer, ask))
        issuer.program.await_line("error id store error=StoreRegressed")
        for call in (("tag_create", "u"), ("tag_update", "t", {"floor": 5}), ("tag_delete", "t"), ("tags",),
                     ("tag_info", "t"), ("segment_range", "t", 100_000), ("redis_id", "r")):
            assert issuer.error(*call)[0] == "StoreRegressed", call
        wait_until(lambda: not isinstance(ask.try_one(issuer, "snowflake", 10), tuple))
    assert issuers[0].call("stats")["regressions"] == 1

    issuers[0].kill()
    assert issuers[0].refusal().startswith("zerosuite-id: StoreRegressed: ")
    issuers[0].start("--accept-regressed")
    wait_until(lambda: issuers[1].reasons() == [])
    issuers[1].program.await_line("info id store works=again")
    issuers[0].call("tag_create", "t", {"step": 100})
    for kind in STORED:
        assert ask(issuers[0], kind, 10).first > last[kind].last, kind
    streams = [streams_of(record, issuer, "snowflake", *STORED) for issuer in issuers]
    wait_until(lambda: all(stream.answered > 20 for each in streams for stream in each.values()), 20)
    stop_all(*streams)


def test_20_issuers_that_are_idle_notice_it_too_and_write_back_what_they_know(start_issuer, redis, ask):
    issuers = [start_issuer(redis=redis, **QUICK) for _ in range(2)]
    ask(issuers[0], "seq", 5)
    ask(issuers[1], "seq", 1000)
    redis.client.flushall()
    wait_until(lambda: redis.client.get("zerosuite:id:counter:seq/s") == "1006", 2)
    assert all("StoreRegressed" in issuer.reasons() for issuer in issuers)


def test_20_an_older_state_of_redis_that_is_put_back_is_no_better_than_none(start_issuer, redis, ask):
    issuer = start_issuer(redis=redis, **QUICK)
    ask(issuer, "seq", 10)
    old = {key: redis.client.get(key) for key in redis.client.keys("*:counter:*")}
    revision = redis.client.hget("zerosuite:id:state", "revision")
    last = ask(issuer, "seq", 10)
    wait_until(lambda: issuer.reasons() == [])
    time.sleep(0.5)  # it has looked since
    with redis.client.pipeline() as together:
        for key, value in old.items():
            together.set(key, value)
        together.hset("zerosuite:id:state", "revision", revision)
        together.execute()
    wait_until(lambda: "StoreRegressed" in issuer.reasons(), 2)
    assert refused(issuer, ask)
    issuer.finish()
    issuer.start("--accept-regressed")
    assert ask(issuer, "seq", 10).first > last.last


def test_20_an_issuer_on_another_redis_than_it_knows_does_not_start(start_issuer, start_redis, ask):
    first, second = start_redis(), start_redis()
    start_issuer(redis=second).call("worker")  # it is in use
    issuer = start_issuer(redis=first)
    ask(issuer, "seq", 100)
    issuer.finish()
    issuer.environment["ZEROSUITE_ID_REDIS"] = second.address
    assert "StoreRegressed: the store is not the one that this issuer knows" in issuer.refusal()
    issuer.start("--accept-regressed")
    assert ask(issuer, "seq", 1).first == 101
    issuer.finish()
    issuer.start()


@pytest.mark.parametrize("how", FORGETTING)
def test_20_who_was_not_there_when_redis_lost_everything_does_not_start_and_then_goes_on_above_its_own_floor(
        start_issuer, start_redis, ask, how):
    redis = start_redis(appendonly=False)
    issuer = start_issuer(redis=redis, **QUICK)
    issuer.call("tag_create", "t", {"step": 100})
    last = {kind: ask(issuer, kind, 100) for kind in ("snowflake", "range", *STORED)}
    issuer.kill()
    forget(redis, how)
    assert "StoreRegressed: the store has lost what it gave out" in issuer.refusal()
    issuer.start("--accept-regressed")
    assert issuer.error("segment", "t")[0] == "NoSuchTag"
    assert issuer.call("tag_create", "t", {"step": 100})["max_id"] > last["range"].last
    for kind in ("snowflake", "range", *STORED):
        assert ask(issuer, kind, 100).first > last[kind].last, kind


def test_20_two_whose_redis_has_lost_everything_keep_their_worker_ids_and_repeat_nothing(start_issuer, redis, record):
    """The leases are gone with the rest: who renews first must not get the id that the other still issues by."""
    slow = start_issuer(redis=redis, renew_ms=6000, window_ms=8000)
    quick = start_issuer(redis=redis, renew_ms=100, window_ms=8000)
    assert [issuer.call("worker")["worker"] for issuer in (slow, quick)] == [0, 1]
    streams = [Stream(issuer, record, "snowflake", 20_000) for issuer in (slow, quick)]
    wait_until(lambda: all(stream.answered > 100 for stream in streams))
    redis.client.flushall()
    wait_until(lambda: len(redis.client.hgetall("zerosuite:id:workers")) == 2, 15)
    before = [stream.answered for stream in streams]
    wait_until(lambda: all(stream.answered > count + 100 for stream, count in zip(streams, before)))
    assert [issuer.call("worker")["worker"] for issuer in (slow, quick)] == [0, 1]
    for stream in streams:
        stream.stop()


def test_20_who_comes_when_redis_has_lost_everything_is_told_by_who_is_there(start_issuer, redis, record):
    old = start_issuer(redis=redis, renew_ms=4000)
    stream = Stream(old, record, "snowflake", 20_000)
    wait_until(lambda: stream.answered > 100)
    redis.client.flushall()
    new = start_issuer(redis=redis, lease_ms=8000, start=False)
    assert "StoreRegressed: the store has lost what it gave out" in new.refusal()
    before = stream.answered
    wait_until(lambda: stream.answered > before + 100)
    stream.stop()


@pytest.fixture
def pair(start_redis):
    """A Redis and its replica."""
    master = start_redis()
    return master, start_redis(replica_of=master)


def detach(replica):
    """What its master takes from now on does not come to it."""
    replica.client.replicaof("NO", "ONE")


def test_21_a_fail_over_that_loses_the_last_reservations_repeats_nothing_of_who_made_them(
        start_issuer, pair, start_gate, record, ask):
    master, replica = pair
    gate = start_gate(master)
    issuer = start_issuer(redis=gate, **QUICK)
    issuer.call("tag_create", "t", {"step": 10})
    for kind in STORED:
        ask(issuer, kind, 10)
    master.client.set("mark", 1)  # WAIT is for what this connection wrote, and so for all that was written before
    assert master.client.wait(1, 5000) == 1
    detach(replica)
    last = {kind: [ask(issuer, kind, 10) for _ in range(30)][-1] for kind in ("snowflake", *STORED)}
    gate.cut()
    master.kill()
    gate.mend(replica)
    wait_until(lambda: refused(issuer, ask))
    time.sleep(0.5)  # it looks at the store five times meanwhile, and writes back what it knows itself
    assert refused(issuer, ask), "others may have been given more"
    assert "StoreRegressed" in issuer.reasons()
    issuer.finish()
    issuer.start("--accept-regressed")
    for kind in STORED:
        assert ask(issuer, kind, 10).first > last[kind].last, kind
    streams = streams_of(record, issuer, "snowflake", *STORED)
    wait_until(lambda: all(stream.answered > 20 for stream in streams.values()))
    stop_all(streams)


@pytest.mark.parametrize("others", [0, 1])
def test_21_a_fail_over_to_an_empty_server_needs_an_operator_unless_one_issuer_alone_used_the_store(
        start_issuer, start_redis, start_gate, record, ask, others):
    master, empty = start_redis(), start_redis()
    gate = start_gate(master)
    issuer = start_issuer(redis=gate, **QUICK)
    for _ in range(others):
        other = start_issuer(redis=gate, **QUICK)
        ask(other, "seq", 10)
        other.finish()
    last = {kind: ask(issuer, kind, 10) for kind in ("seq", "durable", "daily")}
    gate.cut()
    master.kill()
    gate.mend(empty)
    if others:
        wait_until(lambda: refused(issuer, ask))
        time.sleep(0.5)  # it looks at the store five times meanwhile
        assert refused(issuer, ask)
    else:
        for kind in last:
            wait_until(lambda: not isinstance(ask.try_one(issuer, kind), tuple))
            assert ask(issuer, kind, 10).first > last[kind].last, kind
        wait_until(lambda: issuer.reasons() == [], 20)  # a lease may have to be taken anew


def test_21_who_takes_over_a_worker_id_after_a_fail_over_leaves_out_what_may_have_been_lost(
        start_issuer, pair, start_gate, record, ask):
    master, replica = pair
    gate = start_gate(master)
    how = {"worker": 3, "lease_ms": 1500, "renew_ms": 300, "lease_margin_ms": 300}
    first = start_issuer(redis=gate, **how)
    ask(first, "snowflake", 10)
    master.client.set("mark", 1)  # WAIT is for what this connection wrote, and so for all that was written before
    assert master.client.wait(1, 5000) == 1
    detach(replica)
    epoch = first.call("worker")["epoch"]
    until = time.monotonic() + 2  # the lease that the replica knows of is over then
    while time.monotonic() < until:
        ask(first, "snowflake", 1_000_000)  # runs ahead of the clock as far as it may
    gate.cut()
    first.kill()
    master.kill()
    gate.mend(replica)
    heir = start_issuer(redis=gate, **how)
    assert heir.call("worker")["epoch"] == epoch + 1
    for _ in range(5):
        ask(heir, "snowflake", 1_000_000)


def test_21_with_a_replica_that_must_know_nothing_is_issued_that_a_fail_over_can_lose(
        start_issuer, start_redis, pair, start_gate, record):
    master, replica = pair
    gate = start_gate(master)
    issuers = [start_issuer(redis=gate, redis_replicas=1, **QUICK) for _ in range(2)]
    issuers[0].call("tag_create", "t", {"step": 10})
    streams = [streams_of(record, issuer, "snowflake", *STORED) for issuer in issuers]
    wait_until(lambda: all(stream.answered > 5 for each in streams for stream in each.values()))
    detach(replica)
    wait_until(lambda: all("Unavailable" in each["durable"].errors for each in streams), 20)
    counts = [each["durable"].answered for each in streams]
    gate.cut()
    master.kill()
    start_redis(replica_of=replica)  # which is the master now
    gate.mend(replica)
    wait_until(lambda: all(each["durable"].answered > count + 5 for each, count in zip(streams, counts)), 20)
    stop_all(*streams)
    assert [issuer.call("stats")["regressions"] for issuer in issuers] == [0, 0]


def test_20_an_empty_redis_with_the_folder_of_a_sqlite_store_is_refused_by_its_reason(start_issuer, redis):
    """What the folder says was given out, the Redis server has never heard of."""
    first = start_issuer()
    first.call("snowflake")
    first.call("seq", "invoices")
    first.finish()
    second = start_issuer(folder=first.folder, redis=redis, start_wait_ms=2000, start=False)
    assert second.refusal().startswith("zerosuite-id: StoreRegressed: ")
