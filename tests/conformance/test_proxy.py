"""Stock clients before a proxy with several services and several workers of each."""

import subprocess
import sys

import pytest

from support.background import background
from support.programs import PEERS

pytestmark = [pytest.mark.ours, pytest.mark.direct]

CLIENTS = ("python_client", "node_client", "our_client")
WORKERS = 4  # of each of our services: see Suite.town


@pytest.fixture(scope="module")
def town(suite):
    return suite.town


@pytest.fixture(scope="module", params=CLIENTS)
def resident(request, suite, town):
    """Each client of the proxy in turn."""
    return getattr(suite, request.param)(town)


def test_every_service_is_reached_by_qualified_and_by_unambiguous_bare_names(resident):
    assert resident.call("math.add", 88, 77) == resident.call("legacy.add", 88, 77) == 165
    assert resident.call("factorial", 5) == 120
    assert resident.call("peer.tuple") == [1, [2, 3]]
    assert resident.error("echo", 1).name == "AmbiguousMethod"
    assert resident.error("math.nosuch").message == "math.nosuch: no such method"


@pytest.mark.parametrize("service", ["math.range", "peer.count"])
def test_a_stream_of_ten_thousand_items_stays_on_its_worker(resident, service):
    args = [0, 10_000] if service == "math.range" else [10_000]
    assert resident.items(service, *args) == list(range(10_000))


def test_many_streams_and_calls_at_once(resident):
    streams = [resident.start("stream", method="math.range", args=[0, 2_000]) for _ in range(8)]
    calls = [resident.start("call", method="peer.slow_async", args=[200]) for _ in range(100)]
    assert all(call.result(30)["value"] == "slept" for call in calls)
    assert all(stream.result(60)["items"] == list(range(2_000)) for stream in streams)


def test_a_slow_reader_holds_its_worker_back_and_loses_nothing(suite, town):
    answer = suite.python_client(town).stream("peer.count", 1_000, pause=0.001)
    assert answer["items"] == list(range(1_000))


def test_errors_arrive_as_from_a_server(resident):
    error = resident.error("peer.boom", "NoSuchTag", "mañana")
    assert (error.name, error.message) == ("NoSuchTag", "mañana")
    assert resident.error("math.divide", 1, 0).name == "ZeroDivisionError"


def test_inspection_describes_all_services_and_the_proxy_itself(resident):
    answer = resident.call("_zerorpc_inspect")
    methods = answer["methods"]
    assert answer["name"] == "proxy"
    assert {"math.add", "peer.count", "legacy.add", "proxy.workers", "proxy.drain"} <= set(methods)
    assert list(methods) == sorted(methods)
    assert methods["math.range"]["args"][2] == {"name": "step", "default": 1}
    assert methods["math.add"]["idempotent"] is True
    services = answer["services"]
    assert {name: services[name]["workers"] for name in services} == {"math": WORKERS, "peer": WORKERS, "legacy": 1}


def test_the_proxys_own_methods_are_methods_like_any_other(resident):
    assert resident.call("proxy.ping") == "pong"
    assert resident.call("proxy.ready") is True and resident.call("proxy.ready", "nosuch") is False
    assert len(resident.call("proxy.workers")) == 2 * WORKERS + 1
    assert resident.call("proxy.stats")["calls"] > 0
    assert all(channel["method"] == "peer.slow_async" for channel in resident.call("proxy.channels", "peer."))
    assert resident.call("proxy.channels", "math.") == []
    assert resident.error("workers").name == "NameError", "they need their prefix"
    assert resident.error("proxy.drain").name == "TypeError"


def test_the_stock_command_line_lists_and_calls_through_the_proxy(town):
    def zerorpc(*words):
        return subprocess.run([sys.executable, PEERS / "cli.py", *words], capture_output=True, text=True, timeout=60,
                              check=True).stdout

    lines = zerorpc(town.endpoint).splitlines()
    assert lines[0] == "[proxy]"
    assert {"math.add", "peer.count", "legacy.add", "proxy.stats"} <= {line.split()[0] for line in lines[1:]}
    assert zerorpc("-j", town.endpoint, "math.add", "88", "77") == "165\n"
    assert zerorpc("-j", town.endpoint, "peer.count", "3") == "0\n1\n2\n"


def long_calls(suite, kind, *flags):
    """Twelve seconds, sixteen times at once, on four workers."""
    client = getattr(suite, kind)(suite.town, *flags)
    calls = [client.start("call", method="peer.slow_async", args=[12_000]) for _ in range(16)]
    return [call.result(40).get("value") for call in calls]


@background
def long_calls_of_python(suite):
    return long_calls(suite, "python_client")


@background
def long_calls_of_a_hasty_python(suite):
    return long_calls(suite, "python_client", "--heartbeat", "1")


@background
def long_calls_of_node(suite):
    return long_calls(suite, "node_client")


@background
def long_calls_of_a_hasty_node(suite):
    return long_calls(suite, "node_client", "1000")


@background
def long_calls_of_ours(suite):
    return long_calls(suite, "our_client")


@pytest.mark.parametrize("caller", ["long_calls_of_python", "long_calls_of_a_hasty_python", "long_calls_of_node",
                                    "long_calls_of_a_hasty_node", "long_calls_of_ours"])
def test_long_calls_keep_their_heartbeats_on_any_of_four_workers(request, caller):
    assert request.getfixturevalue(caller) == ["slept"] * 16
