"""Faults 22, 24 and 28: an issuer is killed at any moment, again and again, and started on an old copy of its data."""

import json
import shutil
import time
from pathlib import Path

import pytest

from support.id_service import Stream, time_ms_of
from support.programs import sanitized, wait_until

KINDS = ("snowflake", "segment", "seq", "durable", "daily", "uuid7", "ulid")
STORED = ("segment", "seq", "durable", "daily")
STEP = 100
RESTARTS = 30 if sanitized("zerosuite-id") else 100


@pytest.fixture(params=["sqlite", "redis"])
def stored(request, start_redis):
    """Where an issuer keeps what it gave out."""
    return {"redis": start_redis()} if request.param == "redis" else {}


@pytest.fixture
def issuer(start_issuer, stored):
    issuer = start_issuer(worker=1, lease_ms=1000, renew_ms=200, lease_margin_ms=200, **stored)
    issuer.call("tag_create", "t", {"step": STEP})
    return issuer


def test_22_killed_under_load_again_and_again_it_repeats_nothing(issuer, record):
    streams = [Stream(issuer, record, kind, 50, pause=0.005, patience=0.5) for kind in KINDS]
    for _ in range(8):
        before = [stream.answered for stream in streams]
        wait_until(lambda: all(stream.answered > count + 3 for stream, count in zip(streams, before)), 20)
        issuer.kill()
        issuer.start()
    for stream in streams:
        stream.stop()


def test_22_a_kill_leaves_a_gap_of_what_was_reserved_at_most(issuer, ask):
    last = {kind: ask(issuer, kind) for kind in ("snowflake", *STORED)}
    issuer.kill()
    issuer.start()
    first = {kind: ask(issuer, kind) for kind in last}
    for kind in last:
        assert first[kind].first > last[kind].last
    assert first["durable"].first == last["durable"].first + 1, "what is kept before it is answered leaves no gap"
    assert int(first["daily"].first[9:]) == int(last["daily"].first[9:]) + 1
    assert first["segment"].first <= 1 + 2 * STEP
    assert first["seq"].first <= 1 + 2000
    assert time_ms_of(first["snowflake"].first) - time_ms_of(last["snowflake"].first) < 10_000


def test_22_a_stop_in_good_order_leaves_no_gap(issuer, ask):
    last = {kind: ask(issuer, kind, 3) for kind in ("snowflake", *STORED)}
    issuer.finish()
    issuer.start()
    for kind in ("segment", "seq", "durable"):
        assert ask(issuer, kind, 3).first == last[kind].last + 1, kind
    assert int(ask(issuer, "daily").first[9:]) == int(last["daily"].first[9:]) + 1
    begun = time.time() * 1000
    assert time_ms_of(ask(issuer, "snowflake", 3).first) < begun + 1000, "no window is left out"


def test_24_restarted_within_a_millisecond_again_and_again_it_repeats_nothing(start_issuer, clock, record, ask):
    clock.stand_still("2027-02-03 04:05:06")
    issuer = start_issuer(clock=clock, window_ms=1000, start=False)
    for number in range(RESTARTS):
        issuer.start()
        if number == 0:
            issuer.call("tag_create", "t", {"step": 1})
        for kind in ("snowflake", "seq", "segment", "daily"):
            ask(issuer, kind, 10)
        issuer.kill()
    assert record.count("snowflake") == 10 * RESTARTS


def test_24_killed_again_and_again_it_does_not_run_ahead_of_the_clock(start_issuer, ask):
    """A window left out at each of them would be two minutes here."""
    issuer = start_issuer(start=False)
    for _ in range(40):
        issuer.start()
        ask(issuer, "snowflake", 10)
        issuer.kill()
    issuer.start()
    ask(issuer, "snowflake", 10)
    assert issuer.call("stats")["clock_lead_ms"] < 6000


def test_24_ended_in_good_order_within_a_millisecond_it_does_not_run_ahead(start_issuer, clock, ask):
    clock.stand_still("2027-02-03 04:05:06")
    issuer = start_issuer(clock=clock, start=False)
    ids = []
    for _ in range(20):
        issuer.start()
        ids.append(ask(issuer, "snowflake", 10))
        issuer.finish()
    assert time_ms_of(ids[-1].last) - time_ms_of(ids[0].first) < 20_000


@pytest.fixture
def kept(start_issuer, ask, tmp_path):
    """An issuer on SQLite, a copy of its folder, and the last ids that it issued since: (issuer, copy, last)."""
    issuer = start_issuer()
    issuer.call("tag_create", "t", {"step": STEP})
    for kind in ("snowflake", *STORED):
        ask(issuer, kind, 10)
    copy = tmp_path / "copy"
    issuer.kill()
    shutil.copytree(issuer.folder, copy)
    issuer.start()
    last = {kind: [ask(issuer, kind, 10) for _ in range(2 * STEP)][-1] for kind in ("snowflake", *STORED)}
    return issuer, copy, last


def put_back(copy, folder, *names):
    for path in Path(folder).iterdir():
        if path.name.startswith(names):
            path.unlink()
    for path in copy.iterdir():
        if path.name.startswith(names):
            shutil.copy(path, folder)


@pytest.mark.parametrize("end", ["kill", "finish"])
def test_28_an_old_copy_of_the_database_is_refused_and_accepted_above_what_was_given_out(kept, ask, end):
    issuer, copy, last = kept
    getattr(issuer, end)()
    put_back(copy, issuer.folder, "ids.db")
    for _ in range(2):
        line = issuer.refusal()
        assert "--accept-regressed" in line
        if end == "kill":  # the log that was left behind belongs to the file that was replaced
            assert "has a damaged write-ahead log: what was given out last is missing" in line, line
            continue
        assert "StoreRegressed" in line or "has forgotten what it gave out" in line, line
        told = json.loads(line[line.index("{"):])
        assert told["stored"] < told["floor"]
    issuer.start("--accept-regressed")
    for kind in last:
        assert ask(issuer, kind, 10).first > last[kind].last, kind
    issuer.kill()
    issuer.start()
    for kind in last:
        ask(issuer, kind, 10)


def test_28_an_old_copy_of_the_whole_folder_is_refused_when_the_floors_are_kept_elsewhere(
        start_issuer, ask, tmp_path):
    floors = tmp_path / "elsewhere" / "floors"
    floors.parent.mkdir()
    issuer = start_issuer(floors_file=floors)
    issuer.call("tag_create", "t", {"step": STEP})
    for kind in ("snowflake", *STORED):
        ask(issuer, kind, 10)
    issuer.finish()
    copy = tmp_path / "copy"
    shutil.copytree(issuer.folder, copy)
    issuer.start()
    last = {kind: [ask(issuer, kind, 10) for _ in range(2 * STEP)][-1] for kind in ("snowflake", *STORED)}
    issuer.finish()
    put_back(copy, issuer.folder, "")
    assert "--accept-regressed" in issuer.refusal()
    issuer.start("--accept-regressed")
    for kind in last:
        assert ask(issuer, kind, 10).first > last[kind].last, kind


@pytest.mark.parametrize("lost", ["ids.db", "floors"])
def test_28_a_database_or_floors_that_are_gone_are_refused(kept, ask, lost):
    issuer, _, last = kept
    issuer.kill()
    for path in Path(issuer.folder).iterdir():
        if path.name.startswith(lost):
            path.unlink()
    assert "--accept-regressed" in issuer.refusal()
    issuer.start("--accept-regressed")
    if lost == "ids.db":
        assert issuer.error("segment", "t")[0] == "NoSuchTag"
        issuer.call("tag_create", "t", {"step": STEP})
    for kind in last:
        assert ask(issuer, kind, 10).first > last[kind].last, kind


def test_28_after_a_kill_nothing_seems_to_be_an_old_copy(start_issuer, record):
    """The floors, which are not synced, never say more than the database knows."""
    issuer = start_issuer()
    issuer.call("tag_create", "t", {"step": 1})
    streams = [Stream(issuer, record, kind, 7, pause=0.002, patience=0.5) for kind in ("snowflake", *STORED)]
    for _ in range(10):
        wait_until(lambda: not issuer.reasons())
        issuer.kill()
        issuer.start()
    for stream in streams:
        stream.stop()


def test_28_a_tag_can_be_raised_by_hand_above_what_another_store_gave_out(start_issuer, ask):
    issuer = start_issuer()
    issuer.call("tag_create", "t", {"step": STEP})
    ask(issuer, "segment", 10)
    issuer.call("tag_update", "t", {"floor": 5_000_000})
    assert ask(issuer, "segment", 10).first == 5_000_000
    issuer.kill()
    issuer.start()
    assert ask(issuer, "segment", 10).first > 5_000_000


def test_22_told_to_end_twice_with_thousands_of_names_it_ends_in_good_order(start_issuer, ask):
    """What is left of them goes back together: one by one it would take the disk seconds."""
    issuer = start_issuer()
    for number in range(3000):
        issuer.call("seq", f"name-{number}")
    issuer.program.ask_to_end()
    issuer.program.await_line(r" stopped calls=")
    assert issuer.program.finish() == 0
    issuer.start()
    assert issuer.call("seq", "name-7") > 1


def test_22_told_to_end_with_thousands_of_names_it_leaves_no_gap(start_issuer):
    issuer = start_issuer()
    for number in range(3000):
        issuer.call("seq", f"name-{number}")
    assert issuer.program.finish() == 0
    issuer.start()
    assert {issuer.call("seq", f"name-{number}") for number in range(0, 3000, 100)} == {2}
