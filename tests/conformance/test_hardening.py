"""What a program brings against its own bugs and against curious neighbours: its ELF headers, and where its secrets are."""

import contextlib
import re
import shutil
import subprocess

import pytest

from support.programs import BIN, Server, sanitized

pytestmark = [pytest.mark.ours, pytest.mark.direct]

PROGRAMS = ("zerosuite-proxy", "zerosuite-math", "zerosuite-lock", "zerosuite-id")
DIGITS = "8f1c0e5d2a7b4c639e80d1f24a5b6c7d" * 2
OTHER = "d93a5e0471bc28f6603fa9c2d7518e4b"


@pytest.fixture(scope="module")
def elf():
    """What readelf says of a program."""
    if shutil.which("readelf") is None:
        pytest.skip("no readelf here; it is in Debian's binutils")
    cache = BIN.parent / "CMakeCache.txt"
    if sanitized("zerosuite-math") or (cache.exists() and "CMAKE_BUILD_TYPE:STRING=Release\n" not in cache.read_text()):
        pytest.skip("only a release build is hardened")

    def read(program):
        return subprocess.run(["readelf", "-hldW", "--dyn-syms", BIN / program], capture_output=True, text=True,
                              check=True).stdout

    return read


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_hardened_as_debians_own_are(elf, program):
    told = elf(program)
    assert re.search(r"Type: +DYN ", told), "no PIE"
    assert re.search(r"^ +GNU_RELRO ", told, re.MULTILINE), "no RELRO"
    assert re.search(r"\(FLAGS_1\).*\bNOW\b", told), "no BIND_NOW"
    assert re.search(r"^ +GNU_STACK +(0x\w+ +){5}RW +", told, re.MULTILINE), "its stack can be run"
    assert " __stack_chk_fail@" in told, "no stack protector"
    assert re.search(r" __\w+(?<!stack)_chk@", told), "no fortified call"
    assert " sodium_init" in told, "libsodium is not started"


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
