"""Fault 17: the wall clock of the broker's machine steps by an hour. Leases go by the steady one and do not notice."""

import re
import time
from datetime import datetime
from pathlib import Path

import pytest

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


def faked(offset_file):
    """The environment of a process whose wall clock is off by what that file says, read anew at every look."""
    assert LIBRARY.exists(), "needs the Debian package faketime"
    # AddressSanitizer wants to be the first library, and works all the same when it is the second.
    return {"LD_PRELOAD": str(LIBRARY), "ASAN_OPTIONS": "verify_asan_link_order=0", "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": str(offset_file), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@pytest.mark.parametrize("step", ["+3600", "-3600"])
@pytest.mark.parametrize("durability", ["sync", "async"])
def test_17_a_step_of_the_wall_clock_ends_no_lease_and_prolongs_none(start_broker, owners, tmp_path, step, durability):
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    broker = start_broker(durability, **faked(offset))
    a, b = owners(broker, "a", "b")
    begun = time.monotonic()
    token = a.acquire("n", lease_ms=1500)["token"]
    waiting = b.start("acquire", name="n", wait_ms=10_000)
    offset.write_text(step + "\n")
    assert broker.holder("n") == ("a", token)
    grant = waiting.grant()
    assert 1.48 < time.monotonic() - begun < 2.5
    assert grant["token"] > token
    broker.program.finish()
    first, last = wall_clock(broker.program)
    assert abs((last - first).total_seconds() - int(step)) < 60, "the step came to the broker"


def wall_clock(program):
    """What a broker takes for the time, as its log says: at its start and last."""
    stamps = re.findall(r"^(\S+)Z ", program.log(), re.MULTILINE)
    return datetime.fromisoformat(stamps[0]), datetime.fromisoformat(stamps[-1])


@pytest.mark.parametrize("step", ["+3600", "-3600"])
def test_17_after_a_restart_with_another_wall_clock_tokens_rise_and_leases_are_what_they_were(
        start_broker, owners, tmp_path, step):
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    broker = start_broker("sync", **faked(offset))
    a, b = owners(broker, "a", "b")
    token = a.acquire("n", lease_ms=1500)["token"]
    other = a.acquire("other")["token"]
    broker.kill()
    killed = broker.program
    offset.write_text(step + "\n")
    broker.start()
    restarted = time.monotonic()
    assert broker.holder("n") == ("a", token)
    assert b.acquire("n", wait_ms=10_000)["token"] > other
    assert 1.4 < time.monotonic() - restarted < 2.5
    before, after = wall_clock(killed)[0], wall_clock(broker.program)[0]
    assert abs((after - before).total_seconds() - int(step)) < 60
