"""Faults: processes killed, stopped and restarted under load. Every call sent is accounted for."""

import sys

import pytest

from support.suite import Suite

sys.dont_write_bytecode = True


@pytest.fixture
def suite():
    """The processes of one test; all that were not killed must end well."""
    programs = Suite("ours")
    yield programs
    complaints = programs.stop()
    assert not complaints, "\n".join(complaints)
