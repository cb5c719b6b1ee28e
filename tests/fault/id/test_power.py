"""Faults 23 and 26: the power fails, and the process forks."""

import subprocess
import time
from collections import defaultdict

import pytest

from support.id_service import Stream
from support.power import ForgetfulDisk
from support.programs import BIN, SANITIZER, wait_until

KINDS = ("snowflake", "segment", "seq", "durable", "daily")
RISING = ("uuid6", "uuid7", "ulid", "ksuid")


@pytest.fixture
def issuer(start_issuer):
    return start_issuer(start=False)


@pytest.fixture
def disk(issuer):
    """The disk of that issuer, which runs."""
    disk = ForgetfulDisk(issuer.folder)
    issuer.environment |= disk.environment
    issuer.start()
    return disk


def test_23_when_the_power_fails_nothing_is_lost_that_was_given_out(issuer, disk, record, ask):
    issuer.call("tag_create", "t", {"step": 10})
    streams = [Stream(issuer, record, kind, 7, pause=0.01, patience=0.5) for kind in KINDS]
    lost = 0
    for _ in range(3):
        before = [stream.answered for stream in streams]
        wait_until(lambda: all(stream.answered > count + 10 for stream, count in zip(streams, before)), 20)
        issuer.kill()
        lost += disk.forget()
        issuer.start()
    for stream in streams:
        stream.stop()
    assert lost > 0, "the disk forgets"
    assert issuer.reasons() == []


def test_23_what_is_durable_is_there_to_the_last_one_when_the_power_fails(issuer, disk, ask):
    for _ in range(5):
        last = [ask(issuer, "durable") for _ in range(20)][-1]
        issuer.kill()
        disk.forget()
        issuer.start()
        assert ask(issuer, "durable").first == last.first + 1


def test_23_when_the_power_fails_after_a_stop_in_good_order_nothing_is_lost_either(issuer, disk, ask):
    issuer.call("tag_create", "t", {"step": 10})
    last = {kind: ask(issuer, kind, 3) for kind in KINDS}
    issuer.finish()
    disk.forget()
    issuer.start()
    for kind in KINDS:
        assert ask(issuer, kind, 3).first > last[kind].last, kind


@pytest.fixture(scope="module")
def forked(tmp_path_factory):
    """What a process that forked has issued: {"parent": {kind: ids}, "child": …}."""
    begun = time.monotonic()
    done = subprocess.run([BIN / "zerosuite_id_forked", tmp_path_factory.mktemp("forked")], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not SANITIZER.search(done.stderr), done.stderr
    assert time.monotonic() - begun < 30
    issued = {"parent": defaultdict(list), "child": defaultdict(list)}
    for line in done.stdout.splitlines():
        who, kind, id = line.split()
        issued[who][kind].append(id)
    return issued


def test_26_a_forked_child_and_its_parent_issue_nothing_alike(forked):
    assert forked["parent"].keys() >= {"snowflake", "segment", "seq", "uuid1", "uuid4", "xid", "objectid", *RISING}
    for kind, ids in forked["parent"].items():
        assert len(set(ids)) == 5, f"{kind}: the parent goes on as before"
        assert not set(ids) & set(forked["child"][kind]), kind


def test_26_a_forked_child_has_no_worker_id(forked):
    assert forked["child"]["snowflake"] == ["LeaseLost"] * 5


def test_26_random_ids_of_a_forked_child_are_other_ones_and_rise(forked):
    for who in forked.values():
        for kind in RISING:
            assert who[kind] == sorted(set(who[kind]))
    for kind in ("uuid4", "uuid7", "ulid"):
        assert len(forked["child"][kind]) == 5
    tails = {who: {id[-12:] for id in issued["uuid1"]} for who, issued in forked.items()}
    assert not tails["parent"] & tails["child"], "the child has another random node"
