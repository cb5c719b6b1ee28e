"""No worker, no room, no time left: named errors, when they are due."""

import time
from collections import Counter

import pytest

from support.fake_worker import FakeWorker
from support.ledger import Ledger
from support.programs import wait_until
from support.raw import Raw

MATH, PEER = "zerosuite-math", "zerosuite_peer_server"


@pytest.mark.parametrize("kind", ["python_client", "node_client", "our_client"])
def test_without_a_worker_a_service_is_unavailable_within_half_a_second(suite, kind):
    proxy = suite.start_proxy()
    math = suite.start_worker(MATH, proxy.back)
    proxy.await_workers(1)
    client = getattr(suite, kind)(proxy)
    assert client.call("add", 1, 2) == 3
    math.finish()
    for name in ("add", "math.add"):
        answer = client.do("call", method=name, args=[1, 2])
        assert answer["error"]["name"] == "Unavailable"
        assert answer["error"]["message"] == 'no worker for service math {"retry_after_ms":200}'
        assert 0.4 < answer["seconds"] < 1.0


def test_a_worker_that_comes_in_time_gets_the_calls_that_waited(suite):
    proxy = suite.start_proxy(ZEROSUITE_PROXY_NO_WORKER_MS="10000")
    first = suite.start_worker(MATH, proxy.back)
    proxy.await_workers(1)
    first.finish()
    with Ledger(proxy.endpoint) as ledger:
        for n in range(100):
            ledger.call("add", n, 1)
        wait_until(lambda: proxy.call("proxy.stats")["queued"] == 100)
        suite.start_worker(MATH, proxy.back)
        ledger.collect()
    assert ledger.outcomes() == Counter(OK=100)


def test_a_queue_holds_so_many_calls_and_refuses_more_at_once(suite):
    proxy = suite.start_proxy(ZEROSUITE_PROXY_QUEUE_CALLS="10")
    suite.start_worker(PEER, proxy.back, ZEROSUITE_PEER_MAX_INFLIGHT="2")
    proxy.await_workers(1)
    with Ledger(proxy.endpoint) as ledger:
        ids = [ledger.call("slow_async", 300) for _ in range(20)]
        ledger.collect()
        assert ledger.outcomes() == Counter(OK=12, Overloaded=8)
        assert {ledger.answers[id][0].name for id in ids[:12]} == {"OK"}, "the first come are served"
        assert max(ledger.seconds(id) for id in ids[12:]) < 0.25, "a full queue says so at once"


def test_a_call_waits_so_long_and_is_then_refused(suite):
    proxy = suite.start_proxy(ZEROSUITE_PROXY_QUEUE_MS="700")
    suite.start_worker(PEER, proxy.back, ZEROSUITE_PEER_MAX_INFLIGHT="1")
    proxy.await_workers(1)
    with Ledger(proxy.endpoint) as ledger:
        first, second = ledger.call("slow_async", 1500), ledger.call("echo", 1)
        ledger.collect()
        assert ledger.answers[first][0].name == "OK"
        assert ledger.answers[second][0].args[:2] == ["Overloaded", 'no worker has room for echo {"retry_after_ms":200}']
        assert 0.69 < ledger.seconds(second) < 1.2


def test_a_deadline_that_passes_in_the_queue_is_told_and_the_call_is_never_made(suite):
    proxy = suite.start_proxy()
    suite.start_worker(PEER, proxy.back, ZEROSUITE_PEER_MAX_INFLIGHT="1")
    proxy.await_workers(1)
    with Ledger(proxy.endpoint) as ledger:
        ledger.call("slow_async", 1000)
        late = ledger.call("slow_async", 1, "late", timeout_ms=200)
        ledger.collect()
        assert ledger.answers[late][0].args[0] == "DeadlineExceeded"
        assert 0.19 < ledger.seconds(late) < 0.7
        assert ledger.raw.value("fate", "late") is None


def test_heartbeats_carry_a_call_that_waits_long(suite):
    proxy = suite.start_proxy(ZEROSUITE_PROXY_QUEUE_MS="20000")
    suite.start_worker(PEER, proxy.back, ZEROSUITE_PEER_MAX_INFLIGHT="1")
    proxy.await_workers(1)
    client = suite.python_client(proxy, "--heartbeat", "1")
    holding = client.start("call", method="slow_async", args=[6000])
    waiting = client.start("call", method="echo", args=["waited"])
    assert waiting.result(20)["value"] == "waited"
    assert holding.result(20)["value"] == "slept"


def test_calls_are_spread_over_the_workers_and_streams_count_until_they_end(suite):
    proxy = suite.start_proxy(ZEROSUITE_PROXY_SLOW_START_MS="0")
    workers = [suite.start_worker(PEER, proxy.back) for _ in range(4)]
    proxy.await_workers(4)
    with Raw(proxy.endpoint) as raw:
        for _ in range(40):
            assert raw.next(raw.call("endless")).name == "STREAM"
        loads = [worker["outstanding"] for worker in proxy.workers().values()]
        assert sum(loads) == 40
        assert max(loads) - min(loads) <= 6
    assert len(workers) == 4


def test_a_worker_gets_a_share_by_its_weight(suite):
    proxy = suite.start_proxy(ZEROSUITE_PROXY_SLOW_START_MS="0")
    suite.start_worker(PEER, proxy.back, ZEROSUITE_PEER_WEIGHT="300")
    heavy = proxy.await_workers(1)[0]
    suite.start_worker(PEER, proxy.back, ZEROSUITE_PEER_WEIGHT="100")
    proxy.await_workers(2)
    with Ledger(proxy.endpoint) as ledger:
        for _ in range(200):
            ledger.call("slow_async", 1000)
        wait_until(lambda: proxy.call("proxy.stats")["outstanding"] == 200)
        loads = {id: worker["outstanding"] for id, worker in proxy.workers().items()}
        assert 140 <= loads[heavy] <= 160
        ledger.collect()


def test_a_worker_that_is_unavailable_again_and_again_is_set_aside(suite):
    proxy = suite.start_proxy(ZEROSUITE_PROXY_SLOW_START_MS="0")
    with FakeWorker(proxy.back) as good, FakeWorker(proxy.back) as bad, Raw(proxy.endpoint) as raw:
        assert good.introduce(id="good")[0] == bad.introduce(id="bad")[0] == "_zpx_ok"
        failed = 0
        while proxy.workers()["bad"]["state"] == "ready":
            id = raw.call("work")
            for worker in (good, bad):
                worker.tell("_zpx_hb")
            answering = bad if proxy.workers()["bad"]["outstanding"] else good
            call = answering.call()
            if answering is bad:
                failed += 1
                bad.answer(call, "ERR", ["Unavailable", "my store is away", None])
            else:
                good.answer(call, "OK", [1])
            raw.next(id)
        assert failed == 5
        assert proxy.workers()["bad"]["state"] == "ejected"
        for _ in range(5):
            id = raw.call("work")
            good.answer(good.call(), "OK", [1])
            assert raw.next(id).name == "OK"


def test_calls_with_the_same_first_argument_go_to_the_same_worker_when_the_service_asks_for_it(suite):
    proxy = suite.start_proxy()
    with FakeWorker(proxy.back) as a, FakeWorker(proxy.back) as b, Raw(proxy.endpoint) as raw:
        for worker, id in ((a, "a"), (b, "b")):
            assert worker.introduce(id=id, sticky=True)[0] == "_zpx_ok"
        homes = {}
        for turn in range(3):
            for name in range(12):
                id = raw.call("work", [f"lock {name}", turn])
                home = "a" if wait_until(lambda: busy(proxy)) == "a" else "b"
                worker = a if home == "a" else b
                call = worker.call()
                assert call.args == [f"lock {name}", turn]
                worker.answer(call, "OK", [home])
                assert raw.next(id).args == [home]
                assert homes.setdefault(name, home) == home
        assert set(homes.values()) == {"a", "b"}


def busy(proxy):
    return next((id for id, worker in proxy.workers().items() if worker["outstanding"]), None)
