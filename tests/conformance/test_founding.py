"""The founding document's own programs, a port apart: a server with add, a client that prints add(88, 77), and fifty
threads that contend for one lock."""

import json
import subprocess
import sys

import pytest

from support.programs import PEERS, Server
from support.raw import Raw


def printed(program, endpoint):
    return subprocess.run([sys.executable, PEERS / program, endpoint], capture_output=True, text=True, timeout=90,
                          check=True).stdout


def test_their_client_prints_165_from_our_server(suite):
    assert printed("founding_client.py", suite.math.endpoint) == "zerorpc client\n165\n"


@pytest.mark.ours
def test_our_client_gets_165_from_their_server(suite):
    server = Server([sys.executable, PEERS / "founding_server.py"])
    assert suite.our_client(server).call("add", 88, 77) == 165
    assert server.finish() == 0


@pytest.mark.ours
def test_fifty_threads_take_the_lock_one_after_the_other_and_all_of_them_get_it(suite):
    with Raw(suite.lock.endpoint) as raw:
        before = raw.value("stats")
        told = json.loads(printed("founding_seckill.py", suite.lock.endpoint))
        after = raw.value("stats")
        assert raw.value("info", "resource")["held"] is False
    assert told == {"left": 0, "sold": 50, "identifiers": 50, "overlaps": 0, "refused": 0}
    assert after["grants"] - before["grants"] == after["releases"] - before["releases"] == 50
