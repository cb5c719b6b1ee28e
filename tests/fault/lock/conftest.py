"""Faults of the lock service: every answer goes into a history, and the checkers look at it when the test is over."""

import itertools

import pytest

from support import checkers
from support.history import History
from support.linearize import not_linearizable
from support.lock_service import Broker, Owner


@pytest.fixture
def history():
    """What the test's owners asked and were told; checked for what must hold under any fault."""
    kept = History()
    yield kept
    ops = kept.ops()
    violations = (checkers.overlaps(ops) + checkers.token_order(ops) + checkers.differing_answers(ops)
                  + not_linearizable(ops, crashes=True))
    assert not violations, "\n".join(violations)


@pytest.fixture
def start_broker(suite):
    """Starts a lock service: start_broker("async", ZEROSUITE_LOCK_HEARTBEAT_MS="1000")."""
    def start(durability="sync", **options):
        return Broker(suite, durability, **options)

    return start


@pytest.fixture
def owners(suite, history):
    """Makes owners, each with a stock client of its own: owners(broker, "a", "b")."""
    numbers = itertools.count(1)

    def make(server, *names, heartbeat=None):
        flags = () if heartbeat is None else ("--heartbeat", heartbeat)
        return [Owner(name or f"owner-{next(numbers)}", suite.python_client(server, *flags), history)
                for name in names]

    return make
