"""Input no honest peer sends: the server drops or refuses it, stays as it was, and goes on."""

import random
import socket
import struct
import time

import msgpack
import pytest
import zmq

from support import vectors
from support.background import background
from support.programs import SMALL_QUARANTINE, sanitized, wait_until
from support.raw import Raw, event_bytes, new_id, pack

ROOM = 4 if sanitized("zerosuite-math") else 1  # bounds on memory are for the real thing
HEADER = b"\x82\xaamessage_id\xc4\x04abcd\xa1v\x03"


def header(id):
    return {"message_id": id, "v": 3}


@pytest.mark.parametrize("payload", [
    b"\xc1", b"\x93", b"\x93\x82", b"\x93" + HEADER[:15], b"\x93\xde\xff\xff", b"\x93\xdf\xff\xff\xff\xff\xa1a",
    b"\x93\x81\xdb\xff\xff\xff\xffabc", b"\xdd\xff\xff\xff\xff", b"\xff" * 64, b"\x00" * 64, bytes(range(256)),
    b"GET / HTTP/1.1\r\n\r\n", b"\x91" * 100_000, b"\x81" * 100_000,
], ids=lambda payload: payload[:6].hex())
def test_garbage_is_dropped(raw, payload):
    raw.send(b"", payload)
    assert raw.before_echo() == []


@pytest.mark.parametrize("payload", vectors.CLIENT_PAYLOADS, ids=lambda payload: payload[-8:].hex())
def test_an_event_cut_short_anywhere_leaves_the_server_well(raw, payload):
    for length in range(len(payload)):
        raw.send(b"", payload[:length])
    for reply in raw.before_echo():
        assert reply.name == "ERR"


@pytest.mark.ours
@pytest.mark.parametrize("args", [
    b"", b"\x91", b"\x92\x01", b"\x91\xa5abc", b"\x91\xdb\xff\xff\xff\xff", b"\x91\xc6\xff\xff\xff\xff",
    b"\xdd\xff\xff\xff\xff\x01", b"\x91\xc1", b"\x91\xdf\xff\xff\xff\xff",
], ids=lambda args: args.hex() or "none")
def test_damage_behind_the_id_is_answered_with_an_error(raw, args):
    id = new_id()
    raw.send(b"", event_bytes(header(id), "echo", args))
    assert raw.next(id).name == "ERR"


@pytest.mark.ours
@pytest.mark.parametrize("text", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"], ids=bytes.hex)
def test_text_that_is_not_utf_8_is_answered_with_an_error(raw, text):
    id = new_id()
    raw.send(b"", event_bytes(header(id), "echo", b"\x91" + bytes([0xA0 | len(text)]) + text))
    assert raw.next(id).name == "ERR"


@pytest.mark.ours
def test_a_method_name_that_is_no_text_is_answered_with_an_error(raw):
    for name in (b"\x07", b"\xc0", b"\x91\xa4echo", b"\xa1\xff"):
        id = new_id()
        raw.send(b"", event_bytes(header(id), name, [1]))
        assert raw.next(id).name == "ERR"


def nested(depth):
    return b"\x91" * depth + b"\x01"


@pytest.mark.ours
def test_values_may_nest_but_not_without_end(raw):
    for depth, name in [(60, "OK"), (65, "ERR"), (1_000, "ERR"), (1_000_000, "ERR")]:
        id = new_id()
        raw.send(b"", event_bytes(header(id), "echo", b"\x91" + nested(depth)))
        assert raw.next(id, 30).name == name


@pytest.mark.ours
def test_small_bytes_cannot_become_big_objects(raw):
    id = new_id()
    raw.send(b"", event_bytes(header(id), "echo", b"\x91\xdd" + struct.pack(">I", 5 << 20) + b"\xc0" * (5 << 20)))
    assert raw.next(id, 30).name == "ERR"


@pytest.mark.ours
def test_a_call_above_the_frame_limit_is_told_so(raw):
    id = raw.call("echo", [b"x" * (17 << 20)])
    name, _, _ = raw.next(id, 30).args
    assert name == "TooLarge"
    assert raw.value("echo", "still there") == "still there"


@pytest.mark.ours
def test_a_header_above_its_limit_is_told_so_and_kept_by_nobody(suite):
    server = suite.start_peer()
    before = server.resident_kib()
    with Raw(server.endpoint) as raw:
        ids = [raw.call("slow_async", [20_000], v=None, pad=b"p" * (1 << 20)) for _ in range(100)]
        assert all("TooLarge" in raw.next(id, 30).args[0] for id in ids)
        ids = [raw.call("slow_async", [20_000], v=None, pad=b"p" * 15_000) for _ in range(2_000)]
        assert raw.value("echo", 1, seconds=30) == 1
        assert raw.value("open_channels") >= 2_000
    # The messages themselves pass through libzmq's queues; 30 MB of headers must not stay.
    assert server.resident_kib() - before < 60_000 * ROOM


@pytest.mark.ours
def test_blocking_calls_of_one_client_take_neither_all_threads_nor_all_places(suite):
    server = suite.start_peer(ZEROSUITE_PEER_BLOCKING_THREADS="2", ZEROSUITE_PEER_BLOCKING_QUEUE="62")
    with Raw(server.endpoint) as hog, Raw(server.endpoint) as other:
        ids = [hog.call("slow", [60]) for _ in range(100)]
        assert hog.next(ids[-1]).args[0] == "Overloaded"
        begun = time.monotonic()
        assert [other.value("slow", 0) for _ in range(10)] == ["slept"] * 10
        assert time.monotonic() - begun < 2


@pytest.mark.ours
def test_answers_that_nobody_reads_are_bounded_in_bytes(suite):
    server = suite.start_peer(ZEROSUITE_PEER_MAX_HELD_BYTES=str(16 << 20))
    before = server.resident_kib()
    with Raw(server.endpoint) as other, zmq.Context() as context, context.socket(zmq.DEALER) as deaf:
        deaf.linger = 0
        deaf.rcvhwm = 1
        deaf.connect(server.endpoint)
        for number in range(1_000):
            deaf.send_multipart([b"", event_bytes(header(b"%04d" % number), "big", [1 << 20])])
        worst = 0
        for number in range(30):
            assert other.value("echo", number) == number
            worst = max(worst, server.resident_kib() - before)
            time.sleep(0.1)
        assert worst < (64 << 10) * ROOM, worst


@pytest.mark.ours
def test_a_client_that_asks_for_much_at_once_and_reads_gets_it_all(suite):
    # A proxy cannot hold back what its workers are already at: it has room for all of it.
    server = suite.start_peer({"ZEROSUITE_PROXY_MAX_HELD_BYTES": str(128 << 20)}, ZEROSUITE_PEER_MAX_HELD_BYTES=str(16 << 20))
    with Raw(server.endpoint) as raw:
        ids = [raw.call("big", [1 << 20]) for _ in range(100)]
        for id in ids:
            assert len(raw.next(id, 30).args[0]) == 1 << 20


@pytest.mark.ours
def test_a_frame_of_twice_the_limit_costs_its_sender_the_connection(suite):
    with Raw(suite.peer.endpoint) as raw, Raw(suite.peer.endpoint) as bystander:
        watcher = raw.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        assert raw.value("echo", 1) == 1
        raw.call("echo", [b"x" * (33 << 20)])
        assert watcher.poll(20_000), "the connection is still there"
        raw.socket.disable_monitor()
        assert bystander.value("echo", "still there") == "still there"


@pytest.mark.ours
def test_an_answer_above_the_frame_limit_is_an_error(raw):
    assert len(raw.value("big", 15 << 20, seconds=30)) == 15 << 20
    assert raw.error("big", 17 << 20)[0] == "TooLarge"


@pytest.mark.parametrize("greeting", [b"", b"\xff", b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 64, b"\xff" + bytes(8) + b"\x7f"])
def test_a_connection_that_does_not_speak_zmtp_disturbs_nobody(raw, suite, greeting):
    host, port = suite.peer.endpoint.removeprefix("tcp://").split(":")
    with socket.create_connection((host, int(port))) as plain:
        plain.sendall(greeting)
        assert raw.value("echo", 1) == 1


@pytest.mark.parametrize("name", ["OK", "ERR", "STREAM", "STREAM_DONE", "_zpx_anything", "echo"])
def test_an_event_a_client_should_not_send_on_its_channel_is_borne(raw, name):
    id = raw.call("count", [3])
    assert raw.next(id).args == 0
    raw.follow(id, name, [1])
    raw.grant(id, 10)
    assert [raw.next(id).name for _ in range(3)] == ["STREAM", "STREAM", "STREAM_DONE"]


def mutate(chance, payload):
    """One to four small damages."""
    data = bytearray(payload)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data)) if data else 0
        kind = chance.randrange(5)
        if kind == 0 and data:
            data[place] = chance.randrange(256)
        elif kind == 1 and data:
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 2:
            data[place:place] = chance.randbytes(chance.randint(1, 8))
        elif kind == 3:
            del data[place:place + chance.randint(1, 8)]
        else:
            data[place:place] = data[chance.randrange(len(data) or 1):][:16]
    return bytes(data)


@pytest.mark.ours
@pytest.mark.parametrize("seed", range(4))
def test_damaged_events_never_stop_the_server(suite, seed):
    chance = random.Random(seed)
    with Raw(suite.peer.endpoint) as sender, Raw(suite.peer.endpoint) as bystander:
        for number in range(5_000):
            sender.send(b"", mutate(chance, chance.choice(vectors.CLIENT_PAYLOADS)))
            if number % 500 == 0:
                assert bystander.value("echo", number) == number
        assert bystander.value("echo", "well") == "well"


@pytest.mark.ours
@pytest.mark.direct
def test_what_was_dropped_is_counted(suite):
    with Raw(suite.start_peer().endpoint) as raw:
        for _ in range(7):
            raw.send(b"", b"\xc1")
        raw.follow(new_id(), "OK", [1])
        assert raw.before_echo() == []
        assert sum(raw.value("faults").values()) == 7
        assert sum(raw.value("drops").values()) == 1


@background
def memory_of_visitors(suite):
    """Resident KiB after each of five thousands of clients."""
    # Frequent heartbeats, since one is how the server finds out that the client of a stream has left.
    server = suite.start_peer(ZEROSUITE_PEER_HEARTBEAT_MS="500", **SMALL_QUARANTINE)
    memory = []
    for _ in range(5):
        for _ in range(5):
            crowd(server.endpoint, 200)
        with Raw(server.endpoint) as raw:
            wait_until(lambda: raw.value("open_channels") == 0, 20)
        memory.append(server.resident_kib())
    return memory


def crowd(endpoint, size):
    """Clients that all are there at once, call, begin to read a stream, and leave."""
    clients = [Raw(endpoint) for _ in range(size)]
    for number, raw in enumerate(clients):
        assert raw.value("echo", number) == number
        id = raw.call("count", [1000])
        assert raw.next(id).args == 0
    for raw in clients:
        raw.close()


@pytest.mark.ours
def test_thousands_of_clients_that_come_and_go_leave_no_memory_behind(memory_of_visitors):
    growth = [later - earlier for earlier, later in zip(memory_of_visitors, memory_of_visitors[1:])]
    # Allocators take and return memory in leaps; what grows with every thousand is a leak.
    assert min(growth) < 1024, memory_of_visitors
    assert sum(growth) < 12 * 1024, memory_of_visitors


def test_extra_keys_of_middleware_are_accepted(raw_math):
    raw_math.send(b"", vectors.PYTHON_CONTEXT)
    reply = raw_math.next(b"1b4a7043a66a487684af3fe503688838")
    assert reply.name == "ERR" and reply.args[0] == "TypeError"
    assert raw_math.value("add", 1, 2, traceparent="00-0af7-b7ad-01", trace_id=b"\xff\xfe", deep={"a": [1]}) == 3


def test_a_payload_may_be_packed_wastefully(raw):
    id = new_id()
    wasteful = (b"\xdd\x00\x00\x00\x03\xdf\x00\x00\x00\x02\xdb\x00\x00\x00\x0amessage_id" + pack(id) +
                b"\xd9\x01v\xcf\x00\x00\x00\x00\x00\x00\x00\x03\xdb\x00\x00\x00\x04echo\xdd\x00\x00\x00\x01\xd3" +
                struct.pack(">q", 7))
    raw.send(b"", wasteful)
    assert raw.next(id).args == [7]
    assert msgpack.unpackb(wasteful)[1] == "echo"
