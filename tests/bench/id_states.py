"""An id issuer whose store is slow, and what it holds in memory after millions of ids."""

import functools
import os

import memory
from bars import compare
from processes import run_client
from redis_process import InFolder

IDLE_MIB, ISSUED_MIB, GROWTH = 20, 25, 1.05
DELAYS_MS = (1, 200)
RAMP_MS, STEADY_MS = 5000, 3000
WINDOW = ("--window", "64")
MILLION = 1_000_000
#: Calls, each counted on from the one before.
SINGLE = (MILLION // 10, MILLION)
RUNS = (25, 100)


def slow_store(on_redis, client, folder, delay_ms):
    """Rows of the segment's ids on a store that takes so long."""
    rows = []
    with InFolder(functools.partial(on_redis, delay_ms=delay_ms), folder) as running:
        for when, run_ms in ((f"the first {RAMP_MS // 1000} s", RAMP_MS), ("after that", STEADY_MS)):
            result = run_client((client, *WINDOW, "--method", "segment", "--warmup_ms", "0", "--run_ms", str(run_ms)),
                                running)
            rows.append([f"segment, 64 in flight, a store of {delay_ms} ms, {when}: ids/s; calls above 10 ms",
                         f"{result['per_second']:,.0f}; {100 * result['over_10_ms']:.2f} %"])
    return rows, []


def many_ids(issuer, client, folder):
    """Rows and verdicts of an issuer that gives out many ids, one a call and then in runs."""

    def held(what):
        mib = running.memory_kib() / 1024
        rows.append([f"zerosuite-id, {what}: memory", f"{mib:.1f} MiB"])
        return mib

    def grown(what, method, stages, ids):
        """Calls until each of the stages, and what was held then."""
        done, mibs = 0, []
        for stage in stages:
            run_client((client, *method, "--warmup_ms", "0", "--calls", str(stage - done)), running)
            done = stage
            mibs.append(held(f"after {stage * ids:,} {what}"))
        return mibs

    rows = []
    with InFolder(issuer, folder) as running:
        idle = held("idle")
        single = grown("ids, one a call", (*WINDOW, "--method", "snowflake"), SINGLE, 1)
        runs = grown("more in runs", ("--method", "snowflake_runs", "--n", str(MILLION)), RUNS, MILLION)
    return rows, [
        compare("memory of an idle issuer, MiB", "at most", IDLE_MIB, idle),
        compare(f"memory after {RUNS[1] * MILLION:,} ids, MiB", "at most", ISSUED_MIB, runs[1]),
        compare(f"memory after {SINGLE[1]:,} calls against {SINGLE[0]:,}", "at most", GROWTH, single[1] / single[0]),
        compare(f"memory after {RUNS[1] * MILLION:,} ids in runs against {RUNS[0] * MILLION:,}", "at most", GROWTH,
                runs[1] / runs[0])]


def measure(issuer, on_redis, binaries):
    """All of it: rows of [what, figure], and the verdicts. Both give an unstarted server from a folder."""
    client = os.path.join(binaries, "zerosuite_bench_id_client")
    return memory.gather([
        *((f"segment on a store of {delay_ms} ms", functools.partial(slow_store, on_redis, client, binaries, delay_ms))
          for delay_ms in DELAYS_MS),
        ("memory after many ids", lambda: many_ids(issuer, client, binaries))])
