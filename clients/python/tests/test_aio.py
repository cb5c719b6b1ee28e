"""The asyncio client against our services."""

import asyncio
import gc

import pytest

import zerosuite
from zerosuite import aio


def run(endpoint, scenario, **options):
    """Runs scenario(client) in a loop of its own."""
    async def with_client():
        async with aio.Client(endpoint, **options) as client:
            return await asyncio.wait_for(scenario(client), 30)

    return asyncio.run(with_client())


async def until(condition):
    """Waits for an awaitable condition to be true."""
    while not await condition():
        await asyncio.sleep(0.01)


def test_attributes_dots_names_and_keywords_call(math):
    async def scenario(client):
        assert await client.add(88, 77) == 165
        assert await client.math.add(88, 77) == 165
        assert await client("math.add", 88, 77) == 165
        assert await client.math.subtract(b=1, a=3) == 2

    run(math.endpoint, scenario)


def test_a_wrong_keyword_names_the_right_one(town):
    async def scenario(client):
        with pytest.raises(TypeError, match="did you mean 'lease_ms'"):
            await client.lock.acquire("x", lease=1)
        with pytest.raises(TypeError, match="did you mean .*subtract"):
            await client.math.subtrakt(a=1)

    run(town.endpoint, scenario)


def test_a_call_can_be_gathered_and_be_a_task(math):
    async def scenario(client):
        assert await asyncio.gather(*(client.add(n, 1) for n in range(500))) == list(range(1, 501))
        assert await asyncio.create_task(client.add(1, 2)) == 3
        assert await asyncio.wait_for(client.add(1, 2), 10) == 3

    run(math.endpoint, scenario)


def test_errors_are_raised_under_their_names(math):
    async def scenario(client):
        with pytest.raises(ZeroDivisionError) as raised:
            await client.divide(1, 0)
        assert isinstance(raised.value, zerosuite.RemoteError)
        with pytest.raises(TypeError, match="can not serialize"):
            await client.echo(object())

    run(math.endpoint, scenario)


def test_a_timeout_cancels_the_method(suite, name):
    async def scenario(client):
        with pytest.raises(zerosuite.TimeoutExpired):
            await client.slow_async(60_000, name, timeout=0.1)
        await until(lambda: is_cancelled(client, name))

    run(suite.peer.endpoint, scenario)


async def is_cancelled(client, tag):
    fate = await client.fate(tag)
    return fate is not None and fate[0] == "cancelled"


def test_a_cancelled_task_cancels_the_method(suite, name):
    async def scenario(client):
        task = asyncio.create_task(client.slow_async(60_000, name))
        await until(lambda: client.fate(name))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: is_cancelled(client, name))

    run(suite.peer.endpoint, scenario)


class TestStreams:
    def test_items_come_in_order_without_another_await(self, math):
        async def scenario(client):
            assert [number async for number in client.range(0, 10_000)] == list(range(10_000))
            assert [number async for number in await client.range(0, 5)] == [0, 1, 2, 3, 4]
            assert [number async for number in client.range(0, 0)] == []
            assert [number async for number in client.range(0, 50, slots=1)] == list(range(50))

        run(math.endpoint, scenario)

    def test_what_is_no_stream_cannot_be_iterated(self, math):
        async def scenario(client):
            with pytest.raises(TypeError, match="add.. returned no stream but 3"):
                async for _ in client.add(1, 2):
                    pass

        run(math.endpoint, scenario)

    def test_an_error_comes_after_the_items(self, suite):
        async def scenario(client):
            stream = await client.fail_after(3)
            assert [await stream.__anext__() for _ in range(3)] == [0, 1, 2]
            with pytest.raises(ValueError, match="no more after 3"):
                await stream.__anext__()
            assert [item async for item in stream] == []

        run(suite.peer.endpoint, scenario)

    def test_leaving_the_loop_stops_the_server(self, suite, name):
        async def scenario(client):
            async for item in client.endless(name):
                if item == 100:
                    break
            gc.collect()
            await until(lambda: is_cancelled(client, name))

        run(suite.peer.endpoint, scenario)

    def test_async_with_stops_the_server(self, suite, name):
        async def scenario(client):
            async with await client.endless(name) as stream:
                assert await stream.__anext__() == 0
            await until(lambda: is_cancelled(client, name))

        run(suite.peer.endpoint, scenario)

    def test_a_task_cancelled_while_it_waits_for_an_item_loses_none(self, suite):
        async def scenario(client):
            stream = await client.ticks(6, 50, "")
            taken = []
            while len(taken) < 6:
                try:
                    taken.append(await asyncio.wait_for(stream.__anext__(), 0.02))
                except asyncio.TimeoutError:
                    pass
            assert taken == list(range(6))

        run(suite.peer.endpoint, scenario)


class TestLife:
    def test_close_ends_open_calls(self, suite):
        async def scenario(client):
            task = asyncio.create_task(client.slow_async(60_000))
            await client.none()
            await client.close()
            with pytest.raises(zerosuite.Closed):
                await task
            with pytest.raises(zerosuite.Closed):
                await client.none()

        run(suite.peer.endpoint, scenario)

    def test_a_client_serves_one_loop_after_the_other(self, math):
        client = aio.Client(math.endpoint)

        async def add():
            return await client.add(1, 2)

        assert asyncio.run(add()) == 3
        assert asyncio.run(add()) == 3
        asyncio.run(client.close())

    def test_two_loops_at_a_time_are_refused(self, math):
        client = aio.Client(math.endpoint)
        first, second = asyncio.new_event_loop(), asyncio.new_event_loop()

        async def add():
            return await client.add(1, 2)

        try:
            assert first.run_until_complete(add()) == 3
            with pytest.raises(RuntimeError, match="belongs to another event loop"):
                second.run_until_complete(add())
            assert first.run_until_complete(add()) == 3
            first.run_until_complete(client.close())
        finally:
            first.close()
            second.close()

    def test_a_call_that_is_never_awaited_is_never_made(self, math):
        async def scenario(client):
            with pytest.warns(RuntimeWarning, match="never awaited"):
                client.add(1, 2)
                gc.collect()
            assert await client.add(1, 2) == 3

        run(math.endpoint, scenario)

    def test_calls_outlast_the_heartbeats(self, suite):
        async def scenario(client):
            assert await client.slow_async(1500) == "slept"

        run(suite.peer.endpoint, scenario, heartbeat=0.4)

    def test_an_endpoint_that_cannot_be_is_an_error_of_each_call(self):
        async def scenario(client):
            for _ in range(2):
                with pytest.raises(zerosuite.Error, match="cannot connect to ipc:///x"):
                    await client.add(1, 2)

        run("ipc:///" + "x" * 200, scenario)

    def test_nobody_listening_is_said_with_the_endpoint(self):
        async def scenario(client):
            with pytest.raises(zerosuite.LostRemote, match="no connection to tcp://127.0.0.1:9 .nobody is listening"):
                await client.add(1, 2)

        run("tcp://127.0.0.1:9", scenario, heartbeat=0.2)

    def test_a_loop_that_was_blocked_does_not_lose_its_server(self, suite):
        async def scenario(client):
            task = asyncio.create_task(client.slow_async(1500))
            await client.none()
            import time
            time.sleep(1.2)
            assert await task == "slept"

        run(suite.peer.endpoint, scenario, heartbeat=0.4)
