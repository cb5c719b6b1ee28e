"""How a server program stops, and what becomes of the calls in flight."""

import signal
import time

import pytest

from support.programs import BIN, Server
from support.raw import Raw

pytestmark = pytest.mark.ours


@pytest.fixture
def start():
    """Starts the math service; ends it after the test if that is still to be done."""
    servers = []

    def start(*flags, **environment):
        servers.append(Server([BIN / "zerosuite-math", "--bind", "tcp://127.0.0.1:*", *flags], **environment))
        servers[-1].await_line(r" ready\b")
        return servers[-1]

    yield start
    for server in servers:
        assert server.finish() == 0


def open_stream(peer, items):
    """A call in flight for as long as the test wants: its server waits for credit after the first item."""
    id = peer.call("range", [0, items])
    assert peer.next(id).name == "STREAM"
    return id


def seconds_to_end(server, *signals):
    begun = time.monotonic()
    for number in signals:
        server.process.send_signal(number)
    assert server.process.wait(20) == 0, server.log()
    return time.monotonic() - begun


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_service_stops_at_once_with_status_0(start, number):
    server = start()
    assert seconds_to_end(server, number) < 2
    server.await_line(r" info math stopped\b")


def test_a_call_in_flight_finishes_while_new_ones_are_refused(start):
    server = start()
    with Raw(server.endpoint) as peer:
        id = open_stream(peer, 1000)
        server.process.send_signal(signal.SIGTERM)
        server.await_line(r" info math draining calls=1\b")
        assert peer.error("add", 1, 2)[0] == "ShuttingDown"
        peer.grant(id, 1001)
        events = [peer.next(id) for _ in range(1000)]
    assert [event.args for event in events[:-1]] == list(range(1, 1000))
    assert events[-1].name == "STREAM_DONE"
    assert server.process.wait(20) == 0


def test_a_blocking_call_in_flight_finishes(start):
    server = start("--log-level", "debug")
    with Raw(server.endpoint) as peer:
        id = peer.call("count_primes", [3_000_000])
        server.await_line(r" debug math call method=count_primes\b")
        server.process.send_signal(signal.SIGTERM)
        assert peer.next(id, seconds=20).args == [216816]
    assert server.process.wait(20) == 0


def test_a_call_that_outlasts_drain_ms_is_told_so(start):
    server = start(ZEROSUITE_DRAIN_MS="200")
    with Raw(server.endpoint) as peer:
        id = open_stream(peer, 1000)
        assert 0.2 <= seconds_to_end(server, signal.SIGTERM) < 5
        event = peer.next(id)
        assert (event.name, event.args[0]) == ("ERR", "ShuttingDown")
    server.await_line(r" warn math cut off calls=1\b")


def test_a_second_signal_stops_without_waiting(start):
    server = start()
    with Raw(server.endpoint) as peer:
        open_stream(peer, 1000)
        server.process.send_signal(signal.SIGTERM)
        server.await_line(r" draining\b")
        assert seconds_to_end(server, signal.SIGINT) < 5  # drain_ms is 10 s


def test_a_call_that_arrives_with_the_signal_is_answered_one_way_or_the_other(start):
    server = start()
    with Raw(server.endpoint) as peer:
        peer.value("add", 1, 2)
        ids = [peer.call("add", [n, 0]) for n in range(100)]
        assert seconds_to_end(server, signal.SIGTERM) < 5
        events = [peer.next(id) for id in ids]
    assert {event.name for event in events} <= {"OK", "ERR"}


def test_sighup_reads_the_log_level_again(start, tmp_path):
    config = tmp_path / "suite.toml"
    config.write_text('[suite]\nlog_level = "info"\n')
    server = start("--config", config)
    with Raw(server.endpoint) as peer:
        config.write_text('[suite]\nlog_level = "debug"\n')
        server.process.send_signal(signal.SIGHUP)
        server.await_line(r" info math reloaded log_level=debug$")
        peer.value("add", 1, 2)
        server.await_line(r" debug math call method=add\b")


def test_sighup_with_a_bad_file_changes_nothing(start, tmp_path):
    config = tmp_path / "suite.toml"
    config.write_text("")
    server = start("--config", config)
    with Raw(server.endpoint) as peer:
        config.write_text("[suite]\nlog_level = 7\n")
        server.process.send_signal(signal.SIGHUP)
        server.await_line(r" error math not reloaded reason=.*suite\.toml:2: log_level is 7; expected")
        assert peer.value("add", 1, 2) == 3
