"""Where a program's secrets are, and where they are not."""

import contextlib
import re

import pytest

from support.programs import BIN, Server, sanitized

pytestmark = [pytest.mark.ours, pytest.mark.direct]

DIGITS = "8f1c0e5d2a7b4c639e80d1f24a5b6c7d" * 2
OTHER = "d93a5e0471bc28f6603fa9c2d7518e4b"


@pytest.fixture
def issuer(tmp_path):
    server = Server([BIN / "zerosuite-id", "--bind", f"ipc://{tmp_path}/id", "--data", tmp_path / "data"],
                    ZEROSUITE_ID_KEYS=f"a {DIGITS},b {OTHER}", ZEROSUITE_ID_LOG_LEVEL="info")
    server.await_line(r" ready\b")
    yield server
    assert server.finish() == 0


def readable_in_a_dump(pid):
    """What a core dump of a process would hold: its mappings but those that are left out (proc(5): "dd")."""
    with open(f"/proc/{pid}/smaps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            if found := re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line):
                place = [int(end, 16) for end in found.groups()]
            elif re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                place = None
            elif line.startswith("VmFlags:") and place and not {"dd", "io"} & set(line.split()):
                with contextlib.suppress(OSError, OverflowError):  # what the kernel shows and does not keep
                    memory.seek(place[0])
                    yield memory.read(place[1] - place[0])


def test_keys_of_the_environment_are_not_shown_in_proc(issuer):
    with open(f"/proc/{issuer.process.pid}/environ", "rb") as file:
        environment = file.read()
    assert b"ZEROSUITE_ID_LOG_LEVEL=info" in environment
    assert DIGITS.encode() not in environment and OTHER.encode() not in environment


def test_keys_are_in_nothing_that_a_core_dump_would_hold(issuer):
    if sanitized("zerosuite-id"):
        pytest.skip("AddressSanitizer keeps copies of its own")
    dump = list(readable_in_a_dump(issuer.process.pid))
    assert any(b"ZEROSUITE_ID_LOG_LEVEL=info" in part for part in dump), "this did not read its memory"
    for digits in (DIGITS, OTHER):
        for secret in (digits.encode(), bytes.fromhex(digits)):
            assert not any(secret[:16] in part for part in dump)
