"""The founding document's own programs, a port apart: a server with add, and a client that prints add(88, 77)."""

import subprocess
import sys

import pytest

from support.programs import PEERS, Server


def printed(endpoint):
    return subprocess.run([sys.executable, PEERS / "founding_client.py", endpoint], capture_output=True, text=True,
                          timeout=30, check=True).stdout


def test_their_client_prints_165_from_our_server(suite):
    assert printed(suite.math.endpoint) == "zerorpc client\n165\n"


@pytest.mark.ours
def test_our_client_gets_165_from_their_server(suite):
    server = Server([sys.executable, PEERS / "founding_server.py"])
    assert suite.our_client(server).call("add", 88, 77) == 165
    assert server.finish() == 0
