"""Takes locks of a few names again and again and records it for the history checkers: arguments are the endpoint, the
file for the history, its name, the seconds, and "threads" or "tasks"."""

import asyncio
import random
import sys
import threading
import time

import msgpack

import zerosuite
from support.history import History
from zerosuite import aio

endpoint, path, me, seconds, kind = sys.argv[1:6]
history = History(path)
end = time.monotonic() + float(seconds)
dice = random.Random(me)


def about(call):
    """What a call does to a lock, as the history has it; None if it does nothing to one."""
    unpacker = msgpack.Unpacker(raw=False)
    unpacker.feed(call.packed)
    unpacker.unpack()
    args = unpacker.unpack()
    if call.method == "lock.acquire":
        name, owner, lease_ms, wait_ms, opts = args
        return history.sent(owner, "acquire", name=name, owner=owner, lease_ms=lease_ms, wait_ms=wait_ms,
                            request_id=opts["request_id"])
    if call.method == "lock.release":
        name, owner, token, opts = args
        return history.sent(owner, "release", name=name, owner=owner, token=token, request_id=opts["request_id"])
    if call.method == "lock.release_many":
        owner, held = args
        return history.sent(owner, "release_many", owner=owner, held=held)
    return None


def answered(made, call, value=None, error=None):
    for number in range(1, call.tries):
        # A try whose answer was lost is a call of its own, of which nobody knows what became.
        history._write({"id": f"{made.id}/{number}", "client": made.client, "op": made.op, "args": made.args,
                        "t_send": made.t_send})
    history.received(made, value, error and getattr(error, "name", type(error).__name__))


class Client(zerosuite.Client):
    def _finish(self, call):
        made = about(call)
        try:
            value = super()._finish(call)
        except zerosuite.Error as error:
            if made:
                answered(made, call, error=error)
            raise
        if made:
            answered(made, call, value)
        return value


class AsyncClient(aio.Client):
    async def _finish(self, call):
        made = about(call)
        try:
            value = await super()._finish(call)
        except zerosuite.Error as error:
            if made:
                answered(made, call, error=error)
            raise
        if made:
            answered(made, call, value)
        return value


def by_threads():
    with Client(endpoint) as client:
        def work():
            while time.monotonic() < end:
                lock = zerosuite.Lock(client, f"contended {dice.randrange(6)}", lease=2.0)
                try:
                    if lock.acquire(timeout=dice.choice([0, 0.2, 1.0])):
                        time.sleep(dice.random() * 0.02)
                        lock.release()
                except zerosuite.Error:
                    time.sleep(0.05)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


async def by_tasks():
    async with AsyncClient(endpoint) as client:
        async def work():
            while time.monotonic() < end:
                lock = aio.Lock(client, f"contended {dice.randrange(6)}", lease=2.0)
                try:
                    if await lock.acquire(timeout=dice.choice([0, 0.2, 1.0])):
                        await asyncio.sleep(dice.random() * 0.02)
                        await lock.release()
                except zerosuite.Error:
                    await asyncio.sleep(0.05)

        await asyncio.gather(*(work() for _ in range(4)))


by_threads() if kind == "threads" else asyncio.run(by_tasks())
