"""What our client bears, and what it does on the wire, seen from a server made by hand."""

import time

import pytest
import zmq

from support.background import background
from support.fake_server import FakeServer
from support.programs import wait_until
from support.raw import event_bytes, new_id

pytestmark = [pytest.mark.ours, pytest.mark.direct]


@pytest.fixture
def server():
    with FakeServer() as fake:
        yield fake


@pytest.fixture
def client(suite, server):
    return suite.our_client(server)


def start(client, op="call", **options):
    return client.start(op, method="anything", args=[1], **options)


def outcome(future):
    answer = future.result(15)
    return answer["value"] if "value" in answer else answer["error"]["name"]


def test_a_call_looks_like_one_of_a_python_client(client, server):
    start(client)
    call = server.receive()
    assert (call.name, call.args) == ("anything", [1])
    assert len(call.frames) == 2 and call.frames[1] == b""
    assert call.payload.startswith(b"\x93")
    assert call.payload[2:15] == b"\xaamessage_id\xc4\x20"
    assert call.header["v"] == 3
    assert "response_to" not in call.header
    assert set(call.header) <= {"message_id", "v", "timeout_ms"}


def test_the_id_may_come_back_as_text(client, server):
    future = start(client)
    call = server.receive()
    server.answer(call, "OK", ["text id"], response_to=call.header["message_id"].decode())
    assert outcome(future) == "text id"


@pytest.mark.parametrize("header", [{"v": None}, {"v": 1}, {"v": 4}, {"trace_id": "x", "n": [1, {"a": 2}]}], ids=str)
def test_an_answer_of_any_version_and_with_any_header_is_taken(client, server, header):
    future = start(client)
    server.answer(server.receive(), "OK", ["taken"], **header)
    assert outcome(future) == "taken"


@pytest.mark.parametrize("args, name, message", [
    (["KeyError", "'k'", None], "KeyError", "'k'"),
    (["KeyError", "'k'", ""], "KeyError", "'k'"),
    (["ValueError('no')"], "RemoteError", "ValueError('no')"),
    (["a text of Go", None, None], "RemoteError", "a text of Go"),
], ids=str)
def test_an_error_of_any_known_form_is_taken(client, server, args, name, message):
    future = start(client)
    server.answer(server.receive(), "ERR", args, **({"v": 1} if len(args) == 1 else {}))
    error = future.result(15)["error"]
    assert (error["name"], error["message"]) == (name, message)


@pytest.mark.parametrize("name, args", [
    ("OK", []), ("OK", None), ("OK", "bare"), ("ERR", []), ("ERR", ["a", "b"]), ("ERR", 7), ("ERR", [1, 2, 3]),
    ("WHAT", [1]), ("_zpx_strange", []),
], ids=str)
def test_an_answer_that_is_not_zerorpc_is_a_protocol_error(client, server, name, args):
    future = start(client)
    call = server.receive()
    server.answer(call, name, args)
    assert outcome(future) == "ProtocolError"
    follow_up = start(client)
    server.answer(server.receive_named("anything"), "OK", ["well"])
    assert outcome(follow_up) == "well"


@pytest.mark.parametrize("end", [None, [], [1], "x", {"a": 1}], ids=str)
def test_the_end_of_a_stream_may_carry_anything(client, server, end):
    future = start(client, "stream")
    call = server.receive()
    server.answer(call, "STREAM", "only")
    assert server.receive_named("_zpc_more").id == call.header["message_id"]
    server.answer(call, "STREAM_DONE", end)
    assert future.result(15)["items"] == ["only"]


def test_heartbeats_before_and_after_an_answer_are_borne(client, server):
    future = start(client)
    call = server.receive()
    server.answer(call, "_zpc_hb", None)
    server.answer(call, "_zpc_hb", [0])
    server.answer(call, "OK", [1])
    for name in ("_zpc_hb", "_zpc_more", "OK", "STREAM"):
        server.answer(call, name, [0])
    assert outcome(future) == 1
    follow_up = start(client)
    server.answer(server.receive(), "OK", [2])
    assert outcome(follow_up) == 2


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x93", b"\x92\x80\xa2OK", event_bytes({"v": 3}, "OK", [1]),
                                     event_bytes({"message_id": new_id(), "v": 3}, "OK", [1]), b"\xff" * 100],
                         ids=lambda payload: payload[:8].hex() or "empty")
def test_garbage_does_not_disturb_a_call(client, server, payload):
    future = start(client)
    call = server.receive()
    server.send(call, payload)
    server.answer(call, "OK", ["well"])
    assert outcome(future) == "well"


def test_an_answer_to_somebody_else_is_not_taken(client, server):
    future = start(client)
    call = server.receive()
    server.answer(call, "OK", ["wrong"], response_to=new_id())
    server.answer(call, "OK", ["wrong"], response_to=7)
    server.answer(call, "OK", ["right"])
    assert outcome(future) == "right"


def test_answers_may_come_in_any_order(client, server):
    futures = [start(client) for _ in range(20)]
    calls = [server.receive() for _ in range(20)]
    for number, call in reversed(list(enumerate(calls))):
        server.answer(call, "OK", [number])
    assert [outcome(future) for future in futures] == list(range(20))


def test_nothing_is_granted_before_an_item_was_taken_and_never_more_than_the_window(suite, server):
    client = suite.our_client(server, 5_000, 10)
    future = start(client, "stream")
    call = server.receive()
    credit, sent, granted = 1, 0, 0
    while sent < 100:
        while credit > 0 and sent < 100:
            server.answer(call, "STREAM", sent)
            credit, sent = credit - 1, sent + 1
        if sent < 100:
            grant = server.receive_named("_zpc_more").args[0]
            granted += grant
            credit += grant
            assert 0 < grant <= 10 and credit <= 10
    assert granted >= 99
    if credit == 0:
        server.receive_named("_zpc_more")
    server.answer(call, "STREAM_DONE", None)
    assert future.result(15)["items"] == list(range(100))


def test_a_server_that_sends_more_than_it_was_granted_is_not_kept_up_with(client, server):
    future = start(client, "stream")
    call = server.receive()
    for number in range(5_000):
        server.answer(call, "STREAM", number)
    assert future.result(15)["error"]["name"] == "ProtocolError"
    assert server.receive_named("_zpx_cancel").id == call.header["message_id"]


def test_the_usual_window_is_half_of_what_a_stock_server_queues(client, server):
    # libzmq counts what was read in steps of half its limit, 1 000 messages: a stock ROUTER that sends more than 500
    # ahead may find its queue full, and then drops items without a word.
    start(client, "stream")
    call = server.receive()
    server.answer(call, "STREAM", 0)
    assert server.receive_named("_zpc_more").args[0] <= 500


@background
def silent_server(suite):
    """What our client does when nothing ever comes back."""
    with FakeServer() as server:
        future = start(suite.our_client(server), timeout=60)
        call = server.receive()
        begun = time.monotonic()
        events = [(event.at - begun, event) for event in server.collect(18)]
        return call, events, future.result(15)


def test_our_client_beats_every_5_seconds_and_gives_a_silent_server_up_after_15(silent_server):
    call, events, answer = silent_server
    beats = [at for at, event in events if event.name == "_zpc_hb"]
    assert len(beats) >= 2
    assert 3.9 <= beats[0] <= 5.5
    assert all(event.id == call.header["message_id"] and event.args == [0] for _, event in events
               if event.name == "_zpc_hb")
    assert answer["error"]["name"] == "LostRemote"
    assert 9.5 <= answer["seconds"] <= 16


@background
def server_that_sends_but_never_beats(suite):
    with FakeServer() as server:
        client = suite.our_client(server, 500, 100)
        future = start(client, "stream")
        call = server.receive()
        for number in range(8):
            server.answer(call, "STREAM", number)
            server.collect(0.5)
        server.answer(call, "STREAM_DONE", None)
        return future.result(15)


def test_any_event_is_a_sign_of_life_to_our_client(server_that_sends_but_never_beats):
    assert server_that_sends_but_never_beats["items"] == list(range(8))
    assert "error" not in server_that_sends_but_never_beats


def test_a_server_that_starts_later_is_waited_for(suite):
    with FakeServer() as first:
        pass  # its port is free again
    client = suite.our_client(first)
    future = start(client)
    wait_until(lambda: rebound(first.endpoint, future))


def rebound(endpoint, future):
    """Serves one call where a server was before; false while the port is not free yet."""
    try:
        with FakeServer(endpoint) as second:
            second.answer(second.receive(), "OK", ["second"])
            return outcome(future) == "second"
    except zmq.ZMQError:
        return False


def test_a_client_that_gives_up_says_so(client, server):
    future = start(client)
    call = server.receive()
    client.do("cancel", call=1)
    assert outcome(future) == "Cancelled"
    assert server.receive_named("_zpx_cancel").id == call.header["message_id"]
