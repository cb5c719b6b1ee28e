"""Faults 10 to 14, 20 and 31: waiters that die or give up, messages lost and sent twice, a proxy killed, deadlocks."""

import json
import signal
import time

import pytest

from support.programs import wait_until
from support.raw import Raw

SLACK = 1.0
LOST_WITHIN = 3 + SLACK  # clients that beat every second, before a broker that does


@pytest.fixture
def broker(start_broker):
    return start_broker(ZEROSUITE_LOCK_HEARTBEAT_MS="1000")


def in_line(broker, name, *owners):
    wait_until(lambda: broker.waiters(name) == list(owners))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_10_a_dead_waiter_at_the_head_of_the_line_is_passed_over(broker, owners, number):
    a, b, c = owners(broker, "a", "b", "c", heartbeat=1)
    token = a.acquire("n", lease_ms=60_000)["token"]
    b.start("acquire", name="n", wait_ms=60_000, lease_ms=60_000)
    in_line(broker, "n", "b")
    waiting = c.start("acquire", name="n", wait_ms=60_000, lease_ms=60_000)
    in_line(broker, "n", "b", "c")
    b.peer.process.send_signal(number)
    wait_until(lambda: broker.waiters("n") == ["c"], LOST_WITHIN + 2)
    a.release("n", token)
    released = time.monotonic()
    waiting.grant()
    assert time.monotonic() - released < SLACK
    b.peer.kill()


def test_10_a_dead_waiter_that_is_granted_before_it_is_missed_costs_little_with_confirm_ms(broker, owners):
    a, b, c = owners(broker, "a", "b", "c", heartbeat=1)
    token = a.acquire("n", lease_ms=60_000)["token"]
    b.start("acquire", name="n", wait_ms=60_000, lease_ms=60_000, confirm_ms=500)
    in_line(broker, "n", "b")
    waiting = c.start("acquire", name="n", wait_ms=60_000, lease_ms=60_000)
    in_line(broker, "n", "b", "c")
    b.peer.process.send_signal(signal.SIGSTOP)
    a.release("n", token)
    released = time.monotonic()
    waiting.grant()
    assert time.monotonic() - released < 0.5 + SLACK
    b.peer.kill()


def test_11_a_client_that_gives_up_before_its_wait_is_over_leaves_the_line(broker, owners):
    a, b = owners(broker, "a", "b", heartbeat=1)
    a.acquire("n", lease_ms=60_000)
    assert b.ask("acquire", timeout=1, name="n", wait_ms=60_000).error == "TimeoutExpired"
    wait_until(lambda: broker.waiters("n") == [], LOST_WITHIN + 2)
    assert broker.stats()["withdrawn"] == 1


def test_11_and_who_sends_the_request_again_keeps_its_place_and_gets_the_grant_once(broker, owners):
    a, b, c = owners(broker, "a", "b", "c", heartbeat=1)
    token = a.acquire("n", lease_ms=60_000)["token"]
    first = b.start("acquire", timeout=1, name="n", wait_ms=60_000, request_id="r")
    in_line(broker, "n", "b")
    third = c.start("acquire", name="n", wait_ms=60_000)
    in_line(broker, "n", "b", "c")
    assert first.finish().error == "TimeoutExpired"
    second = b.start("acquire", name="n", wait_ms=60_000, request_id="r")
    # The first call is missed after that time, and must not take the second's place away.
    wait_until(lambda: broker.stats()["withdrawn"] == 1 or first.age() > LOST_WITHIN, LOST_WITHIN + 2)
    assert broker.waiters("n") == ["b", "c"]
    a.release("n", token)
    grant = second.grant()
    again = b.acquire("n", wait_ms=60_000, request_id="r")
    assert (again["token"], again["replay"], again["hold_count"]) == (grant["token"], True, 1)
    b.release("n", grant["token"])
    assert third.grant()["token"] > grant["token"]


def test_11_a_grant_that_came_after_its_client_gave_up_is_answered_to_the_same_request(broker, owners):
    a, b = owners(broker, "a", "b")
    token = a.acquire("n", lease_ms=60_000)["token"]
    first = b.start("acquire", timeout=0.5, name="n", wait_ms=60_000, request_id="r")
    in_line(broker, "n", "b")
    assert first.finish().error == "TimeoutExpired"
    a.release("n", token)  # before the broker can know that nobody waits
    wait_until(lambda: broker.holder("n") is not None)
    held = broker.holder("n")
    again = b.acquire("n", request_id="r")
    assert (("b", again["token"]), again["replay"], again["hold_count"]) == (held, True, 1)


def send_and_forget(broker, method, *args):
    """A call whose answer is lost: its connection is gone as soon as the broker has it."""
    with Raw(broker.endpoint) as raw:
        raw.next(raw.call(method, args))


ACQUIRES = {
    "acquire": lambda id: ("acquire", "n", "a", 60_000, 0, {"request_id": id}),
    "acquire_many": lambda id: ("acquire_many", ["n", "m"], "a", 60_000, 0, {"request_id": id}),
    "sem_acquire": lambda id: ("sem_acquire", "n", "a", 5, 2, 60_000, 0, {"request_id": id}),
}


@pytest.mark.parametrize("method", ACQUIRES)
@pytest.mark.parametrize("id", ["text", 7])
def test_12_an_acquire_sent_again_after_its_answer_was_lost_takes_nothing_more(broker, method, id):
    send_and_forget(broker, *ACQUIRES[method](id))
    held = broker.holder("n")
    again = [broker.call(*ACQUIRES[method](id)) for _ in range(3)]
    assert {("a", grant["token"]) for grant in again} == {held}
    assert all(grant["replay"] and grant["hold_count"] == 1 for grant in again)
    assert [holder.get("permits", 2) for holder in broker.call("info", "n")["holders"]] == [2]
    assert broker.stats()["grants"] == 1


def test_12_a_request_id_is_of_one_request(broker):
    broker.call("acquire", "n", "a", 60_000, 0, {"request_id": "r"})
    assert broker.error("acquire", "m", "a", 60_000, 0, {"request_id": "r"}) == "RequestConflict"
    assert broker.call("acquire", "m", "b", 60_000, 0, {"request_id": "r"})["ok"], "another owner's is another"


def test_13_the_same_message_twice_grants_once(broker):
    with Raw(broker.endpoint) as raw:
        ids = [raw.call("acquire", ["n", "a", 60_000, 0, {"request_id": "r"}]) for _ in range(20)]
        answers = [raw.next(id) for id in ids]
    # One that comes while another is under way waits with it.
    assert {answer.name for answer in answers} == {"OK"}
    grants = [answer.args[0] for answer in answers]
    assert {("a", grant["token"]) for grant in grants} == {broker.holder("n")}
    assert {grant["hold_count"] for grant in grants} == {1}
    assert broker.call("release", "n", "a", grants[0]["token"])["hold_count"] == 0


def test_13_a_message_that_comes_twice_byte_for_byte_is_one_call(broker):
    with Raw(broker.endpoint) as raw:
        id = raw.call("acquire", ["n", "a", 60_000])
        raw.call("acquire", ["n", "a", 60_000], id=id)
        assert raw.next(id).args[0]["hold_count"] == 1
    entries = broker.call("info", "n")["holders"][0]["hold_count"]
    assert entries in (1, 2), "without a request_id the second is a call of its own, if the first was answered"


def test_13_an_acquire_that_comes_late_after_the_release_grants_nothing(broker):
    token = broker.call("acquire", "n", "a", 60_000, 0, {"request_id": 5})["token"]
    broker.call("release", "n", "a", token)
    assert broker.error("acquire", "n", "a", 60_000, 0, {"request_id": 5}) == "NotHeld"
    assert broker.error("acquire", "n", "a", 60_000, 0, {"request_id": 4}) == "Cancelled", "an older one"
    assert broker.holder("n") is None
    assert broker.call("acquire", "n", "a", 60_000, 0, {"request_id": 6})["token"] > token


def test_14_a_release_sent_again_after_its_answer_was_lost_succeeds(broker):
    token = broker.call("acquire", "n", "a")["token"]
    send_and_forget(broker, "release", "n", "a", token)
    told = broker.call("release", "n", "a", token)
    assert (told["released"], told["replay"]) == (True, True)
    other = broker.call("acquire", "n", "b")["token"]
    assert broker.call("release", "n", "a", token)["replay"], "and takes nothing from the next"
    assert broker.holder("n") == ("b", other)


@pytest.mark.parametrize("back", ["at once", "later"])
def test_20_waiters_whose_proxy_was_killed_send_their_requests_again_through_the_next(
        suite, start_broker, owners, back):
    proxy = suite.start_proxy()
    broker = start_broker(proxy=proxy.back)
    proxy.await_workers(1)
    a, b = owners(proxy, "a", "b", heartbeat=1)
    token = a.acquire("n", lease_ms=60_000, request_id="first")["token"]
    waiting = b.start("acquire", name="n", wait_ms=60_000, request_id="second")
    in_line(broker, "n", "b")
    proxy.kill()
    if back == "later":
        wait_until(lambda: broker.waiters("n") == [], 10)
    proxy = suite.start_proxy(bind=proxy.endpoint, back=proxy.back)
    proxy.await_workers(1)
    assert waiting.finish().error in ("LostRemote", "WorkerLost")
    again = a.acquire("n", lease_ms=60_000, request_id="first")
    assert (again["token"], again["replay"], again["hold_count"]) == (token, True, 1)
    waiting = b.start("acquire", name="n", wait_ms=60_000, request_id="second")
    in_line(broker, "n", "b")
    a.release("n", token)
    assert waiting.grant()["token"] > token
    assert len(broker.call("info", "n")["holders"]) == 1


def test_20_calls_of_a_killed_broker_end_and_the_next_one_takes_over_behind_the_proxy(suite, start_broker, owners):
    proxy = suite.start_proxy()
    broker = start_broker(proxy=proxy.back)
    proxy.await_workers(1)
    a, b = owners(proxy, "a", "b")
    token = a.acquire("n", lease_ms=60_000)["token"]
    waiting = b.start("acquire", name="n", wait_ms=60_000, request_id="r")
    in_line(broker, "n", "b")
    broker.kill()
    assert waiting.finish(10).error == "WorkerLost"
    broker.start()
    proxy.await_workers(2)
    waiting = b.start("acquire", name="n", wait_ms=60_000, request_id="r")
    in_line(broker, "n", "b")
    a.release("n", token)
    assert waiting.grant()["token"] > token


@pytest.mark.parametrize("count", [2, 3, 7])
def test_31_the_request_that_closes_a_cycle_is_refused_at_once_and_the_others_go_on(broker, owners, count):
    ring = owners(broker, *(f"owner-{n}" for n in range(count)))
    tokens = [owner.acquire(f"lock-{n}", lease_ms=60_000)["token"] for n, owner in enumerate(ring)]
    waiting = []
    for n, owner in enumerate(ring[:-1]):
        waiting.append(owner.start("acquire", name=f"lock-{n + 1}", wait_ms=60_000))
        in_line(broker, f"lock-{n + 1}", owner.name)
    begun = time.monotonic()
    op = ring[-1].ask("acquire", name="lock-0", wait_ms=60_000)
    assert op.error == "Deadlock"
    assert time.monotonic() - begun < SLACK
    cycle = json.loads(op.message[op.message.index("{"):])["cycle"]
    assert {step["owner"] for step in cycle} == {owner.name for owner in ring}
    ring[-1].release(f"lock-{count - 1}", tokens[-1])
    for n in reversed(range(count - 1)):
        grant = waiting[n].grant()
        ring[n].release(f"lock-{n + 1}", grant["token"])
        ring[n].release(f"lock-{n}", tokens[n])
    assert broker.stats()["held"] == 0


def test_31_two_readers_who_each_want_to_write_what_the_other_reads(broker, owners):
    a, b, c = owners(broker, "a", "b", "c")
    held = {owner: owner.acquire(name, mode="s", lease_ms=60_000)["token"] for owner, name in ((a, "one"), (b, "two"))}
    third = c.acquire("one", mode="s", lease_ms=60_000)["token"]
    waiting = a.start("acquire", name="two", wait_ms=60_000)
    in_line(broker, "two", "a")
    assert b.ask("acquire", name="one", wait_ms=60_000).error == "Deadlock"
    assert a.ask("acquire", name="one", wait_ms=60_000).error == "UpgradeNotAllowed"
    b.release("two", held[b])
    waiting.grant()
    c.release("one", third)


def test_31_sets_wait_without_holding_and_so_never_close_a_cycle(broker, owners):
    a, b, c = owners(broker, "a", "b", "c")
    token = c.acquire("one", lease_ms=60_000)["token"]
    first = a.start("acquire_many", names=["one", "two"], wait_ms=60_000)
    in_line(broker, "one", "a")
    second = b.start("acquire_many", names=["two", "one"], wait_ms=60_000)
    in_line(broker, "one", "a", "b")
    c.release("one", token)
    for owner, waiting in ((a, first), (b, second)):
        grant = waiting.grant()
        assert grant["names"] == ["one", "two"]
        assert owner.ask("release_many", held=[[name, grant["token"]] for name in grant["names"]]).error is None
