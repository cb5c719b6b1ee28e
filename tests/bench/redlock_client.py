"""Load for locks on Redis by the stock redlock-py, one thread for each owner; ends in a line of JSON like the C++ clients'.

`--clients N` lets N owners acquire and release a lock of their own each; `--waiters N` lets N + 1 contend for one lock.
"""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from redlock import Redlock

from measure import Run, flags_of, report

LEASE_MS = 30_000


def pairs(locks, run, name):
    """One owner's pairs. A pair's latency is its acquire's."""
    while run.seconds_left():
        started = time.perf_counter_ns()
        lock = locks.lock(name, LEASE_MS)
        granted = time.perf_counter_ns()
        if not lock:
            raise RuntimeError("the lock was not granted")
        locks.unlock(lock)
        run.answered(started, granted)


class HandOver:
    """Owners that contend for one lock. The latency is that from one's release to the next one's grant."""

    def __init__(self, locks, run):
        self._locks = locks
        self._run = run
        # Only the holder of the lock touches these two.
        self._released = 0
        self._passed_on = threading.Event()

    def contend(self):
        time.sleep(random.uniform(0, Redlock.default_retry_delay))  # started together they would also look together
        while self._run.seconds_left():
            lock = self._locks.lock("contended", LEASE_MS)
            if lock:
                self._hold(lock, time.perf_counter_ns())

    def _hold(self, lock, granted):
        if self._released:
            self._run.answered(self._released, granted)
        self._passed_on.set()
        # The release must fall anywhere between two tries of those who wait, not right behind one.
        time.sleep(random.uniform(0, Redlock.default_retry_delay))
        self._passed_on = passed_on = threading.Event()
        self._released = time.perf_counter_ns()
        self._locks.unlock(lock)
        # Who released would have the lock back before any that sleep look again: no hand-over.
        passed_on.wait(self._run.seconds_left())


def play(bodies):
    with ThreadPoolExecutor(len(bodies)) as threads:
        for done in [threads.submit(body) for body in bodies]:
            done.result()


def main():
    flags = flags_of(__doc__)
    flags.add_argument("--clients", type=int, default=1)
    flags.add_argument("--waiters", type=int, default=0)
    flags = flags.parse_args()
    locks, run = Redlock([flags.endpoint]), Run(flags)
    if flags.waiters:
        play([HandOver(locks, run).contend] * (flags.waiters + 1))
        result = run.result()
        del result["per_second"]  # it is that of the pauses
        report(result)
    else:
        play([lambda i=i: pairs(locks, run, f"lock of owner-{i}") for i in range(flags.clients)])
        report(run.result())


if __name__ == "__main__":
    main()
