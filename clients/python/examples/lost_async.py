"""A block that is cancelled when its lock is lost."""

import asyncio

import zerosuite
from zerosuite import aio


async def main() -> None:
    async with aio.Client("tcp://127.0.0.1:4243") as client:
        try:
            async with aio.Lock(client, "long work", lease=1, cancel_on_lost=True):
                await client.lock.force_release("long work", "the operator knows better")
                await asyncio.sleep(3600)
        except zerosuite.LockLost as error:
            print(error)


asyncio.run(main())
