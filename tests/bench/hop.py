"""The hop: zerosuite-proxy against zmq_proxy(3), before the very same server, and against no hop at all."""

import functools
import os
import time
from contextlib import ExitStack

import memory
from bars import Bar, compare
from processes import Group, Server
from rounds import Contender, Contest

TITLE = "What the proxy costs"
DIRECT, RELAY, RAW, OURS, TWO = ("no hop", "zmq_proxy", "zmq_proxy before the raw echo", "zerosuite-proxy",
                                 "zerosuite-proxy, 2 workers")
NOTES = """All sides run on loopback TCP as release builds, in interleaved rounds. Figures are medians of the rounds; a
ratio is the median of the ratios within each round. The load is the raw DEALER of `./dev bench call`, which encodes and
decodes nothing, and the server is always `zerosuite-math`: connected to directly, behind `zmq_proxy` (libzmq's own
relay of ROUTER and DEALER, which inspects no byte and connects to that server as a client would), or registered with
`zerosuite-proxy` as its worker, both with their defaults. *Before the raw echo* is `zmq_proxy` in front of the ROUTER
that replies without reading: an upper bound that no service can reach. A stream is read by the C++ client. CPU is what
client, hop and server together used for one call."""

ONE, SIXTY_FOUR, STREAM = "One call at a time", "64 calls in flight", "Stream items"
WINDOWS = {ONE: 1, "16 calls in flight": 16, SIXTY_FOUR: 64, "1000 calls in flight": 1000}
ITEMS = 1_000_000
FIGURES = "Latency, memory and idling"
OPEN, OPEN_MIB, IDLE_MIB = 100_000, 100, 20
IDLE_SECONDS, IDLE_CORE = 10, 0.005

BARS = [
    Bar("64 in flight: calls/s against zmq_proxy", SIXTY_FOUR, OURS, "per_second", "at least", 0.9, RELAY),
]
# What the plot shows: contest, metric, and the title with its unit.
PLOTS = [(ONE, "p50_us", "One call at a time: p50 in µs (shorter is better)"),
         (SIXTY_FOUR, "per_second", "64 calls in flight: calls per second"),
         (STREAM, "per_second", "A stream: items per second")]

ANYWHERE = "tcp://127.0.0.1:*"
# 100 000 calls come faster than a worker takes them, and from one client.
ROOM = {"MAX_CHANNELS_PER_PEER": str(2 * OPEN), "QUEUE_CALLS": str(2 * OPEN), "MAX_INFLIGHT": str(2 * OPEN)}


def room(name):
    """Environment variables that let the program of that name hold OPEN calls of one client."""
    return {f"ZEROSUITE_{name}_{key}": value for key, value in ROOM.items()}


def servers(binaries):
    """Name -> a function that gives a server to start."""
    program = functools.partial(os.path.join, binaries)
    math = program("zerosuite-math"), "--bind", ANYWHERE
    direct = [*math, "--proxy", "none"]
    echo = [program("zerosuite_bench_echo_server"), "--reply", "ok"]

    def relay(server):
        def start(launch):
            endpoint = launch(Server(server)).endpoint
            return launch(Server([program("zerosuite_bench_relay_server"), "--connect", endpoint]))
        return Group(start)

    def proxy(*workers, **environment):
        def start(launch):
            front = launch(Server([program("zerosuite-proxy"), "--bind", ANYWHERE, "--back", ANYWHERE], **environment))
            back = front.wait_for(r"\bwaiting for workers endpoint=(\S+)\n")
            for worker in workers:
                launch(Server([*worker, "--proxy", back], **environment))
            if workers:
                front.wait_for(r"\bworker registered\b", len(workers))
            return front
        return Group(start)

    return {
        DIRECT: lambda: Server(direct),
        RELAY: lambda: relay(direct),
        RAW: lambda: relay(echo),
        OURS: lambda: proxy(math),
        # Both are equal from the start, not only once their first five seconds have passed.
        TWO: lambda: proxy(math, math, ZEROSUITE_PROXY_SLOW_START_MS="0"),
        "no worker": proxy,
        "roomy": lambda: proxy([program("zerosuite_peer_server")], **room("PROXY"), **room("PEER")),
    }


def contests(binaries):
    raw, rpc = (os.path.join(binaries, "zerosuite_bench_" + name) for name in ("raw_client", "rpc_client"))
    made = [Contest(title, [Contender(name, name, (raw, "--window", str(window)))
                            for name in (DIRECT, RELAY, RAW, OURS, TWO)])
            for title, window in WINDOWS.items()]
    made.append(Contest(STREAM, [Contender(name, name, (rpc, "--items", str(ITEMS)))
                                 for name in (DIRECT, RELAY, OURS)]))
    return made


def added_latency(by_title):
    """What a hop adds to one call, the median of the differences inside each round."""
    contest = by_title.get(ONE, {})
    return [[f"{name}: added to one call, p50", f"{contest[name].difference('p50_us', contest[DIRECT]):.1f} µs"]
            for name in (RELAY, RAW, OURS) if name in contest]


def idling(table):
    """Memory of a proxy that has nothing to do, and its CPU time, without a worker and with one."""
    with ExitStack() as stack:
        idle, group = (stack.enter_context(table[name]()) for name in ("no worker", OURS))
        before = idle.cpu_seconds(), group.front.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        shares = [(after - start) / IDLE_SECONDS
                  for start, after in zip(before, (idle.cpu_seconds(), group.front.cpu_seconds()))]
        mib = group.memory_kib() / 1024
    rows = [["zerosuite-proxy, idle with one worker", f"{mib:.1f} MiB"],
            ["zerosuite-proxy, idle without a worker: of one core", f"{100 * shares[0]:.2f} %"],
            ["zerosuite-proxy, idle with one worker: of one core", f"{100 * shares[1]:.2f} %"]]
    return rows, [compare("memory of an idle proxy, MiB", "at most", IDLE_MIB, mib),
                  compare("CPU of an idle proxy, of one core", "at most", IDLE_CORE, max(shares))]


def figures(binaries, by_title):
    """Rows of [what, figure] and verdicts that come from no contest."""
    table = servers(binaries)
    client = os.path.join(binaries, "zerosuite_bench_open_calls_client")
    parts = [("idling", lambda: idling(table)),
             ("memory with open calls",
              lambda: memory.open_calls("zerosuite-proxy", table["roomy"](), client, memory.Open(OPEN, OPEN_MIB)))]
    rows, verdicts = memory.gather(parts)
    return added_latency(by_title) + rows, verdicts
