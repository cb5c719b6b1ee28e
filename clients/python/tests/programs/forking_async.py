"""An asyncio client in a process that forks: argument 1 is the endpoint. Prints the status of each child."""

import asyncio
import os
import sys
import traceback

from zerosuite import aio


async def use(client):
    assert await asyncio.gather(*(client.math.add(n, 1) for n in range(100))) == list(range(1, 101))
    async with aio.Lock(client, f"forked {os.getpid()}", wait=10):
        pass


async def main():
    async with aio.Client(sys.argv[1]) as client:
        await use(client)
        stop = asyncio.Event()

        async def load():
            number = 0
            while not stop.is_set():
                number += 1
                assert await client.math.add(number, 1) == number + 1

        tasks = [asyncio.create_task(load()) for _ in range(4)]
        statuses = []
        for _ in range(5):
            await asyncio.sleep(0.02)
            process = os.fork()
            if process == 0:
                status = 1
                try:
                    asyncio.run(use(client))
                    status = 0
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(status)
            statuses.append((await asyncio.to_thread(os.waitpid, process, 0))[1])
        stop.set()
        await asyncio.gather(*tasks)
        await use(client)
        print(statuses)


asyncio.run(main())
