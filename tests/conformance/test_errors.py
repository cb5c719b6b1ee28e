"""Errors: their three elements, their names, and Python's texts."""

import pytest

from support.raw import event_bytes, new_id


def test_an_error_has_three_elements(raw):
    name, message, traceback = raw.error("boom", "KeyError", "'nope'")
    assert (name, message) == ("KeyError", "'nope'")
    assert traceback is None or traceback != ""


def test_the_traceback_of_an_error_ends_in_its_name_and_message(raw):
    assert raw.error("boom", "Overloaded", "try later")[2].rstrip().endswith("Overloaded: try later")


@pytest.mark.ours
def test_the_traceback_of_an_error_gives_no_path_or_address_away(raw):
    traceback = raw.error("boom", "ValueError", "no")[2]
    assert "/" not in traceback and "0x" not in traceback


def test_a_client_raises_the_error_under_its_name(client):
    error = client.error("boom", "NoSuchTag", "tag \"a\" {\"retry_after_ms\":200}")
    assert (error.name, error.message) == ("NoSuchTag", "tag \"a\" {\"retry_after_ms\":200}")


def test_an_error_text_may_be_empty_or_unicode(client):
    assert client.error("boom", "ValueError", "").message == ""
    assert client.error("boom", "ValueError", "mañana 漢字").message == "mañana 漢字"


@pytest.mark.parametrize("v", [None, 1])
def test_a_caller_of_version_1_gets_one_text(raw, v):
    reply = raw.next(raw.call("nosuch", [], v=v))
    assert (reply.name, reply.args) == ("ERR", ["NameError('nosuch')"])


def test_a_caller_of_version_2_gets_three_elements(raw):
    reply = raw.next(raw.call("nosuch", [], v=2))
    assert reply.args[:2] == ["NameError", "nosuch"]


@pytest.mark.parametrize("v", [None, 1, 2, 3, 4])
def test_every_reply_is_of_version_3(raw, v):
    assert raw.next(raw.call("echo", [1], v=v)).header["v"] == 3


@pytest.mark.parametrize("name", ["nosuch", "", "add.add", "__init__", "_private", "toString", "run", "é"])
def test_an_unknown_method_is_a_name_error_whose_text_is_the_name(suite, client, name):
    error = client.error(name)
    # To a proxy, what stands before a dot is a service.
    text = f"{name}: no such service" if suite.through == "proxy" and "." in name else name
    assert (error.name, error.message) == ("NameError", text)


def test_the_server_goes_on_after_errors(raw):
    for number in range(100):
        raw.error("boom", "ValueError", str(number))
    assert raw.value("echo", "well") == "well"


@pytest.mark.parametrize("method, args, text", [
    ("add", [], "add() missing 2 required positional arguments: 'a' and 'b'"),
    ("add", [1], "add() missing 1 required positional argument: 'b'"),
    ("add", [1, 2, 3], "add() takes 2 positional arguments but 3 were given"),
    ("range", [], "range() missing 2 required positional arguments: 'start' and 'stop'"),
    ("range", [1, 2, 3, 4], "range() takes from 2 to 3 positional arguments but 4 were given"),
    ("echo", [], "echo() missing 1 required positional argument: 'x'"),
    ("echo", [1, 2], "echo() takes 1 positional argument but 2 were given"),
], ids=str)
@pytest.mark.ours
def test_a_wrong_number_of_arguments_is_a_type_error_in_the_words_of_python(python_math, method, args, text):
    error = python_math.error(method, *args)
    assert (error.name, error.message) == ("TypeError", text)


@pytest.mark.ours
def test_many_missing_arguments_are_listed_as_python_does(python):
    error = python.error("typed")
    assert error.message == "typed() missing 6 required positional arguments: 'a', 'b', 'c', 'd', 'e', and 'f'"
    assert python.error("none", 1).message == "none() takes 0 positional arguments but 1 was given"


@pytest.mark.parametrize("args", [[1], [1, 2, 3]])
def test_a_wrong_number_of_arguments_is_a_type_error(client, args):
    assert client.error("boom", *args).name == "TypeError"


TYPED = [1, 1.5, "text", b"bytes", [1, 2], {"k": 1}]


@pytest.mark.ours
@pytest.mark.parametrize("args, answer", [
    (TYPED, [*TYPED, None, 5]),
    ([*TYPED, "g"], [*TYPED, "g", 5]),
    ([*TYPED, None, 7], [*TYPED, None, 7]),
    ([*TYPED, None, None], [*TYPED, None, 5]),
    ([True, 3, b"text", "x", [True], {}], [1, 3.0, "text", b"x", [1], {}, None, 5]),
    ([2.0, 3, b"text", b"\xff", [], {}], [2, 3.0, "text", b"\xff", [], {}, None, 5]),
], ids=["required only", "one optional", "optional nil", "default nil", "bools and text", "close relatives"])
def test_arguments_are_read_as_the_types_of_the_method(raw, args, answer):
    assert raw.value("typed", *args) == answer


@pytest.mark.ours
@pytest.mark.parametrize("place, wrong", [
    (0, "1"), (0, 1.5), (0, None), (1, "1.5"), (1, None), (2, 7), (2, None), (3, 7), (4, 7), (4, {"a": 1}),
    (4, ["x"]), (5, [1]), (5, {"k": "v"}), (6, 7), (7, "x"),
], ids=str)
def test_an_argument_of_a_wrong_type_is_a_type_error_that_names_it(raw, place, wrong):
    args = [*TYPED, "g", 5]
    args[place] = wrong
    name, message, _ = raw.error("typed", *args)
    assert name == "TypeError"
    assert f"'{'abcdefgh'[place]}'" in message


@pytest.mark.ours
@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**64 - 1, 1e300])
def test_an_integer_out_of_range_of_its_argument_is_refused(raw, number):
    assert raw.error("typed", number, *TYPED[1:])[0] in ("OverflowError", "TypeError", "ValueError")


@pytest.mark.ours
def test_arguments_of_nil_are_no_arguments(raw):
    assert raw.next(raw.call("none", None)).args == [None]
    assert raw.next(raw.call("echo", None)).args[1].startswith("echo() missing 1 required")


@pytest.mark.ours
@pytest.mark.parametrize("args", ["ab", 7, 1.5, True, {"a": 1, "b": 2}, b"\x01\x02"], ids=str)
def test_arguments_that_are_no_array_are_a_type_error(raw_math, args):
    id = new_id()
    packed = {"message_id": id, "v": 3}
    raw_math.send(b"", event_bytes(packed, "add", b"\xc4\x02\x01\x02" if isinstance(args, bytes) else args))
    reply = raw_math.next(id)
    assert (reply.name, reply.args[0]) == ("ERR", "TypeError")


@pytest.mark.ours
def test_bytes_that_are_no_text_are_a_value_error_where_text_is_meant(client):
    assert client.error("boom", "KeyError", b"\xff\xfe").name == "ValueError"


def test_help_on_an_unknown_method_is_a_key_error_with_quotes(client):
    error = client.error("_zerorpc_help", "nope")
    assert (error.name, error.message) == ("KeyError", "'nope'")


@pytest.mark.ours
def test_the_arguments_of_an_unknown_method_are_a_key_error(client):
    error = client.error("_zerorpc_args", "nope")
    assert (error.name, error.message) == ("KeyError", "'nope'")
