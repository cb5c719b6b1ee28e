"""Snowflakes by stock clients: what they say, what they keep to, and that programs of others read them alike."""

import json
import time

import pytest
from snowflake import Snowflake
from sonyflake import SonyFlake

pytestmark = pytest.mark.ours

#: Epoch in ms, ticks per second, and the bits of time, worker and sequence.
LAYOUTS = {"twitter": (1288834974657, 1000, 41, 10, 12), "discord": (1420070400000, 1000, 41, 10, 12),
           "pysnowflake": (550281600000, 1000, 41, 10, 12), "insta": (1314220021721, 1000, 40, 13, 10),
           "crdb": (1420070400000, 100_000, 48, 15, 0), "js53": (1577836800000, 1000, 41, 6, 6),
           "js53s": (1577836800000, 1, 32, 5, 16), "custom:41/8/13@1577836800000": (1577836800000, 1000, 41, 8, 13)}
MOST = 2**63 - 1


def json_of(message):
    """The object a message ends with."""
    return json.loads(message[message.index("{"):])


def now_ms():
    """Give or take the time a call takes on a busy machine, and the length of a tick."""
    return pytest.approx(time.time() * 1000, abs=10_000)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_id_is_its_time_its_worker_and_its_sequence(ids, layout):
    epoch, per_second, time_bits, worker_bits, sequence_bits = LAYOUTS[layout]
    value = int(ids.call("snowflake", layout, "dec"))
    ticks = value >> (worker_bits + sequence_bits)
    assert ticks < 2**time_bits
    assert epoch + ticks * 1000 / per_second == now_ms()
    assert value >> sequence_bits & (2**worker_bits - 1) == ids.call("worker")["worker"]
    parts = ids.call("parse", str(value), layout)
    assert parts["time_ms"] == epoch + ticks * 1000 // per_second
    assert parts["sequence"] == value & (2**sequence_bits - 1)
    assert parts["layout"] == layout


def test_programs_of_others_read_the_same(python_ids):
    ours = python_ids.call("snowflake")
    parts, theirs = python_ids.call("parse", ours), Snowflake.parse(ours, LAYOUTS["twitter"][0])
    assert (theirs.milliseconds, theirs.instance, theirs.seq) == (parts["time_ms"], parts["worker"], parts["sequence"])
    ours = python_ids.call("snowflake", "sony")
    parts, theirs = python_ids.call("parse", ours, "sony"), SonyFlake.decompose(ours)
    assert (theirs["machine_id"], theirs["sequence"]) == (parts["worker"], parts["sequence"])
    assert 1409529600000 + theirs["time"] * 10 == parts["time_ms"] == now_ms()


def test_pysnowflake_never_has_the_sequence_zero(python_ids):
    batch = python_ids.call("snowflake_batch", 10_000, "pysnowflake")
    assert {value & 4095 for value in batch} == set(range(1, 4096))


def test_ids_of_the_layouts_for_javascript_are_exact_as_numbers(ids):
    for layout in ("js53", "js53s"):
        value = ids.call("snowflake", layout)
        assert value < 2**53
        assert ids.call("parse", value, layout)["time_ms"] == now_ms()


def test_a_layout_whose_time_is_over_can_be_read_and_not_issued(ids):
    assert ids.error("snowflake", "baidu").name == "TimeExhausted"
    assert ids.call("parse", "1", "baidu") == {"id": 1, "time_ms": 1463673600000, "iso": "2016-05-19T16:00:00.000Z",
                                               "worker": 0, "sequence": 1, "layout": "baidu"}


def test_a_known_tweet_is_read(python_ids):
    # en.wikipedia.org/wiki/Snowflake_ID
    assert python_ids.call("parse", 1541815603606036480) == {
        "id": 1541815603606036480, "time_ms": 1656432460105, "iso": "2022-06-28T16:07:40.105Z", "worker": 378, "dc": 11,
        "sequence": 0, "layout": "twitter"}


@pytest.mark.parametrize("fmt", ["dec", "b32", "b36", "b58", "b62", "hex", "obf", "token"])
def test_a_text_is_read_back(ids, fmt):
    texts = ids.call("snowflake_batch", 100, "default", fmt)
    values = [ids.call("parse", text, "default", fmt)["sequence"] for text in texts[:3]]
    assert all(isinstance(text, str) for text in texts) and len(set(texts)) == 100
    assert fmt in ("obf", "token") or texts == sorted(texts)
    assert values[1] in (values[0] + 1, 0)


def test_a_batch_rises_and_goes_on_where_the_one_before_ended(python_ids):
    first, second = (python_ids.call("snowflake_batch", 20_000) for _ in range(2))
    together = [*first, *second, python_ids.call("snowflake")]
    assert len(together) == 40_001
    assert all(a < b for a, b in zip(together, together[1:]))


def test_runs_are_a_million_ids_in_a_few_hundred_pairs(python_ids):
    before = python_ids.call("snowflake")
    runs = python_ids.call("snowflake_runs", 1_000_000)
    assert sum(count for _, count in runs) == 1_000_000
    assert len(runs) < 300
    ends = [before + 1, *(first + count for first, count in runs)]
    assert all(end <= first for end, (first, _) in zip(ends, runs))
    assert python_ids.call("snowflake") >= ends[-1]


def test_all_ids_of_a_moment_are_between_the_two_of_range_at(python_ids):
    for layout in ("twitter", "crdb", "js53"):
        value = python_ids.call("snowflake", layout)
        time_ms = python_ids.call("parse", value, layout)["time_ms"]
        least, greatest = python_ids.call("range_at", time_ms, layout)
        assert least <= value <= greatest
        assert python_ids.call("range_at", time_ms + 1, layout)[0] == greatest + 1
    assert python_ids.call("range_at", 1288834974657) == [0, 2**22 - 1]


@pytest.mark.parametrize("call, name, says", [
    (["snowflake", "nope"], "NoSuchLayout", "twitter"),
    (["snowflake", "custom:41/10/13@0"], "InvalidArgument", "63 in all"),
    (["snowflake", "custom:41"], "InvalidArgument", "expected custom:"),
    (["snowflake", "default", "base64"], "InvalidArgument", "b62"),
    (["snowflake_batch", 0], "InvalidArgument", "not 0"),
    (["snowflake_batch", -1], "InvalidArgument", "not -1"),
    (["snowflake_batch", 100_001], "BatchTooLarge", "100000"),
    (["snowflake_batch", 10**9], "BatchTooLarge", "1000000000"),
    (["snowflake_batch", 70_000, "js53"], "BatchTooLarge", "64000"),
    (["snowflake_batch", "many"], "TypeError", "int"),
    (["snowflake_runs", 4_000_001], "BatchTooLarge", "4000000"),
    (["snowflake_runs", 10, "sony"], "Unsupported", "snowflake_batch"),
    (["parse", -1], "InvalidArgument", "-1"),
    (["parse", str(2**63)], "InvalidArgument", ""),
    (["parse", str(2**62), "js53"], "InvalidArgument", "2^53"),
    (["parse", "12x"], "InvalidArgument", "12x"),
    (["parse", "00012", "default", "b62"], "InvalidArgument", "00012"),
    (["parse", "a" + "0" * 22, "default", "token"], "BadToken", ""),
    (["parse", None], "TypeError", ""),
    (["range_at", 0], "InvalidArgument", "1288834974657"),
    (["range_at", 10**15], "InvalidArgument", "10000000000"),
    (["redis_id", "x"], "EngineDisabled", "--store redis"),
], ids=str)
def test_bad_input_gets_a_named_error(ids, call, name, says):
    error = ids.error(*call)
    assert error.name == name
    assert says in error.message


def test_a_batch_that_is_too_large_says_how_large_one_may_be(ids):
    assert json_of(ids.error("snowflake_batch", 10**9).message) == {"max": 100_000}


def test_worker_stats_and_health_tell_what_is_inside(python_ids):
    before = python_ids.call("stats")["snowflakes"]["twitter"]["issued"]
    python_ids.call("snowflake_batch", 10)
    stats = python_ids.call("stats")
    assert stats["snowflakes"]["twitter"]["issued"] == before + 10
    assert stats["store"] == "sqlite" and stats["regressions"] == 0
    worker = python_ids.call("worker")
    assert worker.keys() == {"worker", "epoch", "owner", "hwm_ms", "lease_ms_left", "lead_ms"}
    assert worker["epoch"] == 1 and worker["lease_ms_left"] is None
    assert worker["hwm_ms"] > time.time() * 1000 - 10_000
    assert python_ids.call("health") == {"ok": True, "reasons": []}
