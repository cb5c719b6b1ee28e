"""What needs a process of its own: signals, forks, gevent's patches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import zerosuite
from support.programs import ROOT, wait_until

PROGRAMS = Path(__file__).parent / "programs"
SOURCES = os.pathsep.join([str(ROOT / "clients" / "python" / "src"), str(ROOT / "tests")])


def start(program, *arguments, **options):
    command = [sys.executable, PROGRAMS / program, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "PYTHONPATH": SOURCES}, **options)


def run(program, *arguments, seconds=60):
    """What it printed; it must end well."""
    process = start(program, *arguments)
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, errors = process.communicate()
        pytest.fail(f"{program} did not end in {seconds} s: {out}\n{errors}")
    assert process.returncode == 0, f"{out}\n{errors}"
    return out


def test_no_interrupt_loses_or_mixes_up_answers(suite):
    came = json.loads(run("interrupted.py", suite.math.endpoint, 5))
    assert came["interrupts"] > 500 and came["answers"] > 100 and came["beside"] > 100
    assert came["wrong"] == came["beside_wrong"] == 0
    assert came["still_works"] and not came["stuck"]


def test_no_interrupted_acquire_leaves_a_lock_behind(own):
    broker = own.start_lock()
    process = start("interrupted_locks.py", broker.endpoint, 4)
    try:
        came = json.loads(process.stdout.readline())
        assert came["names"] > 200 and came["entered"] > 50 and came["interrupts"] > 100
        with zerosuite.Client(broker.endpoint) as client:
            wait_until(lambda: client("lock.stats")["held"] == 0, every=0.05, seconds=20)
    finally:
        process.communicate("")
    assert process.returncode == 0


def test_forked_children_use_what_they_inherited_and_disturb_nobody(town):
    forks = 25
    came = json.loads(run("forking.py", town.endpoint, forks))
    assert came["statuses"] == [0] * forks and came["failures"] == []
    assert came["ids"] == came["different"] == forks * 2000 + 5000


def test_forked_children_use_an_asyncio_client_in_loops_of_their_own(town):
    assert run("forking_async.py", town.endpoint) == "[0, 0, 0, 0, 0]\n"


def test_gevents_patches_make_it_cooperate(suite, town):
    assert run("patched.py", suite.peer.endpoint, town.endpoint) == "all is well\n"


def test_patches_that_come_too_late_are_named(suite):
    assert "patch first" in run("patched_too_late.py", suite.math.endpoint)
