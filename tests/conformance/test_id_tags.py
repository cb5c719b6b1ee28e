"""Tags, sequences and daily numbers by stock clients: what they answer, and what they refuse."""

import datetime
import itertools
import re
import stat
from pathlib import Path

import pytest

pytestmark = pytest.mark.ours

fresh = map("tag-{}".format, itertools.count())
LAST = 2**63 - 2


@pytest.fixture
def name():
    return next(fresh)


@pytest.fixture
def tag(ids, name):
    ids.call("tag_create", name, {"step": 10})
    return name


def test_a_tags_ids_rise_from_its_start(ids, name):
    made = ids.call("tag_create", name, {"start": 500, "step": 20, "desc": "orders"})
    assert made == {"tag": name, "max_id": 500, "step": 20, "delta": 1, "remainder": 0, "max": pytest.approx(LAST),
                    "desc": "orders"}
    assert [ids.call("segment", name) for _ in range(3)] == [500, 501, 502]
    assert ids.call("segment_batch", name, 100) == list(range(503, 603))


def test_a_range_is_the_clients_alone(ids, tag):
    low, high = ids.call("segment_range", tag, 1000)
    assert high - low == 1000
    assert not set(ids.call("segment_batch", tag, 2000)) & set(range(low, high))


def test_delta_and_remainder_choose_the_ids(ids, name):
    ids.call("tag_create", name, {"step": 5, "delta": 10, "remainder": 3})
    assert ids.call("segment_batch", name, 12) == list(range(3, 123, 10))
    low, high = ids.call("segment_range", name, 7)
    assert len([id for id in range(low, high) if id % 10 == 3]) == 7


def test_ids_come_in_every_form(ids, tag):
    assert ids.call("segment", tag, "dec") == "1"
    assert ids.call("segment", tag, "hex") == "0000000000000002"
    assert ids.call("segment_batch", tag, 2, "dec") == ["3", "4"]
    assert ids.call("seq", tag, "dec") == "1"
    assert ids.call("seq_durable", tag, "dec") == "2"


def test_a_tag_is_told_of(ids, tag):
    ids.call("segment", tag)
    told = ids.call("tag_info", tag)
    assert (told["cur"], told["parked"]) == (2, 0) and told["rate"] >= 0
    assert told["left"] >= 9, "of the first ten, and more once its rate is known"
    assert told["max_id"] == told["cur"] + told["left"]
    assert told["next_ready"] is (told["ranges"] > 1) is (told["left"] > 9)
    assert tag in [each["tag"] for each in ids.call("tags", tag)["tags"]]


def test_tags_are_listed_in_pages_as_locks_are(ids, tag):
    names = [f"{tag}/{number:02}" for number in range(25)]
    for name in reversed(names):
        ids.call("tag_create", name)
    listed, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = ids.call("tags", tag + "/", 10, cursor)
        listed += [each["tag"] for each in page["tags"]]
        cursor, pages = page["cursor"], pages + 1
    assert (listed, pages) == (names, 3)
    assert [each["tag"] for each in ids.call("tags", tag + "/1")["tags"]] == names[10:20]
    assert ids.call("tags", tag + "/2", 5) == {"tags": ids.call("tags", tag + "/2")["tags"], "cursor": ""}
    assert ids.call("tags", tag + "/x") == {"tags": [], "cursor": ""}


def test_a_floor_that_was_a_mistake_is_taken_back(python_ids):
    ids, tag = python_ids, "mistaken"  # whose greatest value is no number in Node
    ids.call("tag_create", tag, {"step": 10})
    ids.call("segment", tag)
    ids.call("tag_update", tag, {"floor": 2**63 - 2})
    assert ids.call("segment", tag) == 2**63 - 2
    assert ids.error("segment", tag).name == "RangeExhausted"
    told = ids.call("tag_update", tag, {"lower_to": 5})
    assert (told["max_id"], told["max"]) == (11, 2**63 - 3)
    assert ids.call("segment", tag) == 11
    refused = ids.error("tag_update", tag, {"lower_to": 5})
    assert refused.name == "InvalidArgument" and "max_id" in refused.message
    assert ids.error("tag_update", tag, {"lower_to": 5, "floor": 7}).name == "InvalidArgument"


def test_whatever_a_tag_is_asked_for_it_goes_up(ids, tag):
    last = 0
    for n in (1, 3, 30, 7, 500, 2, 9, 10_000, 1):
        lo, hi = ids.call("segment_range", tag, n)
        assert last < lo and hi == lo + n
        one = ids.call("segment", tag)
        assert one >= hi
        batch = ids.call("segment_batch", tag, n)
        assert batch[0] > one and batch == sorted(batch)
        last = batch[-1]


def test_a_tag_is_changed(ids, tag):
    ids.call("segment", tag)
    assert ids.call("tag_update", tag, {"step": 30, "desc": "new"})["step"] == 30
    assert ids.call("segment", tag) == 2
    ids.call("tag_update", tag, {"floor": 10_000})
    assert ids.call("segment", tag) == 10_000
    ids.call("tag_update", tag, {"max": 10_001})
    assert ids.call("segment", tag) == 10_001
    refused = ids.error("segment", tag)
    assert refused.name == "RangeExhausted" and '"max":10001' in refused.message


def test_a_tag_that_was_deleted_goes_on_above_what_it_gave_out(ids, tag):
    given = ids.call("segment_batch", tag, 25)
    assert ids.call("tag_delete", tag)["tag"] == tag
    assert ids.error("segment", tag).name == "NoSuchTag"
    ids.call("tag_create", tag)
    assert ids.call("segment", tag) > max(given)


def test_numbers_of_a_sequence_rise_whoever_asks(suite, ids, name):
    others = suite.python_client(suite.id)
    seen = [0]
    for method, client in itertools.product(["seq", "seq_durable", "seq", "seq_batch"], [ids, others] * 3):
        if method == "seq_batch":
            low, high = client.call(method, name, 5)
            assert high - low == 5
            seen += [low, high - 1]
        else:
            seen.append(client.call(method, name))
    assert seen == sorted(set(seen))


def test_a_sequence_goes_on_without_a_gap_after_a_clean_stop_and_repeats_nothing_after_a_crash(suite, name):
    folder = suite.folder()

    def start():
        service = suite.start_worker("zerosuite-id", ZEROSUITE_ID_DATA=folder)
        return service, suite.python_client(service)

    service, client = start()
    client.call("tag_create", name)
    assert client.call("seq_batch", name, 150) == [1, 151]
    assert client.call("segment", name) == 1
    assert [client.call("seq_durable", name + "d") for _ in range(3)] == [1, 2, 3]
    service.finish()
    service, client = start()
    assert client.call("seq", name) == 151
    assert client.call("segment", name) == 2
    service.kill()
    service, client = start()
    assert client.call("seq", name) > 151
    assert client.call("segment", name) > 2
    assert client.call("seq_durable", name + "d") == 4


def test_daily_numbers_are_prefix_day_and_counter(ids, name):
    before = datetime.datetime.now(datetime.timezone.utc)
    first, second = ids.call("daily", name), ids.call("daily", name)
    after = datetime.datetime.now(datetime.timezone.utc)
    days = {f"{moment:%Y%m%d}" for moment in (before, after)}
    match = re.fullmatch(re.escape(name) + r"(\d{8})(\d{6})", first)
    assert match and match[1] in days and match[2] == "000001"
    assert second > first
    assert len(ids.call("daily", name, 18)) == len(name) + 26


def test_the_day_is_the_zones(ids, name):
    for zone, hours in (("Etc/GMT-14", 14), ("Etc/GMT+12", -12)):
        offset = datetime.timedelta(hours=hours)
        days = [f"{datetime.datetime.now(datetime.timezone.utc) + offset:%Y%m%d}"]
        number = ids.call("daily", name + zone, 2, zone)
        days.append(f"{datetime.datetime.now(datetime.timezone.utc) + offset:%Y%m%d}")
        assert number[len(name + zone):-2] in days


def test_a_daily_counter_never_outgrows_its_width(ids, name):
    for counter in range(1, 10):
        assert ids.call("daily", name, 1)[-1] == str(counter)
    refused = ids.error("daily", name, 1)
    assert refused.name == "RangeExhausted" and '"max":9' in refused.message


@pytest.mark.parametrize("call", ["tag_create", "tag_update", "tag_delete"])
def test_with_an_admin_token_only_its_holder_changes_tags(suite, call):
    path = Path(suite.folder()) / "token"
    path.write_text("open sesame\n")
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    service = suite.start_id(ZEROSUITE_ID_ADMIN_TOKEN_FILE=str(path))
    client = suite.python_client(service)
    right = {"token": "open sesame"}
    if call != "tag_create":
        client.call("tag_create", "t", right)
    for wrong in ([], [{}], [{"token": ""}], [{"token": "open"}], [{"token": "open sesame open sesame"}]):
        assert client.error(call, "t", *wrong).name == "AccessDenied"
    assert client.call(call, "t", right)["tag"] == "t"


BAD = {
    "an unknown tag": ("segment", ["nobody"], "NoSuchTag"),
    "a batch of an unknown tag": ("segment_batch", ["nobody", 1], "NoSuchTag"),
    "a range of an unknown tag": ("segment_range", ["nobody", 1], "NoSuchTag"),
    "what an unknown tag is": ("tag_info", ["nobody"], "NoSuchTag"),
    "a change of an unknown tag": ("tag_update", ["nobody", {"step": 5}], "NoSuchTag"),
    "the deletion of an unknown tag": ("tag_delete", ["nobody"], "NoSuchTag"),
    "a tag that is there": ("tag_create", ["known"], "TagExists"),
    "a tag of 200 bytes": ("segment", ["t" * 200], "InvalidArgument"),
    "a new tag of 129 bytes": ("tag_create", ["t" * 129], "InvalidArgument"),
    "a tag of 65 two-byte letters": ("tag_create", ["é" * 65], "InvalidArgument"),
    "an empty tag": ("segment", [""], "InvalidArgument"),
    "a tag that is a number": ("segment", [7], "TypeError"),
    "a tag that is not UTF-8": ("segment", [b"\xff\xfe"], "ValueError"),
    "an unknown format": ("segment", ["known", "b64"], "InvalidArgument"),
    "a batch of none": ("segment_batch", ["known", 0], "InvalidArgument"),
    "a batch of -1": ("segment_batch", ["known", -1], "InvalidArgument"),
    "a batch of 100 001": ("segment_batch", ["known", 100_001], "BatchTooLarge"),
    "a batch of 10^9": ("segment_batch", ["known", 10**9], "BatchTooLarge"),
    "a range of none": ("segment_range", ["known", 0], "InvalidArgument"),
    "a range of 2^24 + 1": ("segment_range", ["known", 2**24 + 1], "BatchTooLarge"),
    "a page of none": ("tags", ["", 0], "InvalidArgument"),
    "a page of 1 001": ("tags", ["", 1_001], "BatchTooLarge"),
    "half an id": ("segment_batch", ["known", 0.5], "TypeError"),
    "a step of none": ("tag_create", ["new", {"step": 0}], "InvalidArgument"),
    "a step above a million": ("tag_create", ["new", {"step": 1_000_001}], "InvalidArgument"),
    "a delta of none": ("tag_create", ["new", {"delta": 0}], "InvalidArgument"),
    "a remainder as large as delta": ("tag_create", ["new", {"delta": 3, "remainder": 3}], "InvalidArgument"),
    "a negative remainder": ("tag_create", ["new", {"remainder": -1}], "InvalidArgument"),
    "a start of 0": ("tag_create", ["new", {"start": 0}], "InvalidArgument"),
    "a max below the start": ("tag_create", ["new", {"start": 5, "max": 4}], "InvalidArgument"),
    "a floor of 0": ("tag_update", ["known", {"floor": 0}], "InvalidArgument"),
    "a floor for a new tag": ("tag_create", ["new", {"floor": 5}], "InvalidArgument"),
    "a start for an old one": ("tag_update", ["known", {"start": 5}], "InvalidArgument"),
    "an option of a deletion": ("tag_delete", ["known", {"step": 5}], "InvalidArgument"),
    "a remainder that does not fit": ("tag_update", ["known", {"remainder": 1}], "InvalidArgument"),
    "a long description": ("tag_create", ["new", {"desc": "d" * 257}], "InvalidArgument"),
    "a step that is text": ("tag_create", ["new", {"step": "ten"}], "TypeError"),
    "a step beyond 64 bits": ("tag_create", ["new", {"step": 2**64 - 1}], "OverflowError"),
    "options that are a list": ("tag_create", ["new", ["step"]], "TypeError"),
    "an empty sequence": ("seq", [""], "InvalidArgument"),
    "a sequence of 129 bytes": ("seq_durable", ["s" * 129], "InvalidArgument"),
    "no numbers": ("seq_batch", ["s", 0], "InvalidArgument"),
    "too many numbers": ("seq_batch", ["s", 2**24 + 1], "BatchTooLarge"),
    "an unknown format of a number": ("seq", ["s", "roman"], "InvalidArgument"),
    "a width of 0": ("daily", ["d", 0], "InvalidArgument"),
    "a width of 19": ("daily", ["d", 19], "InvalidArgument"),
    "a zone that is none": ("daily", ["d", 6, "Mars/Olympus_Mons"], "InvalidArgument"),
    "a prefix of 65 bytes": ("daily", ["d" * 65], "InvalidArgument"),
    "a prefix with a line break": ("daily", ["d\n"], "InvalidArgument"),
}


@pytest.fixture(scope="session")
def known(python_ids):
    """A tag in use."""
    python_ids.call("tag_create", "known", {"step": 10})
    python_ids.call("segment", "known")


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_a_named_error_and_changes_nothing(python_ids, known, case):
    method, args, name = BAD[case]
    before = python_ids.call("tags", "", 1000)
    assert python_ids.error(method, *args).name == name
    assert python_ids.call("tags", "", 1000) == before


def test_a_misspelt_option_is_named_with_what_may_be_meant(python_ids):
    assert "did you mean 'step'" in python_ids.error("tag_create", "new", {"stepp": 5}).message
    assert "start, step, delta" in python_ids.error("tag_create", "new", {"xyzzy": 5}).message
