"""Faults 1, 2 and 32: the broker is killed, or told to end, while locks are held and waited for."""

import functools
import json
import re
import time
from pathlib import Path

import pytest

from support.programs import wait_until

QUICK = 1.0  # seconds in which a broker is back
LEASE = 2000  # ms
LONGEST = LEASE / 1000


def retry_after(message):
    return json.loads(message[message.index("{"):])["retry_after_ms"]


def restart(broker):
    """Answers how long it took until it answered again."""
    begun = time.monotonic()
    broker.start()
    assert broker.call("_zerorpc_ping")
    return time.monotonic() - begun


def test_1_killed_with_sync_it_is_back_in_a_second_with_the_same_holders_and_tokens(start_broker, owners):
    broker = start_broker("sync")
    a, b = owners(broker, "a", "b")
    held = {name: a.acquire(name, lease_ms=20_000)["token"] for name in ("one", "two")}
    many = a.ask("acquire_many", names=["set-1", "set-2"], lease_ms=20_000).result["token"]
    shared = [owner.acquire("read", mode="s", lease_ms=20_000)["token"] for owner in (a, b)]
    permits = a.ask("sem_acquire", name="sem", limit=3, permits=2, lease_ms=20_000).result["token"]
    broker.kill()
    assert restart(broker) < QUICK
    assert broker.call("engine_info")["recovering_ms"] == 0
    for name, token in [*held.items(), ("set-1", many), ("set-2", many), ("sem", permits)]:
        assert broker.holder(name) == ("a", token)
    assert [holder["token"] for holder in broker.call("info", "read")["holders"]] == shared
    assert b.ask("acquire", name="one").refused
    assert b.ask("sem_acquire", name="sem", limit=3, permits=2).refused
    assert a.ask("extend", name="two", token=held["two"]).error is None
    a.release("one", held["one"])
    assert b.acquire("one")["token"] > permits


def test_1_the_epoch_rises_with_every_start(start_broker, owners):
    broker = start_broker("sync")
    a, = owners(broker, "a")
    epochs = []
    for end in ("kill", "finish", "kill"):
        epochs.append(broker.call("engine_info")["epoch"])
        assert a.acquire(f"by {end}", lease_ms=100)["epoch"] == epochs[-1]
        getattr(broker.program, end)()
        broker.start()
    assert epochs == sorted(set(epochs))


def test_1_leases_begin_anew_after_a_restart_and_end_then(start_broker, owners):
    broker = start_broker("sync")
    a, b = owners(broker, "a", "b")
    a.acquire("n", lease_ms=LEASE)
    broker.kill()
    broker.start()
    restarted = time.monotonic()
    b.acquire("n", wait_ms=10_000)
    assert LEASE / 1000 - 0.1 < time.monotonic() - restarted < LEASE / 1000 + 1


def test_1_a_waiter_sends_its_request_again_and_gets_the_lock_once(start_broker, owners, history):
    broker = start_broker("sync", ZEROSUITE_LOCK_HEARTBEAT_MS="1000")
    a, = owners(broker, "a")
    b, = owners(broker, "b", heartbeat=1)
    token = a.acquire("n", lease_ms=20_000)["token"]
    waiting = b.start("acquire", name="n", wait_ms=20_000, request_id="once")
    wait_until(lambda: broker.waiters("n") == ["b"])
    broker.kill()
    broker.start()
    assert waiting.finish().error == "LostRemote"
    waiting = b.start("acquire", name="n", wait_ms=20_000, request_id="once")
    wait_until(lambda: broker.waiters("n") == ["b"])
    a.release("n", token)
    grant = waiting.grant()
    again = b.acquire("n", wait_ms=20_000, request_id="once")
    assert (again["replay"], again["token"], again["hold_count"]) == (True, grant["token"], 1)


def test_1_a_grant_whose_answer_the_kill_took_is_answered_after_the_restart(start_broker, owners):
    broker = start_broker("sync")
    a, = owners(broker, "a")
    token = a.acquire("n", request_id="r", lease_ms=20_000)["token"]
    broker.kill()
    broker.start()
    again = a.acquire("n", request_id="r", lease_ms=20_000)
    assert (again["replay"], again["token"], again["hold_count"]) == (True, token, 1)


@pytest.mark.parametrize("durability", ["async", "none"])
def test_2_killed_without_sync_it_grants_nothing_until_the_longest_lease_has_passed(start_broker, owners, durability):
    broker = start_broker(durability)
    a, b = owners(broker, "a", "b")
    token = a.acquire("n", lease_ms=LEASE)["token"]
    broker.kill()
    assert restart(broker) < QUICK
    restarted = time.monotonic()
    for name in ("n", "never used"):
        op = b.ask("acquire", name=name, wait_ms=1000)
        assert op.error == "Recovering"
        assert 0 < retry_after(op.message) <= LONGEST * 1000
    op = wait_until(lambda: granted(b.ask("acquire", name="n", wait_ms=5000)), 10)
    assert LONGEST - 0.3 < time.monotonic() - restarted < LONGEST + 2.5
    assert op.token > token
    assert broker.call("engine_info")["recovering_ms"] == 0


def granted(op):
    assert op.granted or op.error == "Recovering", op
    return op if op.granted else None


def test_2_killed_with_async_its_holders_go_on(start_broker, owners):
    broker = start_broker("async")
    a, b = owners(broker, "a", "b")
    token = a.acquire("a name to be found", lease_ms=LEASE)["token"]
    wait_until(lambda: b"a name to be found" in b"".join(path.read_bytes() for path in Path(broker.folder).iterdir()))
    broker.kill()
    broker.start()

    def extended_until(end):
        assert a.ask("extend", name="a name to be found", token=token, lease_ms=LEASE).error is None
        return time.monotonic() > end

    assert wait_until(functools.partial(extended_until, time.monotonic() + LONGEST + 0.3), every=0.2)
    assert b.ask("acquire", name="a name to be found").refused, "beyond the time in which nothing is granted"


def test_2_killed_with_none_its_holders_are_told_that_it_recovers(start_broker, owners):
    broker = start_broker("none")
    a, = owners(broker, "a")
    token = a.acquire("n", lease_ms=LEASE)["token"]
    broker.kill()
    broker.start()
    for op in (a.ask("extend", name="n", token=token), a.ask("release", name="n", token=token)):
        assert op.error == "Recovering"
        assert retry_after(op.message) > 0
    assert broker.program.log().count("recovering granting_in_ms=") == 1
    broker.program.await_line("recovered", LONGEST + 5)


@pytest.mark.parametrize("durability", ["async", "none"])
def test_2_killed_again_while_it_recovers_it_waits_as_long_again(start_broker, owners, durability):
    broker = start_broker(durability)
    a, b = owners(broker, "a", "b")
    a.acquire("n", lease_ms=LEASE)
    for _ in range(2):
        broker.kill()
        broker.start()
        assert retry_after(b.ask("acquire", name="n").message) > LONGEST * 1000 - 1000


def test_1_killed_ten_times_tokens_never_go_back(start_broker, owners):
    broker = start_broker("sync")
    a, = owners(broker, "a")
    tokens = []
    for _ in range(10):
        grant = a.acquire("n")
        tokens.append(grant["token"])
        a.release("n", grant["token"])
        broker.kill()
        broker.start()
        op = a.ask("release", name="n", token=grant["token"])
        assert op.error in (None, "NotHeld"), "the release may have been lost, and then it can be made again"
    assert tokens == sorted(set(tokens))


@pytest.mark.parametrize("durability", ["sync", "async", "none"])
def test_32_told_to_end_it_sends_waiters_away_and_the_locks_are_held_after_a_restart(start_broker, owners, durability):
    broker = start_broker(durability)
    a, b = owners(broker, "a", "b")
    token = a.acquire("n", lease_ms=20_000)["token"]
    waiting = b.start("acquire", name="n", wait_ms=30_000)
    wait_until(lambda: broker.waiters("n") == ["b"])
    told = time.monotonic()
    assert broker.program.finish() == 0
    assert time.monotonic() - told < 3
    assert waiting.finish().error == "ShuttingDown"
    broker.start()
    assert broker.call("engine_info")["recovering_ms"] == 0
    assert broker.holder("n") == ("a", token)
    assert b.ask("acquire", name="n").refused
    assert a.ask("extend", name="n", token=token).error is None
    a.release("n", token)
    assert b.acquire("n")["token"] > token
    assert re.search(r"held=1\b", broker.program.log())
