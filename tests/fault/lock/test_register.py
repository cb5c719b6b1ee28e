"""C8, the positive control: leases alone do not keep a stopped holder from writing, and fencing tokens do.

If the first half did not fail here, these tests would be blind.
"""

import json
import signal
import sys
import time
from pathlib import Path

import pytest

from support import checkers
from support.programs import Program, wait_until

from register import Register

LEASE = 500


class Writer(Program):
    """writer.py, a step at a time."""

    ends_with_its_input = True

    def __init__(self, endpoint, path, value):
        folder = Path(__file__).parent
        super().__init__([sys.executable, folder / "writer.py", endpoint, path, value, LEASE])

    def said(self, key):
        return json.loads(self.await_line(rf'^\{{"{key}".*').group(0))[key]

    def step(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()


@pytest.fixture
def register(tmp_path):
    return tmp_path / "register"


def test_a_holder_stopped_beyond_its_lease_breaks_what_only_leases_protect_and_not_what_tokens_do(
        suite, start_broker, register):
    broker = start_broker()
    first = suite.keep(Writer(broker.endpoint, register, "first"))
    token = first.said("token")
    first.process.send_signal(signal.SIGSTOP)
    second = suite.keep(Writer(broker.endpoint, register, "second"))
    assert second.said("token") > token, "it gets the lock once the lease has passed"
    second.step()
    assert second.said("accepted") is True
    first.step()
    first.process.send_signal(signal.SIGCONT)
    assert first.said("accepted") is False
    for writer in (first, second):
        writer.step()
    assert first.said("released") == "LeaseExpired"
    assert second.said("released") is True
    kept = Register(register)
    acknowledged = ["first", "second"]
    assert checkers.lost_updates(acknowledged, kept.read()) == ["'second' was acknowledged and is lost"]
    guarded = kept.read_guarded(1 << 53)
    assert checkers.lost_updates(["second"], guarded) == []
    assert checkers.foreign_updates(["second"], ["first"], guarded) == []


def test_holders_that_keep_to_their_leases_lose_nothing(suite, start_broker, register):
    broker = start_broker()
    values = [str(number) for number in range(6)]
    writers = [suite.keep(Writer(broker.endpoint, register, value)) for value in values]
    begun = time.monotonic()
    for writer in writers:
        writer.step()
        writer.step()
    accepted = [writer.said("accepted") for writer in writers]
    assert accepted == [True] * 6 or time.monotonic() - begun > LEASE / 1000
    wait_until(lambda: broker.stats()["held"] == 0)
    kept = Register(register)
    wanted = [value for value, taken in zip(values, accepted) if taken]
    assert checkers.lost_updates(wanted, kept.read_guarded(1 << 53)) == []
