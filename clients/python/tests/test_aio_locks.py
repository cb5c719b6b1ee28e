"""Locks for asyncio against the lock service, directly and through the proxy."""

import asyncio
import logging

import pytest

import zerosuite
from zerosuite import aio, errors


@pytest.fixture
def run(locks):
    def run(scenario):
        async def with_client():
            async with aio.Client(locks.endpoint) as client:
                return await asyncio.wait_for(scenario(client), 30)

        return asyncio.run(with_client())

    return run


async def held(client, name):
    return (await client("lock.info", name))["held"]


async def until(condition):
    while not await condition():
        await asyncio.sleep(0.01)


async def in_task(awaitable):
    """As another owner."""
    return await asyncio.ensure_future(awaitable)


def test_a_block_runs_while_the_lock_is_held(run, name):
    async def scenario(client):
        async with aio.Lock(client, name) as hold:
            assert await held(client, name) and hold.token > 0 and 29 < hold.expires_in < 30
        assert not await held(client, name)

    run(scenario)


def test_a_block_never_runs_unlocked(run, name):
    async def scenario(client):
        async def other():
            with pytest.raises(zerosuite.NotAcquired):
                async with aio.Lock(client, name, wait=0.05):
                    pytest.fail("the body ran without the lock")
            return True

        async with aio.Lock(client, name):
            assert await in_task(other())

    run(scenario)


def test_acquire_says_whether_it_is_held(run, name):
    async def scenario(client):
        lock = aio.Lock(client, name)
        assert await lock.acquire()
        assert await in_task(lock.acquire(blocking=False)) is False
        assert await in_task(lock.acquire(timeout=0.05)) is False
        assert await lock.acquire(timeout=0) is False
        with pytest.raises(errors.NotReentrant):
            await lock.acquire(timeout=1)
        assert await lock.locked()
        await lock.release()
        assert await in_task(lock.acquire(timeout=0.05)) is True
        await lock.release()  # of another task
        with pytest.raises(zerosuite.NotHeld):
            await lock.release()

    run(scenario)


def test_the_tasks_of_a_gather_are_different_owners(run, name):
    async def scenario(client):
        inside, most = 0, 0

        async def enter():
            nonlocal inside, most
            async with aio.Lock(client, name):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.001)
                inside -= 1

        await asyncio.gather(*(enter() for _ in range(30)))
        assert most == 1

    run(scenario)


def test_a_cancelled_waiter_leaves_the_line(run, name):
    async def scenario(client):
        async with aio.Lock(client, name):
            waiter = asyncio.create_task(aio.Lock(client, name).acquire())

            async def queued():
                return (await client("lock.info", name))["queue_len"] == 1

            await until(queued)
            waiter.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiter

            async def left():
                return (await client("lock.info", name))["queue_len"] == 0

            await until(left)

    run(scenario)


def test_a_body_that_is_cancelled_gives_the_lock_back(run, name):
    async def scenario(client):
        async def body():
            async with aio.Lock(client, name):
                entered.set()
                await asyncio.sleep(60)

        entered = asyncio.Event()
        task = asyncio.create_task(body())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not await held(client, name)

    run(scenario)


def test_a_lock_is_kept_for_many_leases(run, name):
    async def scenario(client):
        async with aio.Lock(client, name, lease=0.9) as hold:
            await asyncio.sleep(2.5)
            hold.check()
            assert await held(client, name)

    run(scenario)


def test_a_loss_is_told_by_event_and_callback_and_ends_the_block(run, name):
    async def scenario(client):
        told = []
        with pytest.raises(zerosuite.LockLost):
            async with aio.Lock(client, name, lease=3.0, on_lost=told.append) as hold:
                await client("lock.force_release", name, "an operator")
                await asyncio.wait_for(hold.lost.wait(), 10)
                await asyncio.sleep(0)
                assert told == [hold]
                with pytest.raises(zerosuite.LockLost):
                    hold.check()

    run(scenario)


def test_the_body_goes_on_after_a_loss_unless_asked_otherwise(run, name):
    async def scenario(client):
        ended = []
        with pytest.raises(zerosuite.LockLost):
            async with aio.Lock(client, name, lease=3.0) as hold:
                await client("lock.force_release", name, "an operator")
                await hold.lost.wait()
                await asyncio.sleep(0.05)
                ended.append("by itself")
        with pytest.raises(zerosuite.LockLost):
            async with aio.Lock(client, name, lease=3.0, cancel_on_lost=True):
                await client("lock.force_release", name, "an operator")
                await asyncio.sleep(60)
        assert ended == ["by itself"]
        await asyncio.sleep(0)  # the task is not cancelled any more

    run(scenario)


def test_a_cancellation_from_outside_stays_one(run, name):
    async def scenario(client):
        async def body():
            async with aio.Lock(client, name, cancel_on_lost=True):
                entered.set()
                await asyncio.sleep(60)

        entered = asyncio.Event()
        task = asyncio.create_task(body())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(scenario)


def test_the_error_of_the_body_goes_before_the_loss(run, name, caplog):
    async def scenario(client):
        with pytest.raises(KeyError), caplog.at_level(logging.WARNING, "zerosuite"):
            async with aio.Lock(client, name, lease=3.0) as hold:
                await client("lock.force_release", name, "an operator")
                await hold.lost.wait()
                raise KeyError("the body's")

    run(scenario)


def test_the_other_kinds(run, name):
    async def scenario(client):
        reentrant = aio.RLock(client, name)
        async with reentrant as outer:
            async with reentrant as inner:
                assert outer is inner
            assert await in_task(reentrant.acquire(blocking=False)) is False
            assert await held(client, name)
        assert not await held(client, name)

        semaphore = aio.Semaphore(client, name + "s", 2)
        assert [await semaphore.acquire(timeout=0) for _ in range(3)] == [True, True, False]
        await semaphore.release()
        await semaphore.release()

        shelf = aio.RWLock(client, name + "rw")
        async with shelf.read:
            async def read_too():
                async with shelf.read:
                    return True

            assert await in_task(read_too())
            assert await in_task(shelf.write.acquire(timeout=0)) is False
        names = [name + "1", name + "2"]
        async with aio.MultiLock(client, names) as hold:
            await hold.extend(20)
            assert hold.expires_in > 19 and await held(client, names[1])
        assert not await held(client, names[1])

    run(scenario)


def test_a_decorated_function_runs_under_the_lock(run, locks, name, monkeypatch):
    monkeypatch.setenv("ZEROSUITE_ENDPOINT", locks.endpoint)

    async def scenario(client):
        @aio.locked(name + "-{item}", client, wait=1)
        async def sell(item):
            return await held(client, f"{name}-{item}")

        @aio.locked(name)
        async def alone():
            return await held(client, name)

        assert await sell(3) is True and await sell(item=4) is True and await alone() is True
        with pytest.raises(TypeError, match="zerosuite.locked"):
            aio.locked("x", client)(lambda: None)

    run(scenario)


def test_a_grant_that_this_task_never_heard_of_is_given_back_first(run, name):
    async def scenario(client):
        owner = aio._locks.Registry.of(client).owner
        assert (await client("lock.acquire", name, owner, 60_000))["ok"]
        async with aio.Lock(client, name, wait=5):
            pass
        assert not await held(client, name)

    run(scenario)
