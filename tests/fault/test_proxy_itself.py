"""The proxy restarted, several proxies, and clients that vanish or do not read."""

import time
from collections import Counter
from contextlib import ExitStack

import pytest

from support.ledger import Ledger
from support.programs import SMALL_QUARANTINE, sanitized, wait_until
from support.raw import Raw

ROOM = 4 if sanitized("zerosuite-proxy") else 1  # bounds on memory are for the real thing
MATH, PEER = "zerosuite-math", "zerosuite_peer_server"


def restart(suite, proxy, how):
    """Ends the proxy and starts another on its ports."""
    getattr(proxy, how)()
    return suite.start_proxy(bind=proxy.endpoint, back=proxy.back)


@pytest.mark.parametrize("how", ["finish", "kill"])
def test_workers_register_again_with_a_proxy_that_was_restarted(suite, how):
    first = suite.start_proxy()
    workers = [suite.start_worker(MATH, first.back) for _ in range(3)]
    first.await_workers(3)
    python, ours = suite.python_client(first), suite.our_client(first)
    assert python.call("add", 1, 2) == ours.call("add", 1, 2) == 3
    second = restart(suite, first, how)
    begun = time.monotonic()
    second.await_workers(3)
    assert time.monotonic() - begun < 3
    assert python.call("add", 3, 4) == ours.call("add", 3, 4) == 7, "clients come back by themselves"
    assert all(worker.process.poll() is None for worker in workers)


def test_calls_made_right_after_a_restart_wait_for_the_workers(suite):
    first = suite.start_proxy()
    suite.start_worker(MATH, first.back)
    first.await_workers(1)
    first.kill()
    second = suite.start_proxy(bind=first.endpoint, back=first.back, ZEROSUITE_PROXY_SETTLE_MS="3500",
                               ZEROSUITE_PROXY_NO_WORKER_MS="3000")
    with Ledger(second.endpoint) as ledger:
        for n in range(50):
            ledger.call("add", n, 1)
            ledger.call("math.add", n, 1)
        ledger.collect()
    assert ledger.outcomes() == Counter(OK=100)


def test_a_proxy_that_is_told_to_end_lets_calls_finish_and_refuses_new_ones(suite):
    proxy = suite.start_proxy(ZEROSUITE_PROXY_DRAIN_MS="10000")
    suite.start_worker(PEER, proxy.back)
    proxy.await_workers(1)
    with Ledger(proxy.endpoint) as ledger:
        slow = [ledger.call("slow_async", 1000) for _ in range(20)]
        wait_until(lambda: proxy.call("proxy.stats")["outstanding"] == 20)
        proxy.process.terminate()
        proxy.await_line(r" draining calls=20\b")
        late = ledger.call("echo", 1)
        assert proxy.call("proxy.ready") is False and proxy.call("proxy.stats")["outstanding"] == 20
        ledger.collect()
        assert all(ledger.answers[id][0].args == ["slept"] for id in slow)
        assert ledger.answers[late][0].args[0] == "ShuttingDown"
    assert proxy.process.wait(10) == 0


def test_a_proxy_that_may_not_wait_ends_every_call_by_name(suite):
    proxy = suite.start_proxy()
    peer = suite.start_worker(PEER, proxy.back)
    proxy.await_workers(1)
    with Ledger(proxy.endpoint) as ledger, Raw(peer.endpoint) as direct:
        for n in range(20):
            ledger.call("slow_async", 60_000, f"cut {n}")
        wait_until(lambda: direct.value("open_channels") == 20)
        proxy.process.terminate()
        ledger.collect()
        assert ledger.outcomes() == Counter(ShuttingDown=20)
        assert proxy.process.wait(10) == 0
        wait_until(lambda: direct.value("open_channels") == 0)


def test_the_calls_of_a_killed_proxy_are_given_up_by_its_workers(suite):
    proxy = suite.start_proxy()
    peer = suite.start_worker(PEER, proxy.back)
    proxy.await_workers(1)
    with Raw(proxy.endpoint) as raw, Raw(peer.endpoint) as direct:
        raw.call("slow_async", [60_000, "orphan"])
        wait_until(lambda: direct.value("open_channels") == 1)
        proxy.kill()
        wait_until(lambda: direct.value("fate", "orphan")[0] == "cancelled", 4)
        assert direct.value("echo", "well") == "well"


def test_a_worker_serves_behind_several_proxies_and_outlives_one_of_them(suite):
    proxies = [suite.start_proxy() for _ in range(2)]
    peer = suite.start_worker(PEER, f"{proxies[0].back},{proxies[1].back}")
    for proxy in proxies:
        proxy.await_workers(1)
    with Ledger(proxies[0].endpoint) as lost, Ledger(proxies[1].endpoint) as kept, Raw(peer.endpoint) as direct:
        lost.call("slow_async", 60_000, "lost")
        kept.call("slow_async", 2_000, "kept")
        wait_until(lambda: direct.value("open_channels") == 2)
        proxies[0].kill()
        kept.collect()
        assert kept.outcomes() == Counter(OK=1)
        assert direct.value("fate", "lost")[0] == "cancelled"
        assert direct.value("echo", "direct") == "direct"


def test_a_worker_is_idle_without_a_proxy_and_registers_when_it_comes(suite):
    first = suite.start_proxy()
    first.finish()
    math = suite.start_worker(MATH, first.back)
    with Raw(math.endpoint) as direct:
        assert direct.value("add", 1, 2) == 3
    proxy = suite.start_proxy(bind=first.endpoint, back=first.back)
    proxy.await_workers(1, 3)


def test_the_calls_of_a_killed_client_are_given_up_by_its_worker(suite):
    proxy = suite.start_proxy()
    peer = suite.start_worker(PEER, proxy.back, ZEROSUITE_PEER_HEARTBEAT_MS="500")
    proxy.await_workers(1)
    client = suite.python_client(proxy)
    client.start("call", method="slow_async", args=[60_000, "orphan"])
    with Raw(peer.endpoint) as direct:
        wait_until(lambda: direct.value("fate", "orphan"))
        client.kill()
        wait_until(lambda: direct.value("fate", "orphan")[0] == "cancelled", 5)
        wait_until(lambda: proxy.call("proxy.stats")["channels"] == 0)
    assert proxy.call("proxy.stats")["clients_lost"] == 1


def test_a_client_that_does_not_read_holds_up_nobody_and_is_given_up(suite):
    proxy = suite.start_proxy(ZEROSUITE_PROXY_MAX_HELD_BYTES="4000000", **SMALL_QUARANTINE)
    suite.start_worker(PEER, proxy.back)
    proxy.await_workers(1)
    with ExitStack() as stack:
        other = stack.enter_context(Raw(proxy.endpoint))
        assert other.value("echo", 0) == 0
        connected, before = proxy.descriptors(), proxy.resident_kib()
        # Its own libzmq does not notice the end of a connection that it does not read: what it sends on piles up there.
        deaf = stack.enter_context(Raw(proxy.endpoint, rcvhwm=1, sndhwm=0))
        assert deaf.value("echo", 0) == 0
        assert proxy.descriptors() == connected + 1
        for _ in range(6000):  # more than are put off for a client that is slow
            deaf.call("big", [30_000])
        begun = time.monotonic()
        assert [other.value("echo", n) for n in range(100)] == list(range(100))
        assert time.monotonic() - begun < 10
        wait_until(lambda: proxy.descriptors() == connected, 30)
        wait_until(lambda: other.value("proxy.stats")["channels"] == 0)
        assert proxy.resident_kib() - before < 16 * 1024 * ROOM, "180 MB were asked for, 4 may be held"


def test_a_paused_proxy_goes_on_with_its_workers_and_loses_no_idempotent_call(suite):
    proxy = suite.start_proxy()
    suite.start_worker(MATH, proxy.back)
    proxy.await_workers(1)
    with Ledger(proxy.endpoint) as ledger:
        ledger.call("add", 1, 2)
        ledger.collect()
        proxy.process.send_signal(19)
        for n in range(100):
            ledger.call("add", n, n)
        time.sleep(5)  # longer than either side's patience: the pause itself is the fault under test
        proxy.process.send_signal(18)
        ledger.collect()
    errors = ledger.outcomes() - Counter(OK=101)
    assert not errors, errors
