"""What a service holds in memory: idle, under 10 000 open calls, and after ten million calls."""

import os
from dataclasses import dataclass

from bars import Verdict, compare
from processes import NotMeasured, require, run_client

EARLY, LATER = 1_000_000, 9_000_000
OPEN_MS = 20_000
IDLE_MIB, GROWTH = 20, 1.05
WINDOW = ("--window", "64")


@dataclass(frozen=True)
class Open:
    """So many calls open at one time, and what they may take."""

    calls: int
    mib: int


USUAL = Open(10_000, 80)


def many_calls(server, raw):
    """Rows and verdicts of a service that answers ten million calls."""
    require(raw)
    with server as math:
        idle = math.memory_kib() / 1024
        run_client((raw, *WINDOW, "--calls", str(EARLY)), math)
        early = math.memory_kib() / 1024
        run_client((raw, *WINDOW, "--calls", str(LATER)), math)
        late, peak = math.memory_kib() / 1024, math.memory_kib("VmHWM") / 1024
    rows = [["zerosuite-math, idle", f"{idle:.1f} MiB"],
            ["zerosuite-math, after a million calls", f"{early:.1f} MiB"],
            ["zerosuite-math, after ten million calls", f"{late:.1f} MiB"],
            ["zerosuite-math, the most it ever held", f"{peak:.1f} MiB"]]
    return rows, [compare("memory of an idle service, MiB", "at most", IDLE_MIB, idle),
                  compare("memory after ten million calls against one million", "at most", GROWTH, late / early)]


def open_calls(name, server, client, bar):
    """Rows and verdicts of a server with so many calls open for twenty seconds, heartbeats both ways."""
    require(client)
    with server as running:
        result = run_client((client, "--calls", str(bar.calls), "--open_ms", str(OPEN_MS)), running)
        peak = running.memory_kib("VmHWM") / 1024
    rows = [[f"{name} with {bar.calls:,} calls open for {OPEN_MS // 1000} s: the most it held", f"{peak:.1f} MiB"],
            [f"{name}: calls lost", f"{result['lost']:,}"],
            [f"{name}: heartbeats to it, from it", f"{result['heartbeats_sent']:,}, {result['heartbeats_received']:,}"],
            [f"{name}: CPU of all processes", f"{result['cpu_us'] * result['answered'] / 1e6:.2f} s"]]
    return rows, [compare(f"memory with {bar.calls:,} open calls, MiB", "at most", bar.mib, peak),
                  compare(f"calls lost of {bar.calls:,} open ones", "at most", 0, result["lost"])]


def open_calls_of_ours(server, client):
    """The same seen from zerosuite's own client."""
    require(client)
    with server as running:
        result = run_client((client, "--hold", str(USUAL.calls), "--open_ms", str(OPEN_MS)), running)
    rows = [[f"rpc::Client with {USUAL.calls:,} calls open for {OPEN_MS // 1000} s: the most it held",
             f"{result['peak_kib'] / 1024:.1f} MiB"],
            ["rpc::Client: calls lost", f"{result['lost']:,}"]]
    return rows, [compare(f"calls lost of {USUAL.calls:,} open ones, own client", "at most", 0, result["lost"])]


def gather(parts):
    """The rows and verdicts of parts, each (what, a function that measures it)."""
    rows, verdicts = [], []
    for what, part in parts:
        try:
            more_rows, more_verdicts = part()
        except NotMeasured as reason:
            more_rows, more_verdicts = [], [Verdict(what, "", str(reason), "not measured")]
        rows += more_rows
        verdicts += more_verdicts
    return rows, verdicts


def measure(servers, binaries):
    """All of it: rows of [what, figure], and the verdicts on zerosuite's part."""
    raw, client, own = (os.path.join(binaries, "zerosuite_bench_" + name)
                        for name in ("raw_client", "open_calls_client", "rpc_client"))
    return gather([
        ("memory of a service", lambda: many_calls(servers["math"](), raw)),
        ("memory with open calls", lambda: open_calls("test server", servers["peer"](), client, USUAL)),
        ("open calls of one client", lambda: open_calls_of_ours(servers["peer"](), own)),
        ("zerorpc-python", lambda: (open_calls("zerorpc-python", servers["python"](), client, USUAL)[0], []))])
