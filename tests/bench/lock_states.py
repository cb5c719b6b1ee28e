"""What a lock broker is like when it is idle, crowded, worn and just killed; and what the disk under it can do."""

import functools
import os
import tempfile
import time
from statistics import median

import memory
from bars import compare
from processes import run_client

IDLE_MIB, WAITS_MIB, GROWTH, RECOVERY_SECONDS = 20, 80, 1.05, 1
WAITS, HELD = 10_000, 100_000
EARLY, LATER = 500_000, 1_000_000
BLOCK, WRITES = 4096, 200
HOLD = ("--hold", str(HELD))


def mib(server, key="VmRSS"):
    return server.memory_kib(key) / 1024


def disk(folder):
    """What one small write that must last takes at the least."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(WRITES):
            started = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * BLOCK, 0)
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - started)
    return [["the disk: p50 of writing 4 KiB again with fdatasync", f"{median(taken) * 1e6:,.0f} µs"]], []


def state(broker, client, name, *flags):
    """Rows of a broker that is as `flags` of the client make it, and the most MiB it held."""
    result = run_client((client, *flags), broker)
    most = mib(broker, "VmHWM")
    return [[f"{name}: memory", f"{most:.1f} MiB"],
            [f"{name}: try_acquire of another lock, p50 and p99",
             f"{result['p50_us']:,.1f} µs, {result['p99_us']:,.1f} µs"]], most


def crowds(broker, client, folder):
    """Rows and verdicts of brokers with nothing to do, with many waits, and with many holds; nothing on the disk."""
    idle, rows, most = [], [], []
    for name, *flags in (("nothing held", ), (f"{WAITS:,} waits for one lock", "--wait", str(WAITS)),
                         (f"{HELD:,} locks held", *HOLD)):
        with broker("none", os.path.join(folder, name)) as running:
            idle.append(mib(running))
            more, held = state(running, client, name, *flags)
        rows += more
        most.append(held)
    return [["just started: memory", f"{max(idle):.1f} MiB"]] + rows, [
        compare("memory of an idle broker, MiB", "at most", IDLE_MIB, max(idle)),
        compare(f"memory with {WAITS:,} open waits, MiB", "at most", WAITS_MIB, most[1])]


def recovery(broker, client, folder):
    """Rows and verdicts of a broker that is killed with many locks held and started again, in `sync`."""
    name = f"{HELD:,} locks held, sync"
    with broker("sync", folder) as running:
        rows, _ = state(running, client, name, *HOLD)
        running.kill()
    started = time.monotonic()
    with broker("sync", folder) as running:
        running.wait_for(r"\binfo lock ready\b")
        seconds = time.monotonic() - started
        found = int(running.wait_for(r"\blocks held=(\d+)"))
        rows += [[f"{name}: from its start after kill -9 until it is ready", f"{seconds:.2f} s"],
                 [f"{name}: memory after that", f"{mib(running):.1f} MiB"]]
    return rows, [compare(f"recovery with {HELD:,} locks held, s", "at most", RECOVERY_SECONDS, seconds),
                  compare(f"locks held again after kill -9, of {HELD:,}, sync", "at least", HELD, found)]


def many_pairs(broker, client, folder):
    """Rows and verdicts of a broker that answers many pairs, all of which it remembers for a while."""
    with broker("none", folder) as running:
        after = []
        for calls in (EARLY, LATER):
            run_client((client, "--clients", "64", "--calls", str(calls)), running)
            after.append(mib(running))
    return [[f"after {EARLY:,} pairs: memory", f"{after[0]:.1f} MiB"],
            [f"after {EARLY + LATER:,} pairs: memory", f"{after[1]:.1f} MiB"]], [
        compare(f"memory after {EARLY + LATER:,} pairs against {EARLY:,}", "at most", GROWTH, after[1] / after[0])]


def measure(broker, binaries):
    """All of it: rows of [what, figure], and the verdicts. `broker(durability, folder)` gives an unstarted Server."""
    client = os.path.join(binaries, "zerosuite_bench_lock_client")
    with tempfile.TemporaryDirectory(dir=binaries) as folder:
        return memory.gather([
            ("the disk", lambda: disk(folder)),
            *((what, functools.partial(part, broker, client, os.path.join(folder, part.__name__)))
              for what, part in (("memory in each state", crowds), ("recovery", recovery),
                                 ("memory after many pairs", many_pairs)))])
