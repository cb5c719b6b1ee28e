"""The same with asyncio."""

import asyncio

from zerosuite import aio


async def main() -> None:
    async with aio.Client("tcp://127.0.0.1:4243") as client:
        print(await client.math.add(88, 77))
        print(await asyncio.gather(*(client.math.add(n, 1) for n in range(64))))
        async for number in client.math.range(0, 3):
            print(number)

        async with aio.Lock(client, "stock of item 7", lease=30, wait=5) as hold:
            print("held with token", hold.token)

        ids = aio.ids.Ids(client)
        print(await ids.snowflake(), await ids.uuid7())


asyncio.run(main())
