"""The ids that need no store, decoded by programs that are not ours: Python's uuid, python-ulid, cyksuid, pymongo."""

import base64
import string
import time
import uuid

import pytest
from bson import ObjectId
from cyksuid import ksuid
from ulid import ULID

pytestmark = pytest.mark.ours

METHODS = ["uuid4", "uuid6", "uuid7", "ulid", "ksuid", "xid", "objectid"]
RISING = ["uuid6", "uuid7", "ulid", "ksuid"]
GREGORIAN = 0x01B21DD213814000  #: 100 ns each, from 1582-10-15 to 1970
MOST = 2**63 - 1
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
#: The digits of each form, and how many an id has.
FORMS = {"b32": ("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 13), "b36": (string.digits + string.ascii_lowercase, 13),
         "b58": ("".join(digit for digit in DIGITS if digit not in "0IOl"), 11), "b62": (DIGITS, 11),
         "hex": ("0123456789abcdef", 16)}


def now():
    """Seconds since 1970, give or take the time a call takes on a busy machine."""
    return pytest.approx(time.time(), abs=10)


def uuid1_seconds(value):
    return (value.time - GREGORIAN) / 1e7


def uuid6_seconds(value):
    """Version 6 is version 1 in another order, which Python's uuid of this age cannot read."""
    ticks = value.hex[:12] + value.hex[13:16]
    return uuid1_seconds(uuid.UUID(ticks[7:] + ticks[3:7] + "1" + ticks[:3] + value.hex[16:]))


@pytest.mark.parametrize("method", METHODS)
def test_as_many_come_as_are_asked_for_and_no_two_are_alike(ids, method):
    many = ids.call(method, 2000)
    one, another = ids.call(method), ids.call(method, 1)
    assert isinstance(one, str) and isinstance(another, str)
    assert len({*many, one, another}) == 2002


@pytest.mark.parametrize("method", RISING)
def test_those_that_rise_do_so_from_call_to_call(ids, method):
    texts = [ids.call(method), *ids.call(method, 1000), *ids.call(method, 1000), ids.call(method)]
    assert texts == sorted(set(texts))


@pytest.mark.parametrize("version", [1, 4, 6, 7])
def test_a_uuid_is_canonical_and_of_its_version_and_variant(ids, version):
    text = ids.call(f"uuid{version}")
    value = uuid.UUID(text)
    assert (str(value), value.variant, value.version) == (text, uuid.RFC_4122, version)


def test_uuid1_tells_its_time_its_node_and_its_clock_sequence_as_python_does(ids):
    value, model = uuid.UUID(ids.call("uuid1", 0x123456789ABC, 0x1234)), uuid.uuid1(0x123456789ABC, 0x1234)
    assert (value.node, value.clock_seq, value.fields[3:]) == (model.node, model.clock_seq, model.fields[3:])
    assert uuid1_seconds(value) == now()


def test_uuid1_takes_the_time_for_a_clock_sequence_as_the_founding_document_does(ids):
    seconds = int(time.time())
    assert uuid.UUID(ids.call("uuid1", 2, seconds)).fields[3:] == uuid.uuid1(2, seconds).fields[3:]


def test_uuid1_has_one_random_node_and_clock_sequence_where_none_is_given(ids):
    values = [uuid.UUID(ids.call("uuid1")) for _ in range(10)]
    assert len({(value.node, value.clock_seq) for value in values}) == 1
    assert values[0].node >> 40 & 1 == 1, "a random node must have the multicast bit"
    assert values[0].time < values[1].time < values[9].time
    assert uuid.UUID(ids.call("uuid1", 7)).clock_seq == values[0].clock_seq
    assert uuid.UUID(ids.call("uuid1", None, 7)).node == values[0].node


def test_uuid6_and_uuid7_tell_their_time(ids):
    assert uuid6_seconds(uuid.UUID(ids.call("uuid6"))) == now()
    assert (uuid.UUID(ids.call("uuid7")).int >> 80) / 1000 == now()


def test_a_ulid_is_read_by_python_ulid(ids):
    text = ids.call("ulid")
    assert ULID.from_str(text).timestamp == now()
    assert str(ULID.from_str(text)) == text


def test_ulids_of_one_millisecond_differ_by_one(ids):
    numbers = [int(ULID.from_str(text)) for text in ids.call("ulid", 1000)]
    assert [number - numbers[0] for number in numbers] == list(range(1000))


def test_a_ksuid_is_read_by_cyksuid(ids):
    text = ids.call("ksuid")
    assert ksuid.parse(text).timestamp == now()
    assert ksuid.parse(text).encoded.decode() == text


def test_an_objectid_is_read_by_pymongo(ids):
    values = [ObjectId(text) for text in ids.call("objectid", 100)]
    assert values[0].generation_time.timestamp() == now()
    counted_by_one_process([value.binary for value in values])


def test_an_xid_is_base32hex_of_its_time_process_and_counter(ids):
    texts = ids.call("xid", 100)
    raw = [base64.b32hexdecode(text.upper() + "====") for text in texts]
    assert [base64.b32hexencode(value).decode().lower().rstrip("=") for value in raw] == texts
    assert int.from_bytes(raw[0][:4], "big") == now()
    counted_by_one_process(raw)


def counted_by_one_process(raw):
    assert len({value[4:9] for value in raw}) == 1
    counters = [int.from_bytes(value[9:], "big") for value in raw]
    assert [(counter - counters[0]) % 2**24 for counter in counters] == list(range(len(raw)))


@pytest.mark.parametrize("fmt", FORMS)
def test_a_form_has_the_digits_it_should_and_its_texts_sort_as_ids_do(ids, fmt):
    digits, length = FORMS[fmt]
    numbers = [0, 1, len(digits), 2**53 + 1, 1234567890123456789, MOST]
    texts = [ids.call("encode", str(number), fmt) for number in numbers]
    assert {len(text) for text in texts} == {length}
    assert texts == sorted(texts)
    for text, number in zip(texts, numbers):
        value = 0
        for digit in text:
            value = value * len(digits) + digits.index(digit)
        assert value == number


@pytest.mark.parametrize("fmt", [*FORMS, "dec", "obf", "token"])
def test_an_id_comes_back_from_every_form(suite, fmt):
    ids = suite.python_client(suite.id)
    for number in (0, 1, 2**53 + 1, MOST):
        assert ids.call("decode", ids.call("encode", number, fmt), fmt) == number


def test_obf_and_token_keep_their_context(ids):
    for number in (0, 77, 2**53):
        for made, undone in (("obf", "deobf"), ("token", "untoken")):
            plain, order = ids.call(made, number), ids.call(made, number, "order")
            assert plain != order and plain[0] == order[0] == "b", "the active key's character"
            assert ids.call(undone, plain) == ids.call(undone, order, "order") == number
    assert ids.error("untoken", ids.call("token", 77, "order")).name == "BadToken"
    assert ids.call("deobf", ids.call("obf", 77, "order")) != 77


def test_what_an_old_key_made_still_opens(ids):
    """By hashlib's BLAKE2b and a SipHash of another hand, with the service's second key."""
    assert ids.call("deobf", "a5HArq3tGBWq") == ids.call("untoken", "a6qsCPImitsDh7RsjPe0vjK") == 1
    assert ids.call("deobf", "a4LIY5t5BplM", "order") == ids.call("untoken", "a3MBuAulXtkrSCI4gom9GRk", "order") == 1


CASES = {
    **{f"no {method}": (method, [0], "InvalidArgument") for method in METHODS},
    **{f"less than no {method}": (method, [-1], "InvalidArgument") for method in METHODS},
    **{f"too many of {method}": (method, [100_001], "BatchTooLarge") for method in METHODS},
    "a billion": ("uuid7", [10**9], "BatchTooLarge"),
    "more than 64 bits of them": ("uuid7", [2**64 - 1], "OverflowError"),
    "a number of them that is text": ("uuid7", ["3"], "TypeError"),
    "a node of 49 bits": ("uuid1", [2**48], "InvalidArgument"),
    "a negative node": ("uuid1", [-1], "InvalidArgument"),
    "an unknown form": ("encode", [1, "b64"], "InvalidArgument"),
    "a negative id": ("encode", [-1, "b62"], "InvalidArgument"),
    "an id of 64 bits": ("encode", [2**63, "b62"], "InvalidArgument"),
    "a float beyond what floats can tell": ("encode", [2.0**60, "b62"], "InvalidArgument"),
    "an id that is a list": ("encode", [[1], "b62"], "TypeError"),
    "a text that is too great": ("decode", ["zzzzzzzzzzz", "b62"], "InvalidArgument"),
    "a text that is too short": ("decode", ["1", "b62"], "InvalidArgument"),
    "a letter for a digit": ("decode", ["000000000000O", "b32"], "InvalidArgument"),
    "a small letter": ("decode", ["000000000000a", "b32"], "InvalidArgument"),
    "a leading zero": ("decode", ["01", "dec"], "InvalidArgument"),
    "a text that is an int": ("decode", [1, "b62"], "TypeError"),
    "bytes that are no text": ("decode", [b"\xff", "b62"], "InvalidArgument"),
    "no text": ("decode", ["", "hex"], "InvalidArgument"),
    "a text of no key": ("deobf", ["z0000000000a"], "InvalidArgument"),
    "an obf of no length": ("deobf", [""], "InvalidArgument"),
    "a forged token": ("untoken", ["b0000000000000000000000"], "BadToken"),
    "a token of 128 bits and more": ("untoken", ["bzzzzzzzzzzzzzzzzzzzzzz"], "BadToken"),
    "no token": ("untoken", [""], "BadToken"),
    "a secret of a negative id": ("token", [-1], "InvalidArgument"),
    "too many arguments": ("uuid4", [1, 2], "TypeError"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_a_named_error(suite, case):
    method, args, name = CASES[case]
    assert suite.python_client(suite.id).error(method, *args).name == name


def test_too_many_says_how_many_are_allowed(ids):
    assert ids.error("ulid", 100_001).message == 'n must be at most 100000, not 100001 {"max":100000}'
