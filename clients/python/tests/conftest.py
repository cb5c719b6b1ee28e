"""The Python package against real servers: ours, directly and through the proxy, and stock ones in Python and Node.

Programs are looked for in ZEROSUITE_BIN, Node packages in ZEROSUITE_NODE_MODULES.
"""

import sys

import pytest

import zerosuite
from support.suite import Suite

sys.dont_write_bytecode = True


@pytest.fixture(scope="session")
def suite():
    """Servers that all tests of this process share."""
    programs = Suite("ours")
    yield programs
    complaints = programs.stop()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def own():
    """Servers of one test, which may kill and freeze them."""
    programs = Suite("ours")
    yield programs
    complaints = programs.stop()
    assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="session")
def town(suite):
    """A proxy before our three services, which the tests do not disturb."""
    proxy = suite.start_proxy()
    suite.start_worker("zerosuite-math", proxy.back)
    suite.start_worker("zerosuite-lock", proxy.back, ZEROSUITE_LOCK_DATA=suite.folder())
    suite.start_worker("zerosuite-id", proxy.back, ZEROSUITE_ID_DATA=suite.folder())
    proxy.await_workers(3)
    return proxy


@pytest.fixture(params=["direct", "proxy"])
def math(request, suite):
    """The math service, directly and through a proxy."""
    return suite.math if request.param == "direct" else request.getfixturevalue("town")


@pytest.fixture(params=["direct", "proxy"])
def locks(request, suite):
    """The lock service, directly and through a proxy."""
    return suite.lock if request.param == "direct" else request.getfixturevalue("town")


@pytest.fixture
def client(town):
    """A client of all services."""
    with zerosuite.Client(town.endpoint) as client:
        yield client


@pytest.fixture
def name(request):
    """A name for a lock, a tag or a sequence that no other test uses."""
    return request.node.nodeid
