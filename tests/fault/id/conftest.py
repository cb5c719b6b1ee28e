"""Faults of the id service: every id that anybody was told goes into a record, which is looked at in the end."""

import pytest

from support.fake_time import FakeWallClock
from support.id_checkers import Record
from support.id_service import Asker, Issuer
from support.redis_server import Gate, RedisServer


@pytest.fixture
def record():
    """Whatever the test does, no id in it is there twice, and none is out of order."""
    kept = Record()
    yield kept
    violations = kept.violations()
    assert not violations, "\n".join(violations)


@pytest.fixture
def start_issuer(suite):
    """Starts an id service: start_issuer(lease_ms=1500)."""
    def start(*flags, **options):
        return Issuer(suite, *flags, **options)

    return start


@pytest.fixture
def start_redis(suite):
    def start(*options, **how):
        return RedisServer(suite, *options, **how)

    return start


@pytest.fixture
def start_gate():
    """Opens a way to a Redis server on which things are lost."""
    gates = []

    def start(server):
        gates.append(Gate(server))
        return gates[-1]

    yield start
    for gate in gates:
        gate.close()


@pytest.fixture
def ask(record):
    """Asks an issuer for ids of a kind, and keeps a connection to each: ask(issuer, "seq", 3)."""
    askers = {}

    def ask_one(issuer, kind, n=1, seconds=5.0):
        return asker_of(issuer).get(kind, n, seconds)

    def asker_of(issuer):
        if issuer not in askers:
            askers[issuer] = Asker(issuer, record)
        return askers[issuer]

    ask_one.error = lambda issuer, kind, n=1, seconds=5.0: asker_of(issuer).error(kind, n, seconds)
    ask_one.try_one = lambda issuer, kind, n=1, seconds=5.0: asker_of(issuer).ask(kind, n, seconds)
    yield ask_one
    for asker in askers.values():
        asker.close()


@pytest.fixture
def clock(tmp_path):
    """A wall clock for an issuer, which the test sets."""
    return FakeWallClock(tmp_path / "clock")
