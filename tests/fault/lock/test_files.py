"""Faults 3, 5 and 21: damaged files, a full disk, and a second broker on the folder.

Fault 4, power that fails, is not made here: a killed process loses nothing that the kernel has taken. What a disk may
lose of unsynced writes is in tests/unit/lock/faulty_disk_test.cpp, with a disk that drops them.
"""

import contextlib
import itertools
import os
import random
import re
import resource
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from support.lock_service import Broker
from support.programs import wait_until

LEASE = LONGEST = 1000  # ms
DATABASE, LOG = "locks.db", "locks.db-wal"


def refusal(broker):
    """Starts the broker where it cannot: in one line it says why, and ends with status 1. None when it can."""
    command = [str(part) for part in broker.command()]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = []
    for line in process.stderr:
        said.append(line)
        if " listening endpoint=" in line:
            process.kill()
            break
    status = process.wait(20)
    process.stderr.close()
    if status == -9:
        return None
    assert (status, len(said)) == (1, 1), said
    return said[0]


def held_by(broker):
    """Every (name, token) that is held."""
    return {(lock["name"], holder["token"]) for lock in broker.call("list", "", 1000)["locks"]
            for holder in lock["holders"] if holder["owner"] == "a"}


def crash(start_broker, owners):
    broker = start_broker("sync")
    a, = owners(broker, "a")
    tokens = {}
    for number in range(40):
        gone = a.acquire("gone", lease_ms=LEASE)["token"]
        tokens[f"lock {number}"] = a.acquire(f"lock {number}", lease_ms=LEASE)["token"]
        a.release("gone", gone)
    broker.kill()
    return broker, tokens


@pytest.fixture
def crashed(start_broker, owners):
    """A broker that was killed, with 40 locks held and others come and gone; and their tokens."""
    for _ in range(10):
        began = time.monotonic()
        made = crash(start_broker, owners)
        if time.monotonic() - began < 0.9 * LEASE / 1000:
            return made
        time.sleep(LEASE / 1000)  # the machine is busy: some may have lapsed before the end
    pytest.fail("40 locks take longer to acquire than their lease")


def cut(data, dice):
    return data[:dice.randrange(1, len(data))]


def cut_tail(data, dice):
    return data[:len(data) - dice.randrange(1, 4096)]


def flip(data, dice):
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1:]


def zero(data, dice):
    """A block that reads as zeros."""
    place = dice.randrange(len(data) // 4096) * 4096
    return data[:place] + bytes(4096) + data[place + 4096:]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("damage", [cut, cut_tail, flip, zero])
@pytest.mark.parametrize("name", [DATABASE, LOG])
def test_3_damaged_files_are_refused_or_nothing_is_granted_for_a_while_and_tokens_rise(
        crashed, owners, name, damage, seed):
    broker, tokens = crashed
    path = Path(broker.folder) / name
    path.write_bytes(damage(path.read_bytes(), random.Random(seed)))
    line = refusal(broker)
    if line is not None:
        assert str(path) in line or str(Path(broker.folder) / DATABASE) in line, "it names the file"
        assert re.search(r"move .* away|empty folder", line), "and the way out"
        return
    broker.start()
    recovering, held = broker.call("engine_info")["recovering_ms"], held_by(broker)
    lost = set(tokens.items()) - held
    assert not lost or recovering > 0, f"{len(lost)} locks are lost, and others may have them"
    # A release that was not written yet may be missing too.
    assert all(name == "gone" or tokens[name] == token for name, token in held), "what it knows is true"
    b, = owners(broker, "b")
    if recovering:
        assert b.ask("acquire", name="new", lease_ms=100).error == "Recovering"
        assert 0 < recovering <= LONGEST
    wait_until(lambda: broker.call("engine_info")["recovering_ms"] == 0)
    assert b.acquire("new", lease_ms=100)["token"] > max(tokens.values())


def test_3_the_torn_end_of_the_last_write_costs_a_pause_and_no_lock_before_it(crashed):
    broker, tokens = crashed
    log = Path(broker.folder) / LOG
    log.write_bytes(log.read_bytes()[:-100])
    broker.start()
    held = held_by(broker)
    assert len(held & set(tokens.items())) >= len(tokens) - 1
    assert broker.call("engine_info")["recovering_ms"] > 0
    assert re.search(r"WARN.*cannot be read|warning=.*cannot be read", broker.program.log(), re.IGNORECASE)


@pytest.mark.parametrize("name", [DATABASE])
def test_3_a_file_that_is_gone_from_a_folder_in_use_is_not_taken_for_a_new_one(crashed, name):
    broker, _ = crashed
    (Path(broker.folder) / name).unlink()
    assert str(Path(broker.folder) / name) in (refusal(broker) or "it started")


@pytest.mark.parametrize("size", [None, 0, 32, 55, 32 + 24 + 4096], ids=["gone", "empty", "header", "short", "cut"])
def test_3_a_log_that_is_gone_or_cut_off_after_a_crash_holds_everybody_up_and_it_says_so(crashed, owners, size):
    broker, tokens = crashed
    log = Path(broker.folder) / LOG
    log.unlink() if size is None else os.truncate(log, size)
    broker.start()
    assert 0 < broker.call("engine_info")["recovering_ms"] <= LONGEST
    assert re.search(r"warn lock data warning=\"the log of the locks is .*no hold is restored", broker.program.log())
    b, = owners(broker, "b")
    assert b.ask("acquire", name="lock 1").error == "Recovering"
    wait_until(lambda: broker.call("engine_info")["recovering_ms"] == 0)
    assert b.acquire("lock 1")["token"] > max(tokens.values())


def test_3_looking_into_the_folder_after_a_crash_does_not_hide_it(crashed):
    broker, _ = crashed
    with contextlib.closing(sqlite3.connect(Path(broker.folder) / DATABASE)) as tool:
        assert tool.execute("SELECT count(*) FROM hold").fetchone()[0] >= 40
    assert not (Path(broker.folder) / LOG).exists(), "the tool has worked it into the file"
    broker.start()
    assert broker.call("engine_info")["recovering_ms"] > 0


def test_3_a_damaged_file_in_a_folder_given_by_a_relative_path_is_named_in_one_line(crashed, monkeypatch):
    broker, _ = crashed
    (Path(broker.folder) / DATABASE).write_bytes(b"x" * 10_000)
    monkeypatch.chdir(broker.folder)
    broker.folder = "."
    assert "./locks.db file is not a database; to go on, move . away" in refusal(broker)


def test_3_in_a_folder_that_others_may_read_the_files_are_for_their_owner_only(start_broker, tmp_path):
    tmp_path.chmod(0o755)
    broker = start_broker("sync", folder=tmp_path)
    broker.call("acquire", "n", "a", 1000)
    broker.kill()
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
        path.chmod(0o644)  # as an older version made them
    broker.start()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_3_a_folder_that_was_emptied_gives_greater_tokens_all_the_same(crashed, owners):
    broker, tokens = crashed
    for path in Path(broker.folder).iterdir():
        path.unlink()
    broker.start()
    b, = owners(broker, "b")
    assert b.acquire("new")["token"] > max(tokens.values())


def wal_size(broker):
    return (Path(broker.folder) / LOG).stat().st_size


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB; answers its folder."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount one")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", "--lazy", tmp_path], check=True)


def fill(folder):
    """Takes all there is left; answers the file to delete."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def failed(op):
    return op if op.error else None


def refused_to_grant(owner, seconds=10):
    """Waits until an acquire fails; answers the name of the error."""
    names = itertools.count()
    return wait_until(lambda: failed(owner.ask("acquire", name=f"new {next(names)}", lease_ms=60_000, timeout=5)),
                      seconds, every=0).error


@pytest.mark.parametrize("durability", ["sync", "async"])
def test_5_on_a_full_disk_it_stops_to_grant_and_leases_run_out_and_with_room_it_goes_on(
        start_broker, owners, small_disk, durability):
    broker = start_broker(durability, folder=small_disk / "data")
    a, b, c = owners(broker, "a", "b", "c")
    held = a.acquire("held", lease_ms=30_000)["token"]
    token = a.acquire("n", lease_ms=2000)["token"]
    waiting = b.start("acquire", name="n", wait_ms=20_000)
    wait_until(lambda: broker.waiters("n") == ["b"])
    ballast = fill(small_disk)
    assert refused_to_grant(c) == "StorageError"
    assert waiting.finish(15).error == "StorageError", "the lease has passed, and nobody can have the lock"
    assert broker.holder("n") is None
    assert a.ask("extend", name="n", token=token).error in ("LeaseExpired", "StorageError")
    assert broker.holder("held") == ("a", held)
    ballast.unlink()
    grant = wait_until(lambda: granted(b.ask("acquire", name="n")), 5)
    log = broker.program.log()
    assert (log.count("store trouble"), log.count("store mended")) == (1, 1), "once each, however often it was tried"
    broker.kill()
    broker.start()
    if durability == "sync":
        assert broker.holder("n") == ("b", grant.token)
    assert broker.holder("held") == ("a", held)


def granted(op):
    return op if op.granted else None


@pytest.mark.parametrize("durability", ["sync", "async"])
def test_5_after_a_write_that_failed_for_good_it_grants_nothing_until_it_is_started_again(
        start_broker, owners, durability):
    broker = start_broker(durability)
    a, b = owners(broker, "a", "b")
    token = a.acquire("n", lease_ms=20_000)["token"]
    limits = resource.RLIMIT_FSIZE, (wal_size(broker), resource.RLIM_INFINITY)
    resource.prlimit(broker.program.process.pid, *limits)
    assert refused_to_grant(b) == "StorageError"
    resource.prlimit(broker.program.process.pid, limits[0], (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert b.ask("acquire", name="later").error == "StorageError"
    assert broker.holder("n") == ("a", token), "but it has not forgotten"
    broker.program.finish()
    broker.start()
    assert broker.holder("n") == ("a", token)
    assert b.ask("acquire", name="n").error in (None, "Recovering")


def test_21_a_second_broker_on_the_folder_refuses_in_one_line(suite, start_broker, owners):
    broker = start_broker()
    a, = owners(broker, "a")
    token = a.acquire("n")["token"]
    second = Second(broker)
    line = refusal(second)
    assert line is not None and f"{broker.folder} is in use by process {broker.program.process.pid}" in line
    assert broker.holder("n") == ("a", token), "the first does not notice"
    broker.kill()
    assert refusal(second) is None, "a dead one is in nobody's way"
    assert Broker(suite, folder=broker.folder).holder("n") == ("a", token)


class Second:
    """Another broker on that folder, on a port of its own."""

    def __init__(self, broker):
        self.broker = broker

    def command(self):
        return [part if part != self.broker.endpoint else "tcp://127.0.0.1:*" for part in self.broker.command()]
