"""Our client against the servers people have: stock python, stock Node, and our own."""

import math

import pytest

from support.background import background
from support.programs import wait_until

pytestmark = pytest.mark.ours


@pytest.fixture(scope="session", params=["stock_server", "node_server", "peer"])
def ours(suite, request):
    """Our client, connected to each server in turn."""
    return suite.our_client(getattr(suite, request.param))


@pytest.fixture(scope="session", params=["stock_server", "peer"])
def ours_complete(suite, request):
    """Our client, connected to each server that knows all of zerorpc."""
    return suite.our_client(getattr(suite, request.param))


@pytest.fixture(scope="session")
def ours_to_stock(suite):
    return suite.our_client(suite.stock_server)


VALUES = [None, True, 42, 42.42, -(2**31), "", "unicode é 漢字", b"\x00\xff", [1, [2, []]], {"k": [1.5, b"v"]}]


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_a_value_comes_back_as_it_was_sent(ours, value):
    answer = ours.call("echo", value)
    assert (answer, type(answer)) == (value, type(value))


@pytest.mark.parametrize("value", [2**63, 2**64 - 1, -(2**63), 3.0, math.inf, "x" * 100_000, list(range(70_000))],
                         ids=lambda value: str(value)[:20])
def test_a_large_value_comes_back_as_it_was_sent(ours_complete, value):
    answer = ours_complete.call("echo", value)
    assert (answer, type(answer)) == (value, type(value))


def test_a_waiting_call_gets_its_value_too(ours):
    assert ours.do("wait", method="echo", args=["direct"])["value"] == "direct"


def test_an_error_of_the_server_has_its_name_and_message(ours):
    error = ours.error("boom", "NoSuchTag", "tag a")
    assert (error.name, error.message) == ("NoSuchTag", "tag a")


def test_a_python_server_sends_its_traceback_along(ours_to_stock):
    assert ours_to_stock.error("boom", "KeyError", "k").traceback.startswith("Traceback (most recent call last):")


def test_an_unknown_method_is_a_name_error(ours_complete):
    error = ours_complete.error("nosuch")
    assert (error.name, error.message) == ("NameError", "nosuch")


@pytest.mark.direct
def test_an_unknown_method_of_a_node_server_runs_into_the_time_out(suite):
    client = suite.our_client(suite.node_server)
    assert client.error("nosuch", timeout=0.3).name == "TimeoutExpired"


def test_a_call_times_out_when_asked_to(ours):
    answer = ours.do("call", method="slow_async", args=[5_000], timeout=0.3)
    assert answer["error"]["name"] in ("TimeoutExpired", "DeadlineExceeded")
    assert 0.29 <= answer["seconds"] < 2


@pytest.mark.parametrize("length", [0, 1, 2, 99, 100, 101, 260, 5_000])
def test_a_stream_arrives_whole_and_in_order(ours_complete, length):
    assert ours_complete.items("count", length) == list(range(length))


@pytest.mark.parametrize("length", [1, 2, 100, 101, 260, 20_000])
def test_a_stream_of_a_node_server_arrives_whole_and_in_order(suite, length):
    # What a stock server sends beyond its queue is dropped without a word: our window must be smaller.
    client = suite.our_client(suite.node_server)
    assert client.items("count", length) == list(range(length))


@pytest.mark.parametrize("slots", [2, 3, 10, 100])
def test_a_small_window_is_enough_for_a_stream(suite, slots):
    for server in (suite.stock_server, suite.node_server, suite.peer):
        assert suite.our_client(server, 5_000, slots).items("count", 300) == list(range(300))


@pytest.mark.parametrize("length", [0, 1, 100, 101])
def test_an_error_ends_a_stream_behind_its_last_item(ours, length):
    answer = ours.stream("fail_after", length)
    assert answer["items"] == list(range(length))
    assert (answer["error"]["name"], answer["error"]["message"]) == ("ValueError", f"no more after {length}")


def test_hundreds_of_calls_share_a_connection(ours):
    answer = ours.do("burst", method="slow_async", args=[50], count=300)
    assert answer["errors"] == []
    assert answer["values"] == ["slept"] * 300
    assert answer["seconds"] < 10


def test_a_value_where_a_stream_was_expected_is_a_protocol_error(ours):
    assert ours.stream("echo", 1)["error"]["name"] == "ProtocolError"


def test_a_stream_where_a_value_was_expected_is_a_protocol_error(ours):
    assert ours.error("count", 3).name == "ProtocolError"


def test_a_call_is_cancelled_in_milliseconds(suite):
    client, watcher = suite.our_client(suite.peer), suite.our_client(suite.peer)
    started = client.start("call", method="slow_async", args=[60_000, "stopped by us"])
    wait_until(lambda: watcher.call("fate", "stopped by us"))
    client.do("cancel", call=1)
    assert started.result(5)["error"]["name"] == "Cancelled"
    state, _, ms = wait_until(lambda: ended(watcher, "stopped by us"))
    assert (state, ms < 5_000) == ("cancelled", True)


def test_letting_go_of_a_stream_ends_it_at_the_server(suite):
    client = suite.our_client(suite.peer)
    assert client.stream("endless", "let go", take=10)["items"] == list(range(10))
    state, sent, ms = wait_until(lambda: ended(client, "let go"))
    assert (state, ms < 5_000) == ("cancelled", True)
    assert sent <= 1 + 1000


def test_a_time_out_tells_the_server_to_stop(suite):
    client = suite.our_client(suite.peer)
    assert client.error("slow_async", 60_000, "timed out", timeout=0.2).name in ("TimeoutExpired", "DeadlineExceeded")
    assert wait_until(lambda: ended(client, "timed out"))[0] == "cancelled"


def ended(client, tag):
    fate = client.call("fate", tag)
    return fate if fate and fate[0] != "running" else None


def test_a_call_to_a_server_that_has_gone_times_out(suite):
    first = suite.start_stock("server")
    client = suite.our_client(first)
    assert client.call("echo", 1) == 1
    first.kill()
    assert client.error("echo", 2, timeout=0.3).name == "TimeoutExpired"


def long_call(server, suite, heartbeat_ms=5_000):
    return suite.our_client(server, heartbeat_ms).do("call", 40, method="slow_async", args=[12_000])


@background
def long_call_of_stock_server(suite):
    return long_call(suite.start_stock("server"), suite)


@background
def long_call_of_node_server(suite):
    return long_call(suite.node_server, suite)


@background
def long_call_of_our_server(suite):
    return long_call(suite.calm, suite)


@background
def long_call_with_fast_heartbeats(suite):
    return long_call(suite.calm, suite, 1_000)


@background
def long_call_without_heartbeats(suite):
    return long_call(suite.calm, suite, 0)


@pytest.fixture(params=["long_call_of_stock_server", "long_call_of_node_server", "long_call_of_our_server",
                        "long_call_with_fast_heartbeats", "long_call_without_heartbeats"])
def long_answer(request):
    return request.getfixturevalue(request.param)


def test_a_12_second_call_succeeds(long_answer):
    assert long_answer.get("value") == "slept", long_answer


@background
def killed_server(suite):
    server = suite.start_stock("server")
    client = suite.our_client(server, 1_000)
    started = client.start("call", method="slow_async", args=[60_000, "killed"], timeout=60)
    wait_until(lambda: client.call("fate", "killed"))
    server.kill()
    return started.result(40)


def test_a_server_that_dies_is_lost_after_its_heartbeats_stop(killed_server):
    assert killed_server["error"]["name"] == "LostRemote"
    assert killed_server["seconds"] < 10
