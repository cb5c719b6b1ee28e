"""Message ids: echoed as they came, told apart by the peer they came from."""

import msgpack
import pytest

from support.raw import Raw, event_bytes, new_id

IDS = {
    "bin of 32": msgpack.packb(b"0123456789abcdef" * 2, use_bin_type=True),
    "bin of 4": b"\xc4\x04bin1",
    "bin of 255": b"\xc4\xff" + b"i" * 255,
    "bin with a long prefix": b"\xc5\x00\x04bin2",
    "str of 36": msgpack.packb("22b1768b-eebf-4904-81e0-000000000001"),
    "fixstr": b"\xa5short",
    "raw16 of 36": b"\xda\x00\x24" + b"00000001-aaaa-bbbb-cccc-dddddddddddd",
    "raw16 of 255": b"\xda\x00\xff" + b"r" * 255,
    "small integer": b"\x07",
    "negative integer": b"\xd1\xfc\x18",
    "64-bit integer": b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
    "true": b"\xc3",
    "float": b"\xcb\x3f\xf8" + bytes(6),
    "no bytes": b"\xc4\x00",
    "no text": b"\xa0",
    "300 bytes": b"\xc5\x01\x2c" + b"i" * 300,
    "16 000 characters": b"\xda\x3e\x80" + b"r" * 16_000,
}


def with_id(encoded, name=b"\xa4echo", args=b"\x91\x01"):
    return b"\x93\x82\xaamessage_id" + encoded + b"\xa1v\x03" + name + args


@pytest.mark.parametrize("encoded", IDS.values(), ids=IDS.keys())
def test_an_id_comes_back_as_the_same_value_of_the_same_type(raw, encoded):
    raw.send(b"", with_id(encoded))
    reply = raw.receive()
    assert (reply.name, reply.id) == ("OK", msgpack.unpackb(encoded))


@pytest.mark.ours
@pytest.mark.parametrize("encoded", IDS.values(), ids=IDS.keys())
def test_an_id_comes_back_byte_for_byte(raw, encoded):
    raw.send(b"", with_id(encoded))
    assert b"\xabresponse_to" + encoded in raw.receive().payload


@pytest.mark.parametrize("encoded", [b"\x91\x01", b"\x81\xa1a\x01", b"\x90"], ids=["list", "map", "empty list"])
def test_an_id_that_cannot_be_one_is_dropped(raw, encoded):
    raw.send(b"", with_id(encoded))
    assert raw.before_echo() == []


@pytest.mark.ours
@pytest.mark.parametrize("encoded", [b"\xc0", b"\xc5\x4e\x20" + b"i" * 20_000], ids=["nil", "20 000 bytes"])
def test_an_id_of_no_use_is_dropped(raw, encoded):
    raw.send(b"", with_id(encoded))
    assert raw.before_echo() == []


@pytest.mark.ours
def test_a_later_event_may_encode_the_id_in_another_width(raw):
    raw.send(b"", with_id(b"\x07", b"\xa5count", b"\x91\x03"))
    assert raw.receive().args == 0
    raw.send_event({"message_id": new_id(), "v": 3, "response_to": 7.0}, "_zpc_more", [1])
    raw.send(b"", b"\x93\x82\xaamessage_id\xa1x\xabresponse_to\xd3" + bytes(7) + b"\x07\xa9_zpc_more\x91\x01")
    assert [raw.receive().args for _ in range(2)] == [1, 2]


def test_an_event_without_an_id_is_dropped(raw):
    raw.send_event({"v": 3}, "echo", [1])
    assert raw.before_echo() == []


def test_ids_we_make_look_like_those_of_a_python_peer_and_never_repeat(raw):
    ids = [raw.next(raw.call("echo", [number])).header["message_id"] for number in range(100)]
    assert all(isinstance(id, bytes) and len(id) == 32 and set(id) <= set(b"0123456789abcdef") for id in ids)
    assert len(set(ids)) == 100


@pytest.mark.ours
def test_one_id_on_two_connections_is_two_channels(suite):
    id = new_id()
    with Raw(suite.peer.endpoint) as left, Raw(suite.peer.endpoint) as right:
        left.call("count", [10], id=id)
        right.call("count", [20], id=id)
        assert (left.next(id).args, right.next(id).args) == (0, 0)
        left.grant(id, 100)
        names = [left.next(id).name for _ in range(10)]
        assert names == ["STREAM"] * 9 + ["STREAM_DONE"]
        assert right.before_echo() == []
        right.grant(id, 2)
        assert [right.next(id).args, right.next(id).args] == [1, 2]
        assert right.before_echo() == []


@pytest.mark.ours
def test_an_id_in_use_opens_no_second_channel(raw):
    id = raw.call("count", [3])
    assert raw.next(id).args == 0
    raw.call("echo", ["impostor"], id=id)
    assert raw.before_echo() == []
    raw.grant(id, 10)
    assert [raw.next(id).name for _ in range(3)] == ["STREAM", "STREAM", "STREAM_DONE"]


def test_an_id_may_be_used_again_when_its_call_is_done(raw):
    id = new_id()
    assert [raw.value("echo", number, id=id) for number in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("name", ["OK", "STREAM", "_zpc_more", "_zpc_hb", "echo", "nonsense"])
def test_an_event_of_an_unknown_channel_is_dropped(raw, name):
    raw.follow(new_id(), name, [1])
    assert raw.before_echo() == []


def test_header_keys_may_come_in_any_order_and_number(raw):
    id = new_id()
    header = {"trace_id": "abc", "v": 3, "map": {"deep": [1, {"er": None}]}, "message_id": id, "n": 1.5, "b": b"\x00"}
    raw.send(b"", event_bytes(header, "echo", ["context"]))
    assert raw.next(id).args == ["context"]


def test_a_response_to_of_nil_opens_a_channel(raw):
    id = new_id()
    raw.send_event({"message_id": id, "v": 3, "response_to": None}, "echo", [1])
    assert raw.next(id).args == [1]
