"""Stock zerorpc servers as workers, alone and beside ours."""

import signal
import sys
import threading
import time
from collections import Counter

import msgpack
import pytest
import zmq

from support.fake_server import FakeServer
from support.gates import SlowGate
from support.ledger import Ledger
from support.programs import PEERS, Server, wait_until
from support.proxies import upstream
from support.raw import Raw, new_id

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
    # Longer streams end in grants from Node that come late, and over which a stock Python server hangs without a proxy.
    assert client.items("count", 400) == client.items("legacy.count", 400) == list(range(400))
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


def read_streams(raw, ids, window=100, seconds=30.0):
    """Reads streams as a stock client does, granting what it has taken; answers their items by id."""
    items = {id: [] for id in ids}
    granted = dict.fromkeys(ids, 1)
    ended = set()
    deadline = time.monotonic() + seconds
    while len(ended) < len(ids):
        event = raw.receive(deadline - time.monotonic())
        if event.name == "STREAM":
            items[event.id].append(event.args)
            if granted[event.id] - len(items[event.id]) < window / 2:
                raw.grant(event.id, len(items[event.id]) + window - granted[event.id])
                granted[event.id] = len(items[event.id]) + window
        elif event.name != "_zpc_hb":
            assert event.name == "STREAM_DONE", event
            ended.add(event.id)
    return items


def test_many_streams_of_a_stock_server_lose_nothing_while_the_proxy_stands_still(suite):
    stock = suite.start_stock("server")
    proxy = suite.start_proxy(upstream("legacy", stock.endpoint))
    proxy.await_workers(1)
    with Raw(proxy.endpoint) as raw:
        raw.socket.sndhwm = 0
        ids = [raw.call("heavy", [100, 20_000]) for _ in range(30)]
        first = raw.receive()
        raw._aside.append(first)
        proxy.process.send_signal(signal.SIGSTOP)
        time.sleep(1.2)
        proxy.process.send_signal(signal.SIGCONT)
        items = read_streams(raw, ids)
    assert {len(each) for each in items.values()} == {100}
    assert proxy.call("proxy.stats")["workers_lost"] == 0


def test_more_calls_than_a_socket_holds_wait_for_a_busy_stock_server_over_several_connections(suite):
    stock = suite.start_stock("server")
    # Until the further connections are made, all but 150 calls are in the queue.
    proxy = suite.start_proxy(upstream("legacy", stock.endpoint), ZEROSUITE_PROXY_QUEUE_CALLS="1500")
    proxy.await_workers(1)
    with Ledger(proxy.endpoint) as ledger:
        ledger.raw.socket.sndhwm = 0
        ledger.call("busy", 4)
        time.sleep(0.3)
        for number in range(1500):
            ledger.call("add", number, 1)
        ledger.collect()
        assert ledger.outcomes() == Counter(OK=1501)
    [worker] = proxy.workers().values()
    assert worker["connections"] > 5
    assert proxy.call("proxy.stats")["workers_lost"] == 0


def test_no_more_connections_are_made_than_are_allowed_and_what_they_do_not_hold_waits(suite):
    stock = suite.start_stock("server")
    proxy = suite.start_proxy(upstream("legacy", stock.endpoint, max_connections=2), ZEROSUITE_PROXY_QUEUE_MS="100")
    proxy.await_workers(1)
    with Ledger(proxy.endpoint) as ledger:
        for _ in range(400):
            ledger.call("slow_async", 1500)
        ledger.collect()
        assert ledger.outcomes() == Counter(OK=300, Overloaded=100)
    [worker] = proxy.workers().values()
    assert worker["connections"] == 2


@pytest.mark.parametrize("way", ["answer", "request"])
@pytest.mark.parametrize("server", ["stock", "ours"])
def test_a_message_that_needs_longer_than_three_seconds_on_its_way_arrives(suite, server, way):
    size, rate = 5 << 20, 1 << 20
    if server == "stock":
        stock = suite.start_stock("server")
        gate = SlowGate(stock.endpoint, rate)
        proxy = suite.start_proxy(upstream("peer", gate.endpoint))
    else:
        proxy = suite.start_proxy()
        gate = SlowGate(proxy.back, rate)
        suite.start_worker("zerosuite_peer_server", gate.endpoint, ZEROSUITE_PEER_DRAIN_MS="0")
    proxy.await_workers(1)
    with gate, Raw(proxy.endpoint) as raw:
        text = "x" * size
        value = raw.value("big", size, seconds=30) if way == "answer" else raw.value("echo", text, seconds=30)
        assert value == text
        assert raw.value("echo", "soon") == "soon"
    assert proxy.call("proxy.stats")["workers_lost"] == 0


def introduce(server, methods, **options):
    """Answers the proxy's question about its methods."""
    server.answer(server.receive_named("_zerorpc_inspect"), "OK", [{"name": "fake", "methods": methods}], **options)


PLAIN = {"args": [], "doc": None}


def bound_again(endpoint):
    """A fake server where another one has just been."""
    def bind():
        try:
            return FakeServer(endpoint)
        except zmq.ZMQError:
            return None  # libzmq closes a socket behind our back

    return wait_until(bind)


def test_the_last_answer_of_a_server_that_ends_right_after_it_is_delivered(suite):
    with FakeServer() as server:
        endpoint = server.endpoint
        proxy = suite.start_proxy(upstream("fake", endpoint))
        introduce(server, {"quit": PLAIN})
        proxy.await_workers(1)
    for round in range(2, 12):
        with bound_again(endpoint) as server, Raw(proxy.endpoint) as raw:
            server.socket.linger = 1000
            introduce(server, {"quit": PLAIN})
            proxy.await_workers(round)
            id = raw.call("fake.quit")
            server.answer(server.receive_named("quit"), "OK", ["bye"])
            server.socket.close()
            event = raw.next(id)
            assert (event.name, event.args) == ("OK", ["bye"])


def test_an_answer_above_the_limit_is_told_to_who_asked_and_ends_nobody_elses_calls(suite):
    stock = suite.start_stock("server")
    proxy = suite.start_proxy(upstream("legacy", stock.endpoint), ZEROSUITE_MAX_FRAME_BYTES=str(1 << 20))
    proxy.await_workers(1)
    with Raw(proxy.endpoint) as raw, Raw(proxy.endpoint) as other:
        waiting = other.call("slow_async", [1500])
        for size in (3 << 19, 5 << 20):  # below and above twice the limit
            assert raw.error("big", size)[0] == "TooLarge"
        assert other.next(waiting).name == "OK"
        assert raw.value("big", 1 << 19) == "x" * (1 << 19)
    assert proxy.call("proxy.stats")["workers_lost"] == 0


def test_an_answer_too_long_even_to_be_refused_ends_its_connection_alone(suite):
    stock = suite.start_stock("server")
    proxy = suite.start_proxy(upstream("legacy", stock.endpoint, max_answer_bytes=1 << 20),
                              ZEROSUITE_MAX_FRAME_BYTES=str(1 << 20))
    proxy.await_workers(1)
    with Raw(proxy.endpoint) as raw:
        assert raw.error("big", 2 << 20)[0] == "WorkerLost"
        proxy.await_workers(2)
        assert raw.value("echo", 1) == 1


def in_bytes(value):
    """As Python 2.7 sends it: bytes for all text."""
    if isinstance(value, dict):
        return {in_bytes(key): in_bytes(each) for key, each in value.items()}
    if isinstance(value, list):
        return [in_bytes(each) for each in value]
    return value.encode() if isinstance(value, str) else value


def answer_in_bytes(server, call, name, args):
    header = {"message_id": new_id(), "v": 3, "response_to": call.header["message_id"]}
    server.send(call, msgpack.packb(in_bytes([header, name, args]), use_bin_type=True))


@pytest.mark.parametrize("kind", ["python_client", "node_client", "our_client"])
def test_a_server_of_python_2_7_whose_text_is_bytes_is_understood(suite, kind):
    with FakeServer() as server:
        proxy = suite.start_proxy(upstream("fake", server.endpoint))
        answer_in_bytes(server, server.receive_named("_zerorpc_inspect"), "OK", [{"name": "fake", "methods": {"add": PLAIN}}])
        proxy.await_workers(1)
        client = getattr(suite, kind)(proxy)

        def serve():
            answer_in_bytes(server, server.receive_named("add"), "OK", [3])
            answer_in_bytes(server, server.receive_named("add"), "ERR", ["ValueError", "no", "no"])

        thread = threading.Thread(target=serve)
        thread.start()
        assert client.call("fake.add", 1, 2) == 3
        error = client.error("fake.add")
        assert (error.name, error.message) == ("ValueError", "no")
        thread.join()


@pytest.mark.parametrize("sent, echoed", [(b"id-1", "id-1"), ("id-2", b"id-2")])
def test_an_answer_whose_id_comes_back_in_the_other_kind_of_text_finds_its_caller(suite, sent, echoed):
    with FakeServer() as server:
        proxy = suite.start_proxy(upstream("fake", server.endpoint))
        introduce(server, {"add": PLAIN})
        proxy.await_workers(1)
        with Raw(proxy.endpoint) as raw:
            raw.call("fake.add", [1, 2], id=sent)
            server.answer(server.receive_named("add"), "OK", [3], response_to=echoed)
            event = raw.receive()
            assert (event.name, event.args, event.id) == ("OK", [3], sent)


def test_names_that_nobody_could_call_are_left_out_and_the_others_serve(suite):
    with FakeServer() as server:
        proxy = suite.start_proxy(upstream("fake", server.endpoint))
        introduce(server, {"add": PLAIN, "": PLAIN, "x" * 256: PLAIN, "odd": "no map"})
        proxy.await_workers(1)
        proxy.await_line(r"upstream methods skipped .*count=2")
        assert {name for name in proxy.call("_zerorpc_list") if name.startswith("fake.")} == {"fake.add", "fake.odd"}


def test_a_server_that_cannot_tell_its_methods_is_used_by_those_that_are_configured(suite):
    with FakeServer() as server:
        proxy = suite.start_proxy(upstream("fake", server.endpoint, methods='["add", "sub"]'))
        proxy.await_workers(1)
        with Raw(proxy.endpoint) as raw:
            id = raw.call("fake.add", [1, 2])
            server.answer(server.receive(), "OK", [3])
            assert raw.next(id).args == [3]
            assert raw.error("fake.nosuch")[0] == "NameError"


@pytest.mark.parametrize("cells", [{}, {"methods": '["add"]'}])
def test_a_server_that_was_never_there_is_unavailable_by_its_name(suite, cells):
    proxy = suite.start_proxy(upstream("fake", "tcp://127.0.0.1:1", **cells))
    with Raw(proxy.endpoint) as raw:
        assert raw.error("fake.add")[0] == "Unavailable"
        assert raw.error("add")[0] == "Unavailable"


def test_a_host_that_is_not_found_is_logged_once_and_holds_up_nobody(suite):
    stock = suite.start_stock("server")
    by_name = stock.endpoint.replace("127.0.0.1", "localhost")
    proxy = suite.start_proxy(upstream("lost", "tcp://nosuch.invalid:4242"), upstream("legacy", by_name))
    suite.start_worker(MATH, proxy.back.replace("127.0.0.1", "localhost"))
    proxy.await_workers(2)
    assert "nosuch.invalid" in proxy.await_line(r"upstream not found endpoint=(\S+)", seconds=20).group(1)
    with Raw(proxy.endpoint) as raw:
        assert raw.value("legacy.echo", 1) == 1
        assert raw.value("math.add", 1, 2) == 3
        assert raw.error("lost.echo")[0] == "Unavailable"
    assert proxy.log().count("upstream not found") == 1


def test_a_stock_server_that_reads_nothing_any_more_is_found_by_a_ping_and_taken_back_when_it_does(suite):
    with FakeServer() as server:
        proxy = suite.start_proxy(upstream("fake", server.endpoint, wedged_ms=1000))
        introduce(server, {"add": PLAIN})
        proxy.await_workers(1)
        server.answer(server.receive_named("_zerorpc_ping"), "OK", [["pong", "fake"]])
        proxy.await_line(r"upstream down .*it leaves a ping unanswered")
        with Raw(proxy.endpoint) as raw:
            assert raw.error("fake.add")[0] == "Unavailable"
            for _ in range(2):  # the one that came too late, and the one of the new connection
                server.answer(server.receive_named("_zerorpc_ping"), "OK", [["pong", "fake"]])
            introduce(server, {"add": PLAIN})
            proxy.await_workers(2)


def test_a_stock_server_that_computes_for_longer_than_a_ping_may_wait_is_not_given_up(suite):
    stock = suite.start_stock("server")
    proxy = suite.start_proxy(upstream("legacy", stock.endpoint, wedged_ms=1000))
    proxy.await_workers(1)
    time.sleep(1)
    with Raw(proxy.endpoint) as raw:
        assert raw.value("busy", 4, seconds=15) == "computed"
    assert proxy.call("proxy.stats")["workers_lost"] == 0
