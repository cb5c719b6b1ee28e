"""Heartbeats: one stream of them for each channel and direction. Everything here lasts for seconds and runs at once."""

import signal
import time
from contextlib import ExitStack

import pytest
import zmq

from support.background import background
from support.programs import wait_until
from support.raw import Raw, event_bytes, new_id


def beats(events, id):
    return [event for event in events if event.id == id and event.name == "_zpc_hb"]


@background
def watched_call(suite):
    """A 12 s call by a caller that beats every 4 s."""
    with Raw(suite.calm.endpoint) as raw:
        begun = time.monotonic()
        id = raw.call("slow_async", [12_000, "watched"])
        events = []
        for _ in range(4):
            events += raw.collect(4)
            raw.beat(id)
        return [(event.at - begun, event.name, event.header, event.args) for event in events if event.id == id]


def test_the_first_heartbeat_comes_within_5_seconds_and_then_one_every_5(watched_call):
    times = [at for at, name, _, _ in watched_call if name == "_zpc_hb"]
    gaps = [later - earlier for earlier, later in zip([0, *times], times)]
    assert len(times) >= 2
    assert max(gaps) <= 5.5


def test_a_heartbeat_is_an_event_like_any_other(watched_call):
    for _, name, header, args in watched_call:
        if name == "_zpc_hb":
            assert args == [0]
            assert set(header) == {"message_id", "v", "response_to"}
            assert header["v"] == 3


def test_heartbeats_end_with_the_answer(watched_call):
    names = [name for _, name, _, _ in watched_call]
    assert names.index("OK") == len(names) - 1


@background
def silent_caller(suite):
    """A caller that never beats."""
    with Raw(suite.calm.endpoint) as raw, Raw(suite.calm.endpoint) as watcher:
        id = raw.call("slow_async", [60_000, "silent"])
        fate = wait_until(lambda: ended(watcher, "silent"), 25, every=0.2)
        return fate, [event for event in raw.collect(1) if event.id == id]


@background
def announcing_caller(suite):
    """A caller that never beats, but has said that it does so every 20 s."""
    with Raw(suite.calm.endpoint) as raw:
        return raw.next(raw.call("slow_async", [17_000, "announcing"], heartbeat_ms=20_000), 25).name


@background
def caller_that_stops(suite):
    """A caller that beats for 4 s and then no more."""
    with Raw(suite.calm.endpoint) as raw, Raw(suite.calm.endpoint) as watcher:
        id = raw.call("slow_async", [60_000, "stopped"])
        for _ in range(4):
            raw.collect(1)
            raw.beat(id)
        return wait_until(lambda: ended(watcher, "stopped"), 25, every=0.2)


def ended(watcher, tag):
    fate = watcher.value("fate", tag)
    return fate if fate and fate[0] != "running" else None


def test_a_caller_that_never_beats_is_lost_after_15_seconds(silent_caller):
    (state, _, ms), events = silent_caller
    assert state == "cancelled"
    assert 14_500 <= ms <= 16_500
    assert {event.name for event in events} <= {"_zpc_hb", "ERR"}


@pytest.mark.ours
def test_a_caller_that_never_beats_is_told_why_it_waits_no_longer(silent_caller):
    _, events = silent_caller
    assert events[-1].name == "ERR"
    assert events[-1].args[0] == "LostRemote"
    assert events[-1].args[1].startswith("the client of slow_async() has sent no heartbeat in 15")


@pytest.mark.ours
def test_a_caller_that_announces_a_longer_interval_is_waited_for(announcing_caller):
    assert announcing_caller == "OK"


def test_a_caller_that_stops_beating_is_lost_10_to_15_seconds_later(caller_that_stops):
    state, _, ms = caller_that_stops
    assert state == "cancelled"
    assert 4_000 + 9_000 <= ms <= 4_000 + 16_500


@background
def version_1_call(suite):
    with Raw(suite.calm.endpoint, zmq.REQ) as req:
        req.send(event_bytes({"message_id": new_id(), "v": 1}, "slow_async", [7_000, "version 1"]))
        return req.receive(15)


def test_a_req_socket_of_version_1_makes_calls_longer_than_a_heartbeat(version_1_call):
    assert (version_1_call.name, version_1_call.args) == ("OK", ["slept"])


@background
def version_1_call_that_beats(suite):
    with Raw(suite.calm.endpoint) as raw:
        id = raw.call("slow_async", [9_000, "beating"], v=1)
        raw.collect(1)
        raw.beat(id)
        return [event.name for event in raw.collect(10) if event.id == id]


def test_a_caller_of_version_1_gets_heartbeats_once_it_sends_one(version_1_call_that_beats):
    assert version_1_call_that_beats[0] == "_zpc_hb"
    assert version_1_call_that_beats[-1] == "OK"


def long_call(client, seconds=12):
    return client.start("call", method="slow_async", args=[seconds * 1000]).result(seconds + 20)


@background
def call_by_node(suite):
    return long_call(suite.node_client(suite.calm))


@background
def call_by_python(suite):
    return long_call(suite.python_client(suite.calm))


@background
def call_by_passive_python(suite):
    return long_call(suite.python_client(suite.calm, "--passive"))


@background
def call_without_heartbeats(suite):
    return long_call(suite.python_client(suite.calm, "--heartbeat", "0"))


@background
def longer_call_of_a_client_with_long_intervals(suite):
    return long_call(suite.python_client(suite.calm, "--heartbeat", "30"), 20)


@background
def longer_call_without_heartbeats(suite):
    return long_call(suite.python_client(suite.calm, "--heartbeat", "0"), 20)


@background
def call_by_fast_python(suite):
    return long_call(suite.python_client(suite.calm, "--heartbeat", "1"))


@background
def call_by_fast_node(suite):
    return long_call(suite.node_client(suite.calm, 1000))


@background
def call_by_slow_python(suite):
    return long_call(suite.python_client(suite.calm, "--heartbeat", "9"), 24)


def test_a_12_second_call_of_a_node_client_succeeds(call_by_node):
    assert call_by_node.get("value") == "slept", call_by_node


def test_a_12_second_call_of_a_python_client_succeeds(call_by_python):
    assert call_by_python.get("value") == "slept", call_by_python


def test_a_12_second_call_of_a_passive_client_succeeds(call_by_passive_python):
    assert call_by_passive_python.get("value") == "slept", call_by_passive_python


def test_a_12_second_call_of_a_client_without_heartbeats_succeeds(call_without_heartbeats):
    assert call_without_heartbeats.get("value") == "slept", call_without_heartbeats


@pytest.mark.ours
def test_a_client_whose_heartbeat_is_too_late_gets_an_error_and_not_silence(
        longer_call_of_a_client_with_long_intervals, longer_call_without_heartbeats):
    for answer in (longer_call_of_a_client_with_long_intervals, longer_call_without_heartbeats):
        assert answer["error"]["name"] == "LostRemote"
        assert "no heartbeat" in answer["error"]["message"]


@pytest.mark.ours
def test_a_python_client_may_beat_faster_than_the_server(call_by_fast_python):
    assert call_by_fast_python.get("value") == "slept", call_by_fast_python


@pytest.mark.ours
def test_a_node_client_may_beat_faster_than_the_server(call_by_fast_node):
    assert call_by_fast_node.get("value") == "slept", call_by_fast_node


@pytest.mark.ours
def test_a_client_may_beat_slower_than_the_server(call_by_slow_python):
    assert call_by_slow_python.get("value") == "slept", call_by_slow_python


@background
def busy_handlers(suite):
    """Two handlers that compute for longer than three heartbeats, and what the server does for others meanwhile."""
    server = suite.start_peer()
    client, other = suite.python_client(server), suite.python_client(server)
    started = [client.start("call", method=method, args=[17]) for method in ("busy", "slow")]
    longest = 0
    while not all(future.done() for future in started):
        longest = max(longest, other.do("call", method="echo", args=["meanwhile"])["seconds"])
    return [future.result() for future in started], longest


@pytest.mark.ours
def test_handlers_that_block_for_17_seconds_lose_no_caller_and_hold_nobody_up(busy_handlers):
    answers, longest = busy_handlers
    assert ["value" in answer for answer in answers] == [True, True], answers
    assert longest < 2


@background
def many_long_calls(suite):
    """A thousand 20 s calls on one socket."""
    return suite.python_client(suite.start_peer()).do("burst", 60, method="slow_async", args=[20_000], count=1000)


@pytest.mark.ours
def test_a_thousand_calls_of_20_seconds_share_one_socket(many_long_calls):
    assert many_long_calls["errors"] == []
    assert many_long_calls["values"] == ["slept"] * 1000


@background
def paused_server(suite):
    """Calls of clients that went on beating while the server was stopped for longer than it waits for silent ones."""
    server = suite.start_peer(ZEROSUITE_PEER_HEARTBEAT_MS="1000")
    with ExitStack() as stack:
        clients = [stack.enter_context(Raw(server.endpoint)) for _ in range(50)]
        calls = [(client, client.call("slow_async", [8_000])) for client in clients]
        for turn in range(20):
            for client, id in calls:
                client.beat(id)
            if turn in (2, 14):
                server.process.send_signal(signal.SIGSTOP if turn == 2 else signal.SIGCONT)
            time.sleep(0.4)
        return [client.next(id).name for client, id in calls]


@pytest.mark.ours
@pytest.mark.direct
def test_a_server_that_was_paused_hears_its_callers_before_it_gives_them_up(paused_server):
    assert paused_server == ["OK"] * 50


@pytest.mark.ours
def test_a_heartbeat_is_answered_at_once_so_that_any_interval_works(raw):
    id = raw.call("slow_async", [30_000, "echoed"])
    begun = time.monotonic()
    raw.beat(id)
    assert raw.next(id, heartbeats="kept").name == "_zpc_hb"
    assert time.monotonic() - begun < 2
    raw.follow(id, "_zpx_cancel", [])


@pytest.mark.parametrize("name", ["_zpc_hb", "_zpc_more"])
@pytest.mark.ours
def test_a_heartbeat_or_grant_of_no_channel_opens_none(raw, name):
    before = raw.value("open_channels")
    for _ in range(10):
        raw.send_event({"message_id": new_id(), "v": 3}, name, [0])
    assert raw.before_echo() == []
    assert raw.value("open_channels") <= before


def test_a_short_call_costs_no_heartbeat(raw):
    ids = {raw.call("echo", [number]) for number in range(50)}
    assert all(raw.next(id, heartbeats="kept").name == "OK" for id in ids)
