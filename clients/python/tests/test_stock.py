"""Stock zerorpc servers, in Python and in Node, directly and through the proxy."""

import asyncio

import pytest

import zerosuite
from support.programs import wait_until
from support.proxies import upstream
from zerosuite import aio


def behind(suite, server, way):
    if way == "direct":
        return server
    proxy = suite.start_proxy(upstream("legacy", server.endpoint))
    proxy.await_workers(1)
    return proxy


@pytest.fixture(scope="module", params=["direct", "proxy"])
def python_server(request, suite):
    return behind(suite, suite.start_stock("server"), request.param)


@pytest.fixture(scope="module", params=["python direct", "python proxy", "node direct", "node proxy"])
def stock(request, suite):
    language, way = request.param.split()
    return behind(suite, suite.start_stock("server") if language == "python" else suite.start_node(), way)


def test_calls_streams_and_errors(stock):
    with zerosuite.Client(stock.endpoint) as client:
        assert client.add(88, 77) == 165
        assert client.echo({"a": [1, None, "ä", 2.5]}) == {"a": [1, None, "ä", 2.5]}
        assert list(client.count(1000)) == list(range(1000))
        assert list(client.count(300, slots=1)) == list(range(300))
        stream = client.fail_after(2)
        assert [next(stream), next(stream)] == [0, 1]
        with pytest.raises(ValueError, match="no more after 2"):
            next(stream)
        with pytest.raises(zerosuite.RemoteError) as raised:
            client.boom("Broken", "in two")
        assert (raised.value.name, raised.value.msg) == ("Broken", "in two")


def test_the_same_with_asyncio(stock):
    async def scenario():
        async with aio.Client(stock.endpoint) as client:
            assert await asyncio.gather(*(client.add(n, 1) for n in range(100))) == list(range(1, 101))
            assert [item async for item in client.count(1000)] == list(range(1000))
            with pytest.raises(zerosuite.RemoteError):
                await client.boom("Broken", "in two")

    asyncio.run(scenario())


def test_a_call_outlasts_the_heartbeats_of_both_sides(stock):
    with zerosuite.Client(stock.endpoint) as client:
        slow = client.submit("slow_async", 5500)
        assert client.add(1, 2) == 3
        assert slow.result(20) == "slept"


def test_bytes_and_big_integers_reach_python(python_server):
    with zerosuite.Client(python_server.endpoint) as client:
        assert list(client.count(0)) == []
        assert client.bytes() == b"\x00\xff\x80"
        assert client.echo(2**64 - 1) == 2**64 - 1
        assert client.none() is None and client.tuple() == [1, [2, 3]]
        assert len(client.big(3_000_000)) == 3_000_000


def test_an_unknown_method_of_a_python_server_is_a_name_error(python_server):
    with zerosuite.Client(python_server.endpoint) as client:
        with pytest.raises(NameError):
            client.nosuch()


def test_keywords_to_a_server_that_cannot_describe_itself_are_a_clear_error(suite):
    # A stock server on Python 3.11 or later fails in its own _zerorpc_inspect.
    with zerosuite.Client(suite.start_stock("server").endpoint) as client:
        with pytest.raises(TypeError, match="does not say what its arguments are called.*pass them by position"):
            client.add(1, b=2)


def test_keywords_work_with_node(suite):
    server = suite.start_node()
    with zerosuite.Client(server.endpoint) as client:
        assert client.add(b=1, a=2) == 3


def test_a_stream_that_is_left_early_ends_at_a_stock_server(suite, name):
    with zerosuite.Client(suite.start_stock("server").endpoint, heartbeat=1.0) as client:
        stream = client.endless(name, slots=5)
        assert next(stream) == 0
        stream.close()
        # It knows no cancellation, but has credit for so many items only.
        wait_until(lambda: client.fate(name)[1] >= 5)
        assert client.fate(name)[1] < 20
