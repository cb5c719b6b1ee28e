"""Workers that die, stop, or leave, with calls and streams open on them."""

import signal
import time
from collections import Counter

import pytest

from support.ledger import Ledger
from support.programs import wait_until
from support.raw import Raw

MATH, PEER = "zerosuite-math", "zerosuite_peer_server"
LOSS_SECONDS = 3.5  # by then the client of a dead worker must know


def start(suite, program, count, **environment):
    """A proxy and `count` workers; answers the proxy and the workers by their ids."""
    proxy = suite.start_proxy()
    workers = {}
    for number in range(count):
        worker = suite.start_worker(program, proxy.back, ZEROSUITE_PEER_DRAIN_MS="5000", **environment)
        workers[proxy.await_workers(number + 1)[-1]] = worker
    return proxy, workers


def on_each(proxy, workers, ledger, method, *args, count=40):
    """Makes calls until every worker has some; answers which calls each has."""
    ids = [ledger.call(method, *args) for _ in range(count)]
    wait_until(lambda: sum(worker["outstanding"] for worker in proxy.workers().values()) >= count)
    held = {id: [] for id in workers}
    for channel in proxy.call("proxy.channels", method):
        held[channel["worker"]].append(bytes.fromhex(channel["channel"]))
    assert all(held.values()), "some worker has no call"
    assert sorted(sum(held.values(), [])) == sorted(ids)
    return held


def test_calls_on_a_killed_worker_are_lost_by_name_within_milliseconds_and_all_others_are_answered(suite):
    proxy, workers = start(suite, PEER, 2)
    with Ledger(proxy.endpoint) as ledger:
        held = on_each(proxy, workers, ledger, "slow_async", 1500)
        victim = next(iter(workers))
        killed = time.monotonic()
        workers[victim].kill()
        ledger.collect()
    lost = {id for id, events in ledger.answers.items() if events[0].name == "ERR"}
    assert lost == set(held[victim])
    assert ledger.outcomes() == Counter(OK=40 - len(lost), WorkerLost=len(lost))
    assert max(ledger.answers[id][0].at for id in lost) - killed < 1.0
    assert proxy.call("proxy.stats")["workers_lost"] == 1


def test_calls_on_a_stopped_worker_are_lost_in_time_and_it_serves_again_once_it_goes_on(suite):
    proxy, workers = start(suite, PEER, 2)
    with Ledger(proxy.endpoint) as ledger:
        held = on_each(proxy, workers, ledger, "slow_async", 1000)
        victim = next(iter(workers))
        stopped = time.monotonic()
        workers[victim].process.send_signal(signal.SIGSTOP)
        ledger.collect()
        assert ledger.outcomes()["WorkerLost"] == len(held[victim])
        assert ledger.slowest(stopped) < LOSS_SECONDS
        with Raw(proxy.endpoint) as raw:
            assert [raw.value("echo", n) for n in range(20)] == list(range(20)), "new calls go elsewhere"
        workers[victim].process.send_signal(signal.SIGCONT)
        wait_until(lambda: victim in proxy.workers(), 10)
        assert ledger.raw.collect(1) == [], "its late answers reach nobody"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_idempotent_calls_of_a_lost_worker_are_asked_of_another_and_answered_once(suite, number):
    proxy, workers = start(suite, MATH, 2)
    with Ledger(proxy.endpoint) as ledger:
        victim = next(iter(workers))
        workers[victim].process.send_signal(signal.SIGSTOP)  # calls given to it now wait in its socket
        for n in range(200):
            ledger.call("add", n, n)
        wait_until(lambda: proxy.workers()[victim]["outstanding"] > 0)
        if number == signal.SIGKILL:
            workers[victim].kill()
        ledger.collect()
        assert ledger.outcomes() == Counter(OK=200)
        assert ledger.slowest() < LOSS_SECONDS
        for n, id in enumerate(ledger.sent):
            assert ledger.answers[id][0].args == [2 * n]
    assert proxy.call("proxy.stats")["retries"] > 0
    workers[victim].process.send_signal(signal.SIGCONT)


def test_a_stream_of_a_killed_worker_ends_in_an_error_once_there_is_credit_for_it(suite):
    proxy, workers = start(suite, PEER, 1)
    with Raw(proxy.endpoint) as raw:
        id = raw.call("endless")
        assert raw.next(id).args == 0
        raw.grant(id, 5)
        assert [raw.next(id).args for _ in range(5)] == [1, 2, 3, 4, 5]
        next(iter(workers.values())).kill()
        wait_until(lambda: not proxy.workers())
        raw.beat(id)
        assert [event.name for event in raw.collect(0.5)] == ["_zpc_hb"], "the proxy beats in the worker's place"
        raw.grant(id, 1)
        assert raw.next(id).args[0] == "WorkerLost"


@pytest.mark.parametrize("kind", ["python_client", "node_client", "our_client"])
def test_a_stock_client_in_the_middle_of_a_stream_is_told_by_name(suite, kind):
    proxy, workers = start(suite, PEER, 1)
    client = getattr(suite, kind)(proxy)
    reading = client.start("stream", method="endless", args=[])
    wait_until(lambda: any(channel["state"] == "streaming" for channel in proxy.call("proxy.channels")))
    killed = time.monotonic()
    next(iter(workers.values())).kill()
    answer = reading.result(15)
    assert answer["error"]["name"] == "WorkerLost"
    assert answer["items"] == list(range(len(answer["items"])))
    assert time.monotonic() - killed < LOSS_SECONDS


def test_a_worker_that_is_told_to_end_finishes_what_it_has_and_gets_nothing_new(suite):
    proxy, workers = start(suite, PEER, 2)
    with Ledger(proxy.endpoint) as ledger:
        on_each(proxy, workers, ledger, "slow_async", 1000)
        leaving = next(iter(workers))
        workers[leaving].process.terminate()
        workers[leaving].await_line(r" draining\b")
        wait_until(lambda: proxy.workers()[leaving]["state"] == "draining")
        proxy.call("proxy.resume", leaving)  # which takes back what proxy.drain did, not what the worker wants
        for n in range(100):
            ledger.call("echo", n)
        ledger.collect()
    assert ledger.outcomes() == Counter(OK=140)
    assert workers[leaving].process.wait(10) == 0
    assert list(proxy.workers()) == [id for id in workers if id != leaving]
    assert proxy.call("proxy.stats")["workers_lost"] == 0


def test_a_drained_worker_gets_nothing_new_until_it_is_resumed(suite):
    proxy, workers = start(suite, MATH, 2)
    spared = next(iter(workers))
    assert proxy.call("proxy.drain", spared) == 0
    with Raw(proxy.endpoint) as raw:
        for n in range(50):
            raw.value("add", n, 1)
        assert proxy.workers()[spared]["state"] == "draining"
        assert proxy.workers()[spared]["calls"] == 0
        proxy.call("proxy.resume", spared)
        for n in range(200):
            raw.value("add", n, 1)
    assert proxy.workers()[spared]["calls"] > 0
    with Raw(proxy.endpoint) as raw:
        assert raw.error("proxy.drain", "nobody")[:2] == ["InvalidArgument", "there is no worker nobody"]


def test_a_rolling_restart_of_three_workers_under_load_loses_nothing(suite):
    proxy, workers = start(suite, MATH, 3)
    clients = [suite.python_client(proxy), suite.our_client(proxy)]
    loops = [client.start("loop", method="add", args=[88, 77], expect=165, count=32, seconds=6) for client in clients]
    for number, worker in enumerate(list(workers.values())):
        fresh = suite.start_worker(MATH, proxy.back)
        proxy.await_workers(4 + number)
        worker.process.terminate()
        assert worker.process.wait(15) == 0
        assert fresh.process.poll() is None
    for loop in loops:
        told = loop.result(30)
        assert (told["wrong"], told["errors"]) == (0, {})
        assert told["answered"] > 100
    stats = proxy.call("proxy.stats")
    assert (stats["errors"], stats["workers_lost"], stats["channels"]) == ({}, 0, 0)


def test_killing_workers_under_load_loses_only_calls_and_never_an_idempotent_one(suite):
    proxy, workers = start(suite, MATH, 3)
    clients = [suite.python_client(proxy), suite.our_client(proxy)]
    loops = [client.start("loop", method="add", args=[88, 77], expect=165, count=32, seconds=5) for client in clients]
    for number, worker in enumerate(list(workers.values())):
        suite.start_worker(MATH, proxy.back)
        proxy.await_workers(4 + number)
        worker.kill()
    for loop in loops:
        told = loop.result(30)
        assert (told["wrong"], told["errors"]) == (0, {})
    assert proxy.call("proxy.stats")["workers_lost"] == 3
