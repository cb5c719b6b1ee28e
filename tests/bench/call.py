"""Calls: zerosuite against the raw libzmq echo (the ceiling), gRPC and zerorpc-python."""

import functools
import os
import sys

import memory
from bars import Bar
from processes import Server
from rounds import Contender, Contest

TITLE = "How fast a call is"
RAW, OURS, SERVER, GRPC, PYTHON = ("raw libzmq echo", "zerosuite", "zerosuite server, raw client", "gRPC C++",
                                   "zerorpc-python server, raw client")
NOTES = """All sides run on loopback TCP as release builds, in interleaved rounds. Figures are medians of the rounds; a
ratio is the median of the ratios within each round. *raw libzmq echo* is a ROUTER that blocks in `zmq_msg_recv` and
replies without reading, with a DEALER as its load: the same frames and sizes as the call it is compared with (57 bytes
of `add(3, 4)` one way, `OK 7` the other). *zerosuite* is the C++ client against `zerosuite-math`; *raw client* is that
DEALER, which encodes and decodes nothing, so that the row shows the server alone. gRPC is its callback server under an
asynchronous client. CPU is what client and server together used for one call."""

FIGURES = "Memory"
ONE, SIXTY_FOUR, STREAM = "One call at a time", "64 calls in flight", "Stream items"
WINDOWS = {ONE: 1, "16 calls in flight": 16, SIXTY_FOUR: 64, "1000 calls in flight": 1000}
SIZES = {"1 KiB": 1024, "64 KiB": 65536}
ITEMS = 1_000_000
AHEAD = {grant: f"zerosuite, {grant:,} granted ahead" for grant in (1_000, 10_000)}

BARS = [
    Bar("one call at a time: p50 against the raw echo", ONE, OURS, "p50_us", "at most", 1.25, RAW),
    Bar("64 in flight: calls/s against the raw echo", SIXTY_FOUR, OURS, "per_second", "at least", 0.75, RAW),
    Bar("64 in flight: calls/s against gRPC C++", SIXTY_FOUR, OURS, "per_second", "at least", 5, GRPC),
    Bar("64 in flight: calls/s against zerorpc-python", SIXTY_FOUR, OURS, "per_second", "at least", 60, PYTHON),
    Bar("stream items/s, C++ to C++", STREAM, OURS, "per_second", "at least", 500_000),
    Bar("stream items/s, 1,000 granted ahead", STREAM, AHEAD[1_000], "per_second", "at least", 500_000),
    Bar("stream items/s, 10,000 granted ahead", STREAM, AHEAD[10_000], "per_second", "at least", 500_000),
]
# What the plot shows: contest, metric, and the title with its unit.
PLOTS = [(ONE, "p50_us", "One call at a time: p50 in µs (shorter is better)"),
         (SIXTY_FOUR, "per_second", "64 calls in flight: calls per second"),
         (STREAM, "per_second", "A stream: items per second")]


def script(name):
    return sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), name)


def servers(binaries):
    """Name -> a function that gives a server to start."""
    program = functools.partial(os.path.join, binaries)

    return {
        "math": lambda: Server([program("zerosuite-math"), "--bind", "tcp://127.0.0.1:*", "--proxy", "none"]),
        "peer": lambda: Server([program("zerosuite_peer_server"), "--proxy", "none"]),
        "echo ok": lambda: Server([program("zerosuite_bench_echo_server"), "--reply", "ok"]),
        "echo same": lambda: Server([program("zerosuite_bench_echo_server"), "--reply", "same"]),
        "grpc": lambda: Server([program("zerosuite_bench_grpc_server")]),
        "python": lambda: Server([*script("python_server.py")]),
    }


def contests(binaries):
    raw, rpc, grpc = (os.path.join(binaries, "zerosuite_bench_" + name)
                      for name in ("raw_client", "rpc_client", "grpc_client"))
    made = []
    for title, window in WINDOWS.items():
        flags = ("--window", str(window))
        made.append(Contest(title, [
            Contender(RAW, "echo ok", (raw, *flags)),
            Contender(OURS, "math", (rpc, *flags)),
            Contender(SERVER, "math", (raw, *flags)),
            Contender(GRPC, "grpc", (grpc, *flags)),
            Contender(PYTHON, "python", (raw, *flags)),
        ]))
    made[0].contenders.append(Contender("zerorpc-python, its own client", "python", script("python_client.py")))
    for size, count in SIZES.items():
        for suffix, window in (("one at a time", "1"), ("16 in flight", "16")):
            flags = ("--window", window, "--bytes", str(count))
            made.append(Contest(f"{size} echoed, {suffix}", [
                Contender(RAW, "echo same", (raw, *flags)),
                Contender(OURS, "math", (rpc, *flags)),
                Contender(SERVER, "math", (raw, *flags)),
            ]))
    made.append(Contest(STREAM, [
        Contender(OURS, "math", (rpc, "--items", str(ITEMS))),
        *(Contender(name, "math", (rpc, "--items", str(ITEMS), "--slots", str(grant))) for grant, name in AHEAD.items()),
        Contender("zerorpc-python", "python", (*script("python_client.py"), "--items", str(ITEMS // 50))),
    ]))
    return made


def figures(binaries, _):
    """Rows of [what, figure] and verdicts that come from no contest."""
    return memory.measure(servers(binaries), binaries)
