"""The lock service behind a proxy: a client that dies there is missed as one that dialed the broker itself."""

import contextlib
import signal
import time
from pathlib import Path

import pytest

from support.lock_service import Broker
from support.programs import wait_until
from support.raw import Raw

CLOSE_WAIT = "08"  # in /proc/net/tcp: the peer has ended the connection
SLACK = 1.5
LONG = 60_000

#: Every way to wait for the lock "n", and how a grant of it looks.
FORMS = {
    "acquire": ("lock.acquire", ["n", "b", LONG, LONG], lambda answer: answer["ok"]),
    "shared": ("lock.acquire", ["n", "b", LONG, LONG, {"mode": "s"}], lambda answer: answer["ok"]),
    "a request": ("lock.acquire", ["n", "b", LONG, LONG, {"request_id": "r"}], lambda answer: answer["ok"]),
    "acquire_many": ("lock.acquire_many", [["m", "n"], "b", LONG, LONG], lambda answer: answer["ok"]),
    "acquire_lock": ("lock.acquire_lock", ["n", 60, 60], bool),
}


@pytest.fixture
def proxy(suite):
    return suite.start_proxy()


@pytest.fixture
def broker(suite, proxy):
    broker = Broker(suite, proxy=proxy.back)
    proxy.await_workers(1)
    return broker


@contextlib.contextmanager
def stopped(program):
    program.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        program.process.send_signal(signal.SIGCONT)


def hang_up(client, proxy):
    """Ends a client's connection, and waits until the news of it are at the stopped proxy, before anything else is."""
    port = f":{int(proxy.endpoint.rsplit(':', 1)[1]):04X}"

    def ended():
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()]
        return sum(row[1].endswith(port) and row[3] == CLOSE_WAIT for row in rows)

    before = ended()
    client.close()
    wait_until(lambda: ended() > before, every=0.01)


def queue(broker, name):
    return broker.call("info", name)["queue_len"]


def first_in_line(broker, proxy, form):
    """A holder's token, and a client behind the proxy that waits for the lock."""
    token = broker.call("acquire", "n", "a", LONG)["token"]
    method, args, _ = FORMS[form]
    doomed = Raw(proxy.endpoint)
    doomed.call(method, args)
    wait_until(lambda: queue(broker, "n") == 1)
    return token, doomed


@pytest.mark.parametrize("form", FORMS)
def test_a_grant_that_finds_its_client_gone_goes_to_the_next(broker, proxy, form):
    token, doomed = first_in_line(broker, proxy, form)
    with Raw(proxy.endpoint) as next_one:
        id = next_one.call("lock.acquire", ["n", "c", LONG, LONG])
        wait_until(lambda: queue(broker, "n") == 2)
        with stopped(proxy):
            hang_up(doomed, proxy)
            broker.call("release", "n", "a", token)
            wait_until(lambda: queue(broker, "n") == 1)  # granted, and on its way to nobody
        went_on = time.monotonic()
        assert next_one.next(id).args[0]["ok"]
        assert time.monotonic() - went_on < SLACK
    assert broker.stats()["withdrawn"] == 1


@pytest.mark.parametrize("form", FORMS)
def test_a_client_that_dies_in_line_leaves_it_at_once(broker, proxy, form):
    _, doomed = first_in_line(broker, proxy, form)
    doomed.close()
    wait_until(lambda: queue(broker, "n") == 0, SLACK)


def test_permits_of_a_semaphore_that_find_their_client_gone_are_free_again(broker, proxy):
    with Raw(proxy.endpoint) as doomed:
        doomed.call("lock.sem_acquire", ["s", "b", 3, 3, LONG, 0])
        assert doomed.receive().args[0]["ok"]
    token = broker.call("info", "s")["holders"][0]["token"]
    doomed = Raw(proxy.endpoint)
    doomed.call("lock.sem_acquire", ["s", "c", 3, 2, LONG, LONG])
    wait_until(lambda: queue(broker, "s") == 1)
    with stopped(proxy):
        hang_up(doomed, proxy)
        broker.call("sem_release", "s", "b", token)
        wait_until(lambda: queue(broker, "s") == 0)
    wait_until(lambda: broker.call("info", "s")["holders"] == [], SLACK)


def test_an_inner_entry_that_finds_its_client_gone_is_undone_alone(broker, proxy):
    broker.call("acquire", "n", "b", LONG)
    doomed = Raw(proxy.endpoint)
    doomed.call("lock.stats")
    doomed.receive()
    with stopped(broker.program):
        doomed.call("lock.acquire", ["n", "b", LONG])
        wait_until(lambda: proxy.call("proxy.stats")["channels"] == 1)
        proxy.process.send_signal(signal.SIGSTOP)
        hang_up(doomed, proxy)
    try:
        wait_until(lambda: broker.call("info", "n")["holders"][0]["hold_count"] == 2)
    finally:
        proxy.process.send_signal(signal.SIGCONT)
    wait_until(lambda: broker.call("info", "n")["holders"][0]["hold_count"] == 1, SLACK)


def test_a_session_ends_with_its_client_and_the_locks_bound_to_it(broker, proxy):
    doomed = Raw(proxy.endpoint)
    id = doomed.call("lock.session_open", ["b", 30_000])
    session = doomed.next(id).args["session"]
    with Raw(proxy.endpoint) as other:
        assert other.value("lock.acquire", "n", "b", LONG, 0, {"session": session, "bind": "session"})["ok"]
    doomed.close()
    wait_until(lambda: broker.call("info", "n")["holders"] == [], SLACK)


def test_a_watcher_that_is_gone_is_forgotten(broker, proxy):
    doomed = Raw(proxy.endpoint)
    id = doomed.call("lock.watch", [""])
    doomed.next(id)
    doomed.close()
    wait_until(lambda: broker.stats()["listeners"] == 0, SLACK)


def test_a_ticket_keeps_its_place_when_the_client_that_waits_for_it_is_gone(broker, proxy):
    token = broker.call("acquire", "n", "a", LONG)["token"]
    doomed = Raw(proxy.endpoint)
    doomed.call("lock.enqueue", ["n", "b", LONG])
    ticket = doomed.receive().args[0]["ticket"]
    doomed.call("lock.wait", [ticket, LONG])
    wait_until(lambda: len(proxy.call("proxy.channels", "lock.wait")) == 1)
    with stopped(proxy):
        hang_up(doomed, proxy)
        broker.call("release", "n", "a", token)
        wait_until(lambda: broker.holder("n") is not None and broker.holder("n")[0] == "b")
    wait_until(lambda: proxy.call("proxy.stats")["channels"] == 0)
    with Raw(proxy.endpoint) as again:
        assert again.value("lock.wait", ticket, 0)["ok"]


def test_a_stock_client_that_is_killed_leaves_the_line_within_a_second(broker, proxy, owners):
    a, b, c = owners(proxy, "a", "b", "c")
    token = broker.call("acquire", "n", "x", LONG)["token"]
    b.peer.start("call", method="lock.acquire", args=["n", "b", LONG, LONG])
    wait_until(lambda: queue(broker, "n") == 1)
    waiting = c.peer.start("call", method="lock.acquire", args=["n", "c", LONG, LONG])
    wait_until(lambda: queue(broker, "n") == 2)
    b.peer.kill()
    broker.call("release", "n", "x", token)
    released = time.monotonic()
    assert waiting.result(10)["value"]["ok"]
    assert time.monotonic() - released < SLACK
