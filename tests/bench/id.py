"""Ids: zerosuite-id against Redis INCR by redis-benchmark, pysnowflake and Python's uuid."""

import functools
import os
import sys

import id_states
from bars import Bar
from processes import Group, Server
from redis_process import ALWAYS, MEMORY, REDIS, InFolder, Redis, free_port
from rounds import Contender, Contest

TITLE = "How fast an id is"
NOTES = """All sides run on loopback TCP as release builds, in interleaved rounds; figures are medians of the rounds.
Each server has one process, default settings and a fresh folder on the same disk. *zerosuite-id* records what it has
issued in SQLite, and for `redis_id` in a Redis in memory. *Redis in memory* is Redis 7.0 without persistence; *every
write synced* has `appendonly yes` and `appendfsync always`, which is what to compare `seq_durable` with. `snowflake`,
`segment` and `seq` record on disk what they reserve in advance, and a crash loses some of it; Redis in memory issues
the same numbers again after a crash.

*In process* is one thread that calls the id generators without a server, with the machine's clocks and a store in
memory; its layout has 22 bits of sequence, because Twitter's 12 bits allow only 4,096 ids per millisecond. A served
call reads the clocks each time; *64 ids a look* reads them once for 64 ids. Python's uuid is converted to text, as ours
are.

*In flight* are calls of the C++ client over **one connection**: each reply releases the next call. *add* is the
cheapest possible call by the same client: its cost, p99.9 included, is not due to ids. `redis-benchmark` gets the same
number of requests in flight, in two ways. *One connection* puts them all in one pipeline, sends them together and waits
for the last reply before it sends the next ones; its latency is that of the whole pipeline. *N connections* have one
command each. It reports no p99.9, and its CPU includes the start of the Python process around it. pysnowflake has a
thread for each call; its own client opens an HTTP connection for each id.

For batches, *per second* counts calls. Twitter's layout has 4,096,000 ids per second for each worker, which is the
limit in the long run; a second is borrowed in advance, and a run is too short to use that up. A million ids in runs are
the ids of 245 milliseconds: they are requested every 300 ms, and only the latency counts. `INCRBY` and `seq_batch`
return the ends of a range.

The slow store is Redis in memory behind a relay that delays each reply by the time stated. Nothing is known of the tag
at first: the segment learns how much to reserve in advance from the rate at which ids are taken."""

HERE = os.path.dirname(os.path.abspath(__file__))
NONE, ISSUER, ON_REDIS, PYSNOWFLAKE = "none", "zerosuite-id", "zerosuite-id on Redis", "pysnowflake"
ADD = "zerosuite-math, add: no id"
SNOWFLAKE = "zerosuite, snowflake"
CORE, SIXTY_FOUR_A_LOOK = "In process, one thread", "zerosuite, snowflake, 64 ids a look"
ONE, SIXTY_FOUR, THOUSAND = "One id a call, 1 in flight", "One id a call, 64 in flight", "One id a call, 1000 in flight"
IN_FLIGHT = {ONE: 1, SIXTY_FOUR: 64, THOUSAND: 1000}
BATCH, RUNS = "1,000 ids a call", "A million ids a call"
IN_RUNS = "zerosuite, snowflake_runs"
FIGURES = "Slow stores and memory"
SHORT = ("--warmup_ms", "200", "--run_ms", "800")
SHORTER = ("--warmup_ms", "100", "--run_ms", "400")
FEW = ("--warmup_ms", "30", "--calls", "1500")
EVERY = ("--every_ms", "300", "--run_ms", "1500")

BARS = [
    Bar("in process: snowflakes/s of one thread, 64 a look", CORE, SIXTY_FOUR_A_LOOK, "per_second", "at least",
        20_000_000),
    Bar("64 in flight: snowflakes/s", SIXTY_FOUR, SNOWFLAKE, "per_second", "at least", 100_000),
    Bar("a million ids in runs: p50, µs", RUNS, IN_RUNS, "p50_us", "at most", 2000),
]
# What the plot shows: contest, metric, and the title with its unit.
PLOTS = [(ONE, "p50_us", "One call at a time: p50 in µs (shorter is better)"),
         (SIXTY_FOUR, "per_second", "64 calls in flight: ids per second"),
         (BATCH, "p50_us", "1,000 ids a call: p50 in µs (shorter is better)")]


class NoServer:
    """For programs that call nobody."""

    endpoint = "none"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def cpu_seconds(self):
        return 0.0


class PySnowflake(Server):
    """The stock server of the package; its endpoint is HOST:PORT."""

    LISTENING = r"\bStarting snowflake start at (\S+)"

    def __init__(self):
        super().__init__([in_its_venv("snowflake_start_server"), "--address=127.0.0.1", f"--port={free_port()}"])


def issuer(binaries, folder, *options, **environment):
    return Server([os.path.join(binaries, "zerosuite-id"), "--bind", "tcp://127.0.0.1:*", "--proxy", "none",
                   "--data", os.path.join(folder, "id"), *options], **environment)


def on_redis(binaries, folder, delay_ms=0):
    """An issuer on a Redis in memory, each of whose answers takes so long."""

    def start(launch):
        store = launch(Redis(folder, *REDIS[MEMORY])).endpoint.removeprefix("redis://")
        if delay_ms > 0:
            store = launch(Server([*script("slow_link.py"), "--to", store, "--delay_ms", str(delay_ms)])).endpoint
        # An empty Redis gives out no worker id for the length of a lease.
        return launch(issuer(binaries, folder, "--store", "redis", "--redis", store, ZEROSUITE_ID_LEASE_MS="2000",
                             ZEROSUITE_ID_RENEW_MS="500", ZEROSUITE_ID_LEASE_MARGIN_MS="500"))

    return Group(start)


def script(name, python=sys.executable):
    return python, os.path.join(HERE, name)


def in_its_venv(program):
    """A program beside pysnowflake."""
    return os.path.normpath(os.path.join(HERE, "../../build/venv-pysnowflake/bin", program))


def servers(binaries):
    """Name -> a function that gives a server to start."""

    def fresh(make):
        return lambda: InFolder(make, binaries)

    table = {name: fresh(functools.partial(lambda options, folder: Redis(folder, *options), options))
             for name, options in REDIS.items()}
    adding = [os.path.join(binaries, "zerosuite-math"), "--bind", "tcp://127.0.0.1:*", "--proxy", "none"]
    return table | {NONE: NoServer, PYSNOWFLAKE: PySnowflake, ISSUER: fresh(functools.partial(issuer, binaries)),
                    ON_REDIS: fresh(functools.partial(on_redis, binaries)), ADD: lambda: Server(adding)}


def in_process(binaries):
    """The rows without a server."""
    core = os.path.join(binaries, "zerosuite_bench_id_core")
    rows = {"snowflake": ("snowflake", ), "snowflake, 64 ids a look": ("snowflake64", ),
            "snowflake, 1,000 at once": ("batch", ), "uuid4": ("uuid4", ), "uuid7": ("uuid7", ),
            "uuid7, 1,000 at once": ("uuid7", "--n", "1000"), "ulid": ("ulid", ), "obf": ("obf", ),
            "token": ("token", ), "b62": ("b62", )}
    made = [Contender(f"zerosuite, {name}", NONE, (core, *SHORTER, "--what", *what)) for name, what in rows.items()]
    return made + [Contender(f"Python, {name}", NONE, (*script("python_uuid.py"), *SHORTER, "--what", name))
                   for name in ("uuid1", "uuid4")]


def ours(binaries, method, *flags, server=ISSUER):
    client = os.path.join(binaries, "zerosuite_bench_id_client")
    return Contender(f"zerosuite, {method}", server, (client, *SHORT, "--method", method, *flags))


def redis(name, command, connections=1, pipeline=1):
    """The same commands on both kinds of Redis."""
    client = (*script("redis_incr_client.py"), *SHORT, "--connections", str(connections), "--pipeline", str(pipeline))
    return [Contender(f"{name}, {kept}", kept, (*client, *command)) for kept in (MEMORY, ALWAYS)]


def single(binaries, count):
    """One id a call, with so many calls in flight."""
    window = ("--window", str(count))
    made = [ours(binaries, method, *window) for method in ("snowflake", "segment", "seq", "uuid7", "seq_durable")]
    made.append(ours(binaries, "redis_id", *window, server=ON_REDIS))
    made.append(Contender(ADD, ADD, (os.path.join(binaries, "zerosuite_bench_rpc_client"), *SHORT, *window)))
    made += redis("INCR, one connection", ("INCR", "bench"), pipeline=count)
    if count > 1:
        made += redis(f"INCR, {count} connections", ("INCR", "bench"), connections=count)
    if count <= 64:
        stock = script("pysnowflake_client.py", in_its_venv("python"))
        made.append(Contender(PYSNOWFLAKE, PYSNOWFLAKE, (*stock, *SHORT, "--clients", str(count))))
    return made


def batches(binaries):
    n = ("--n", "1000", *FEW)
    return [*(ours(binaries, method, *n) for method in ("snowflake_batch", "segment_batch", "seq_batch", "uuid7")),
            *redis("INCRBY", ("INCRBY", "bench", "1000"))]


def millions(binaries):
    n = ("--n", "1000000", *EVERY)
    return [ours(binaries, "snowflake_runs", *n), ours(binaries, "seq_batch", *n),
            *redis("INCRBY", ("INCRBY", "bench", "1000000"))]


def contests(binaries):
    return [Contest(CORE, in_process(binaries)),
            *(Contest(title, single(binaries, count)) for title, count in IN_FLIGHT.items()),
            Contest(BATCH, batches(binaries)), Contest(RUNS, millions(binaries))]


def figures(binaries, by_title):
    """Rows of [what, figure] and verdicts that come from no contest."""
    del by_title
    return id_states.measure(functools.partial(issuer, binaries), functools.partial(on_redis, binaries), binaries)
