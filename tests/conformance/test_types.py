"""Values on their way through an echo: what stock clients send comes back as they would read it from each other."""

import math

import msgpack
import pytest

from support.raw import event_bytes, new_id

PLAIN = {
    "nil": None, "true": True, "false": False,
    "zero": 0, "fixint": 127, "uint8": 255, "uint16": 65535, "uint32": 2**32 - 1, "uint64": 2**64 - 1,
    "negative fixint": -32, "int8": -128, "int16": -32768, "int32": -(2**31), "int64": -(2**63),
    "float": 42.42, "integral float": 3.0, "infinity": math.inf,
    "empty text": "", "text": "hello", "unicode": "é 漢字 🙂", "text of 31": "x" * 31, "text of 32": "x" * 32,
    "text of 256": "x" * 256, "text of 70 000": "x" * 70_000, "text with a zero": "a\0b",
    "no bytes": b"", "bytes": b"\x00\xff\x80", "bytes of 256": bytes(range(256)), "bytes of 70 000": b"\xff" * 70_000,
    "empty list": [], "list": [1, "two", [3, [None]]], "list of 16": list(range(16)),
    "list of 70 000": list(range(70_000)),
    "empty map": {}, "map": {"k": b"v", "n": {"deep": [1.5]}}, "map of 16": {str(n): n for n in range(16)},
}
#: What Node's client sends or reads otherwise: its numbers are doubles.
BEYOND_NODE = {"uint64", "int64", "infinity"}


@pytest.mark.parametrize("value", PLAIN.values(), ids=PLAIN.keys())
def test_a_python_client_gets_back_what_it_sent(python, value):
    answer = python.call("echo", value)
    assert (answer, type(answer)) == (value, type(value))


@pytest.mark.parametrize("value", [PLAIN[name] for name in PLAIN if name not in BEYOND_NODE],
                         ids=[name for name in PLAIN if name not in BEYOND_NODE])
def test_a_node_client_gets_back_what_it_sent(node, value):
    answer = node.call("echo", value)
    assert answer == value
    assert isinstance(answer, bytes) == isinstance(value, bytes)


@pytest.mark.parametrize("value", [*PLAIN.values(), [*PLAIN.values()]], ids=[*PLAIN.keys(), "all at once"])
def test_the_bytes_of_a_value_are_those_a_python_peer_would_send(raw, value):
    id = raw.call("echo", [value])
    packed = msgpack.packb([value], use_bin_type=True)
    assert raw.next(id).payload.endswith(b"\xa2OK" + packed)


def test_not_a_number_stays_what_it_is(python):
    assert math.isnan(python.call("echo", math.nan))


@pytest.mark.parametrize("number", [2**31 - 1, 2**31, 3_000_000_000, -(2**31) - 1, 2**53, 2**53 - 1])
def test_a_node_client_gets_its_large_integers_back(node, number):
    assert node.call("echo", number) == number


@pytest.mark.parametrize("number", [3_000_000_000, 2**52, -(2**40)])
def test_a_large_integer_of_a_node_client_is_an_integer_to_a_method(node_math, number):
    assert node_math.call("add", number, 1) == number + 1


@pytest.mark.ours
def test_a_method_takes_an_integral_float_for_an_integer(raw_math):
    assert raw_math.value("factorial", 5.0) == 120
    assert raw_math.error("factorial", 5.5)[0] == "TypeError"


@pytest.mark.parametrize("encoded", [
    b"\xd9\x05hello", b"\xda\x00\x05hello", b"\xdb\x00\x00\x00\x05hello",
], ids=["str8", "raw16", "raw32"])
def test_text_of_any_encoding_is_text(raw, encoded):
    id = new_id()
    raw.send(b"", event_bytes({"message_id": id, "v": 3}, "echo", b"\x91" + encoded))
    assert raw.next(id).args == ["hello"]


@pytest.mark.parametrize("encoded, number", [
    (b"\xcc\x05", 5), (b"\xcd\x00\x05", 5), (b"\xce\x00\x00\x00\x05", 5), (b"\xcf" + bytes(7) + b"\x05", 5),
    (b"\xd0\x05", 5), (b"\xd1\xff\xff", -1), (b"\xd2\xff\xff\xff\xff", -1), (b"\xd3" + b"\xff" * 8, -1),
    (b"\xca\x3f\x80\x00\x00", 1.0),
], ids=["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32"])
def test_a_number_of_any_encoding_is_the_number(raw, encoded, number):
    id = new_id()
    raw.send(b"", event_bytes({"message_id": id, "v": 3}, "echo", b"\x91" + encoded))
    assert raw.next(id).args == [number]


@pytest.mark.parametrize("name", [b"\xa4echo", b"\xd9\x04echo", b"\xda\x00\x04echo", b"\xdb\x00\x00\x00\x04echo"],
                         ids=["fixstr", "str8", "raw16", "raw32"])
def test_a_method_name_of_any_text_encoding_is_found(raw, name):
    id = new_id()
    raw.send(b"", event_bytes({"message_id": id, "v": 3}, name, [1]))
    assert raw.next(id).args == [1]


def test_header_keys_of_the_old_raw_kind_are_read(raw):
    raw.send(b"", b"\x93\x82\xda\x00\x0amessage_id\xda\x00\x024f\xa1v\x02\xda\x00\x04echo\xdc\x00\x01\x07")
    reply = raw.receive()
    assert (reply.id, reply.name, reply.args) == ("4f", "OK", [7])


@pytest.mark.parametrize("value", [msgpack.ExtType(13, b"\0" * 8), msgpack.ExtType(0x11, b"abc"),
                                   msgpack.ExtType(5, b"x" * 300)], ids=["date", "typed array", "long"])
def test_an_extension_passes_through(raw, value):
    assert raw.value("echo", value) == value


def test_a_timestamp_passes_through(raw):
    assert raw.value("echo", msgpack.Timestamp(1, 2)) == msgpack.Timestamp(1, 2)


def test_a_tuple_comes_as_a_list(client):
    assert client.call("tuple") == [1, [2, 3]]


def test_bytes_come_as_bytes(client):
    assert client.call("bytes") == b"\x00\xff\x80"


def test_nothing_comes_as_nil(client):
    assert client.call("none") is None


@pytest.mark.parametrize("method, args", [("none", [None]), ("tuple", [[1, [2, 3]]]), ("echo", [[]])])
def test_an_ok_has_exactly_one_element(raw, method, args):
    id = raw.call(method, args if method == "echo" else [])
    reply = raw.next(id)
    assert (reply.name, reply.args) == ("OK", args)


@pytest.mark.ours
def test_text_a_python_client_could_not_read_is_an_error(python):
    assert python.error("bad_utf8").name == "ValueError"


@pytest.mark.ours
def test_an_integer_beyond_64_bits_is_an_error(python):
    assert python.error("too_big_int").name == "OverflowError"


@pytest.mark.ours
def test_a_map_with_integer_keys_is_never_sent_to_a_client_that_cannot_read_it(raw):
    id = new_id()
    raw.send(b"", event_bytes({"message_id": id, "v": 3}, "echo", b"\x91\x81\x01\x02"))
    assert raw.next(id).name == "ERR"
