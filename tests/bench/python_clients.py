"""Compares the Python clients: the stock zerorpc client against zerosuite's, sync and asyncio, with heartbeats and
deadlines on. All contenders run side by side, each in a process of its own, and take turns in short bursts in random
order, so that whatever else the machine does meets all of them.

usage: python_clients.py [--rounds N] [--burst_ms MS]    (ZEROSUITE_BIN says where the programs are)
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ITEMS = 20_000  # of a stream
AT_ONCE = 64

#: What is compared, the stock client's way first, and what was promised.
BARS = [
    ("one call at a time", "stock", [("sync", 2.2), ("async", None)]),
    ("64 at once", "stock_64", [("threads_64", 4), ("futures_64", 12), ("tasks_64", 12)]),
    ("stream items", "stock_stream", [("sync_stream", 4), ("async_stream", 4)]),
]


def until(seconds):
    """A function that says whether there is time left."""
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() < end


def rate(count, began):
    return count / (time.perf_counter() - began)


class Stock:
    """The stock client; 64 at once are greenlets."""

    def __init__(self, endpoint):
        import gevent
        import zerorpc
        self.gevent = gevent
        self.client = zerorpc.Client(endpoint, timeout=30)

    def one(self, go_on):
        began, count = time.perf_counter(), 0
        while go_on():
            self.client.add(3, 4)
            count += 1
        return rate(count, began)

    def many(self, go_on):
        began, counts = time.perf_counter(), []

        def work():
            count = 0
            while go_on():
                self.client.add(3, 4)
                count += 1
            counts.append(count)

        self.gevent.joinall([self.gevent.spawn(work) for _ in range(AT_ONCE)])
        return rate(sum(counts), began)

    def stream(self, _):
        began = time.perf_counter()
        return rate(sum(1 for _ in self.client.range(0, ITEMS)), began)


class Sync:
    def __init__(self, endpoint):
        import zerosuite
        self.client = zerosuite.Client(endpoint)

    def one(self, go_on):
        began, count, add = time.perf_counter(), 0, self.client.add
        while go_on():
            add(3, 4)
            count += 1
        return rate(count, began)

    def threads(self, go_on):
        counts, gate = [], threading.Barrier(AT_ONCE + 1)

        def work():
            count, add = 0, self.client.add
            gate.wait()
            while go_on():
                add(3, 4)
                count += 1
            counts.append(count)

        workers = [threading.Thread(target=work) for _ in range(AT_ONCE)]
        for worker in workers:
            worker.start()
        began = time.perf_counter()
        gate.wait()
        for worker in workers:
            worker.join()
        return rate(sum(counts), began)

    def futures(self, go_on):
        began, count, submit = time.perf_counter(), 0, self.client.submit
        window = [submit("add", 3, 4) for _ in range(AT_ONCE)]
        while go_on():
            for place, future in enumerate(window):
                future.result()
                window[place] = submit("add", 3, 4)
            count += AT_ONCE
        for future in window:
            future.result()
        return rate(count + AT_ONCE, began)

    def stream(self, _):
        began = time.perf_counter()
        return rate(sum(1 for _ in self.client.range(0, ITEMS)), began)


class Async:
    def __init__(self, endpoint):
        import zerosuite.aio
        self.loop = asyncio.new_event_loop()
        self.client = zerosuite.aio.Client(endpoint)

    async def _work(self, go_on):
        count, add = 0, self.client.add
        while go_on():
            await add(3, 4)
            count += 1
        return count

    def _run(self, width, go_on):
        async def all_of_them():
            return await asyncio.gather(*(self._work(go_on) for _ in range(width)))

        began = time.perf_counter()
        return rate(sum(self.loop.run_until_complete(all_of_them())), began)

    def one(self, go_on):
        return self._run(1, go_on)

    def tasks(self, go_on):
        return self._run(AT_ONCE, go_on)

    def stream(self, _):
        async def take():
            count = 0
            async for _ in self.client.range(0, ITEMS):
                count += 1
            return count

        began = time.perf_counter()
        return rate(self.loop.run_until_complete(take()), began)


CONTENDERS = {
    "stock": (Stock, "one"), "stock_64": (Stock, "many"), "stock_stream": (Stock, "stream"),
    "sync": (Sync, "one"), "threads_64": (Sync, "threads"), "futures_64": (Sync, "futures"),
    "sync_stream": (Sync, "stream"),
    "async": (Async, "one"), "tasks_64": (Async, "tasks"), "async_stream": (Async, "stream"),
}


def play(name, endpoint):
    """In the contender's process: a burst for each line, of that many seconds, and its calls per second."""
    kind, method = CONTENDERS[name]
    burst = getattr(kind(endpoint), method)
    for line in sys.stdin:
        print(json.dumps(burst(until(float(line)))), flush=True)


class Contender:
    def __init__(self, name, endpoint):
        self.rates = []
        path = os.pathsep.join([str(ROOT / "clients" / "python" / "src"), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen([sys.executable, __file__, "--play", name, "--endpoint", endpoint],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "PYTHONPATH": path})

    def burst(self, seconds):
        print(seconds, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


def compare(endpoint, rounds, seconds):
    contenders = {name: Contender(name, endpoint) for name in CONTENDERS}
    try:
        for number in range(rounds + 1):
            for name in random.sample(list(contenders), len(contenders)):
                measured = contenders[name].burst(seconds)
                if number:  # the first round warms up
                    contenders[name].rates.append(measured)
    finally:
        for contender in contenders.values():
            contender.end()
    return {name: contender.rates for name, contender in contenders.items()}


def report(rates):
    """Prints the medians and what became of each promise; answers whether all are kept."""
    kept = True
    for what, stock, others in BARS:
        print(f"{what}: stock {statistics.median(rates[stock]):,.0f}/s")
        for name, bar in others:
            ratio = statistics.median(ours / theirs for ours, theirs in zip(rates[name], rates[stock]))
            verdict = "" if bar is None else f"  (promised: {bar} x)"
            kept = kept and (bar is None or ratio >= bar)
            print(f"  {name:<14} {statistics.median(rates[name]):>9,.0f}/s  {ratio:5.1f} x{verdict}")
    return kept


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--rounds", type=int, default=30)
    flags.add_argument("--burst_ms", type=int, default=150)
    flags.add_argument("--play")
    flags.add_argument("--endpoint")
    flags = flags.parse_args()
    if flags.play:
        return play(flags.play, flags.endpoint)
    sys.path.insert(0, str(ROOT / "tests"))
    from support.programs import BIN, Server
    server = Server([BIN / "zerosuite-math", "--bind", "tcp://127.0.0.1:*"])
    try:
        kept = report(compare(flags.endpoint or server.endpoint, flags.rounds, flags.burst_ms / 1000))
    finally:
        server.finish()
    sys.exit(not kept)


if __name__ == "__main__":
    main()
