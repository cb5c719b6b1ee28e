"""How a message's frames are read."""

import msgpack
import pytest
import zmq

from support import vectors
from support.raw import Raw, event_bytes, new_id


def call(name, args, **header):
    id = new_id()
    return id, event_bytes({"message_id": id, "v": 3, **header}, name, args)


def test_a_call_without_a_delimiter_is_answered_with_one(raw):
    id, payload = call("echo", ["two frames"])
    raw.send(payload)
    reply = raw.next(id)
    assert (reply.frames, reply.args) == ([b""], ["two frames"])


def test_a_call_with_a_delimiter_is_answered_with_one(raw):
    id, payload = call("echo", ["three frames"])
    raw.send(b"", payload)
    reply = raw.next(id)
    assert (reply.frames, reply.args) == ([b""], ["three frames"])


def test_what_stands_where_the_delimiter_belongs_is_not_looked_at(raw):
    id, payload = call("echo", ["filled"])
    raw.send(b"not empty", payload)
    reply = raw.next(id)
    assert (reply.frames, reply.args) == ([b""], ["filled"])


@pytest.mark.parametrize("hops", [[b"client"], [b"proxy", b"client"], [b"%d" % hop for hop in range(15)]])
def test_every_identity_of_the_way_is_echoed_in_order(raw, hops):
    id, payload = call("echo", [1])
    raw.send(*hops, b"", payload)
    assert raw.next(id).frames == [*hops, b""]


def test_the_last_but_one_of_many_frames_counts_as_the_delimiter(raw):
    id, payload = call("echo", [1])
    raw.send(b"a", b"b", b"c", payload)
    assert raw.next(id).frames == [b"a", b"b", b""]


@pytest.mark.ours
def test_an_envelope_above_the_limit_is_dropped(raw):
    _, payload = call("echo", [1])
    raw.send(*[b"hop"] * 16, b"", payload)
    assert raw.before_echo() == []


def test_a_message_of_no_payload_is_dropped(raw):
    raw.send(b"", b"")
    assert raw.before_echo() == []


def test_bytes_behind_the_event_are_not_looked_at(raw):
    id, payload = call("echo", ["first"])
    raw.send(b"", payload + b"\x93\x80\xa0\xc0 and more")
    assert raw.next(id).args == ["first"]


@pytest.mark.ours
def test_two_routes_behind_one_connection_are_two_peers(raw):
    id = new_id()
    payload = event_bytes({"message_id": id, "v": 3}, "count", [5])
    raw.send(b"left", b"", payload)
    raw.send(b"right", b"", payload)
    first, second = raw.next(id), raw.next(id)
    assert {first.frames[0], second.frames[0]} == {b"left", b"right"}
    assert first.args == second.args == 0


def test_a_req_socket_makes_short_calls(suite):
    with Raw(suite.peer.endpoint, zmq.REQ) as req:
        for number in range(3):
            req.send(event_bytes({"message_id": new_id(), "v": 1}, "echo", [number]))
            reply = req.receive()
            assert (reply.frames, reply.name, reply.args) == ([], "OK", [number])


def test_the_call_of_a_python_client_is_answered_byte_for_byte(raw_math):
    raw_math.send(b"", vectors.PYTHON_ADD)
    reply = raw_math.next(vectors.PYTHON_ID)
    assert reply.payload.startswith(b"\x93\x83\xaamessage_id\xc4\x20")
    assert reply.payload[47:] == b"\xa1v\x03\xabresponse_to\xc4\x20" + vectors.PYTHON_ID + b"\xa2OK\x91\x07"


def test_the_call_of_a_node_client_is_answered_byte_for_byte(raw_math):
    raw_math.send(b"", vectors.NODE_ADD)
    reply = raw_math.next(vectors.NODE_ID)
    assert reply.payload[47:] == b"\xa1v\x03\xabresponse_to\xd9\x24" + vectors.NODE_ID.encode() + b"\xa2OK\x91\x07"


@pytest.mark.parametrize("payload", [
    b"\x92" + msgpack.packb({"message_id": b"x" * 32, "v": 3}) + b"\xa4echo",
    b"\x94" + msgpack.packb({"message_id": b"x" * 32, "v": 3}) + b"\xa4echo\x91\x01\xc0",
    b"\x93\xc0\xa4echo\x91\x01",
    msgpack.packb("not an array"),
], ids=["two elements", "four elements", "no header map", "no array"])
def test_what_is_no_event_is_dropped(raw, payload):
    raw.send(b"", payload)
    assert raw.before_echo() == []
