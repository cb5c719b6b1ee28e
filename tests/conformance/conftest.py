"""Conformance: zerosuite's programs against stock zerorpc peers and against hand-made bytes.

`--subject=stock` runs the cases that hold for any zerorpc server against the stock python server instead: it proves
the tests, not us. `--through=proxy` puts a proxy in front of every server, ours or stock. Programs are looked for in ZEROSUITE_BIN, Node packages in ZEROSUITE_NODE_MODULES.
"""

import sys

import pytest

from support import background
from support.raw import Raw
from support.suite import Suite

sys.dont_write_bytecode = True


def pytest_addoption(parser):
    parser.addoption("--subject", choices=["ours", "stock"], default="ours", help="whose server is under test")
    parser.addoption("--through", choices=["nothing", "proxy"], default="nothing", help="what stands before it")


def pytest_configure(config):
    config.addinivalue_line("markers", "ours: what a stock python server does otherwise, or not at all")
    config.addinivalue_line("markers", "direct: what a proxy in between does otherwise, or takes no part in")
    config.suite = Suite(config.getoption("--subject"), config.getoption("--through"))


def pytest_collection_modifyitems(config, items):
    left_out = [marker for marker, wanted in (("ours", config.suite.subject == "ours"),
                                              ("direct", config.suite.through == "nothing")) if not wanted]
    unfit = [item for item in items if any(item.get_closest_marker(marker) for marker in left_out)]
    config.hook.pytest_deselected(items=unfit)
    items[:] = [item for item in items if item not in unfit]


def pytest_collection_finish(session):
    if not session.config.option.collectonly:
        wanted = {name for item in session.items for name in names_of(item)}
        background.start_all(session.config.suite, wanted)


def names_of(item):
    """The fixtures a test asks for, by argument or by parameter."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else []
    return [*item.fixturenames, *(value for value in parameters if isinstance(value, str))]


@pytest.fixture(scope="session", autouse=True)
def suite(request):
    yield request.config.suite
    background.wait_all()
    complaints = request.config.suite.stop()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def raw(suite):
    """Bytes to the test server."""
    with Raw(suite.peer.endpoint) as peer:
        yield peer


@pytest.fixture
def raw_math(suite):
    """Bytes to the math service."""
    with Raw(suite.math.endpoint) as peer:
        yield peer


@pytest.fixture(scope="session")
def python(suite):
    """A stock python client of the test server."""
    return suite.python_client(suite.peer)


@pytest.fixture(scope="session")
def node(suite):
    """A stock Node client of the test server."""
    return suite.node_client(suite.peer)


@pytest.fixture(scope="session")
def python_math(suite):
    """A stock python client of the math service."""
    return suite.python_client(suite.math)


@pytest.fixture(scope="session")
def node_math(suite):
    """A stock Node client of the math service."""
    return suite.node_client(suite.math)


@pytest.fixture(scope="session", params=["python", "node"])
def client(request):
    """Each stock client of the test server in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module", params=["python", "node"])
def ids(request, suite):
    """Each stock client of the id service in turn."""
    return (suite.python_client if request.param == "python" else suite.node_client)(suite.id)


@pytest.fixture(scope="session")
def python_ids(suite):
    """The stock client whose integers have 64 bits."""
    return suite.python_client(suite.id)
