"""Stock zerorpc servers as workers, alone and beside ours."""

import signal
import sys
import time
from collections import Counter

import pytest

from support.ledger import Ledger
from support.programs import PEERS, Server, wait_until
from support.proxies import upstream
from support.raw import Raw

MATH = "zerosuite-math"
LOSS_SECONDS = 3.5


def restarted(endpoint):
    """The stock Python server on a port it had before."""
    return Server([sys.executable, PEERS / "reference_server.py", "server", endpoint])


@pytest.mark.parametrize("kind", ["python_client", "node_client", "our_client"])
@pytest.mark.parametrize("server", ["start_stock", "start_node"])
def test_a_stock_server_is_called_by_bare_and_by_qualified_names(suite, kind, server):
    stock = suite.start_stock("server") if server == "start_stock" else suite.start_node()
    proxy = suite.start_proxy(upstream("legacy", stock.endpoint))
    proxy.await_workers(1)
    client = getattr(suite, kind)(proxy)
    assert client.call("add", 1, 2) == client.call("legacy.add", 1, 2) == 3
    assert client.call("legacy.echo", ["é", {"k": 1.5}]) == ["é", {"k": 1.5}]
    # Longer streams end in grants from Node that come late, and over which a stock Python server hangs.
    assert client.items("count", 40) == client.items("legacy.count", 40) == list(range(40))
    assert client.error("legacy.nosuch").message == "legacy.nosuch: no such method"
    assert client.error("boom", "Busy", "no").name == "Busy"


def test_stock_servers_and_ours_answer_for_one_service_side_by_side(suite):
    python, node = suite.start_stock("server"), suite.start_node()
    proxy = suite.start_proxy(upstream("math", python.endpoint, node.endpoint), ZEROSUITE_PROXY_SLOW_START_MS="0")
    suite.start_worker(MATH, proxy.back)
    proxy.await_workers(3)
    with Ledger(proxy.endpoint) as ledger:
        for n in range(300):
            ledger.call("math.add" if n % 2 else "add", n, n)
        ledger.collect()
        assert ledger.outcomes() == Counter(OK=300)
        assert all(ledger.answers[id][0].args == [2 * n] for n, id in enumerate(ledger.sent))
        assert ledger.raw.value("factorial", 5) == 120, "what only one of them has goes to that one"
    assert all(worker["calls"] > 20 for worker in proxy.workers().values())


def test_calls_on_a_killed_stock_server_are_lost_by_name_at_once_and_it_is_found_again(suite):
    stock = suite.start_stock("server")
    proxy = suite.start_proxy(upstream("legacy", stock.endpoint))
    proxy.await_workers(1)
    with Ledger(proxy.endpoint) as ledger:
        for _ in range(10):
            ledger.call("slow_async", 60_000)
        wait_until(lambda: proxy.call("proxy.stats")["outstanding"] == 10)
        killed = time.monotonic()
        stock.kill()
        ledger.collect()
        assert ledger.outcomes() == Counter(WorkerLost=10)
        assert ledger.slowest(killed) < 1
        assert ledger.raw.error("echo", 1)[0] == "Unavailable"
        again = restarted(stock.endpoint)
        proxy.await_workers(2)
        assert ledger.raw.value("echo", "back") == "back"
        again.finish()


def test_calls_on_a_stopped_stock_server_are_lost_in_time(suite):
    stock = suite.start_stock("server")
    proxy = suite.start_proxy(upstream("legacy", stock.endpoint))
    proxy.await_workers(1)
    with Ledger(proxy.endpoint) as ledger:
        ledger.call("slow_async", 60_000)
        wait_until(lambda: proxy.call("proxy.stats")["outstanding"] == 1)
        stopped = time.monotonic()
        stock.process.send_signal(signal.SIGSTOP)
        ledger.collect()
        assert ledger.outcomes() == Counter(WorkerLost=1)
        assert ledger.slowest(stopped) < LOSS_SECONDS
    stock.process.send_signal(signal.SIGCONT)
    proxy.await_workers(2)


def test_a_stock_server_that_computes_for_long_is_not_taken_for_dead(suite):
    stock = suite.start_stock("server")
    proxy = suite.start_proxy(upstream("legacy", stock.endpoint))
    proxy.await_workers(1)
    with Raw(proxy.endpoint) as raw:
        assert raw.value("busy", 5, seconds=15) == "computed"
    assert proxy.call("proxy.stats")["workers_lost"] == 0


def test_a_server_that_is_away_at_the_start_is_taken_in_when_it_comes(suite):
    stock = suite.start_stock("server")
    stock.finish()
    proxy = suite.start_proxy(upstream("legacy", stock.endpoint))
    again = restarted(stock.endpoint)
    proxy.await_workers(1)
    assert proxy.call("legacy.echo", 1) == 1
    again.finish()


def test_a_proxy_can_stand_behind_another_as_a_stock_server(suite):
    inner = suite.start_proxy()
    suite.start_worker(MATH, inner.back)
    inner.await_workers(1)
    outer = suite.start_proxy(upstream("site", inner.endpoint))
    outer.await_workers(1)
    with Raw(outer.endpoint) as raw:
        assert raw.value("math.add", 1, 2) == raw.value("site.math.add", 1, 2) == 3
