"""Locks: zerosuite-lock against the usual lock on Redis, by hiredis and by redlock-py."""

import functools
import os
import sys

import lock_states
from bars import Bar, compare
from processes import Server
from redis_process import ALWAYS, MEMORY, REDIS, InFolder, Redis
from rounds import Contender, Contest

TITLE = "How fast a lock is"
NONE, ASYNC, SYNC = (f"zerosuite-lock, {durability}" for durability in ("none", "async", "sync"))
HIREDIS, HIREDIS_ALWAYS = f"hiredis, {MEMORY}", f"hiredis, {ALWAYS}"
REDLOCK, REDLOCK_ALWAYS = f"redlock-py, {MEMORY}", f"redlock-py, {ALWAYS}"
NOTES = """All sides run on loopback TCP as release builds, in interleaved rounds. Figures are medians of the rounds; a
ratio is that of two medians. Each server has one process, default settings and a fresh folder on the same disk.
*zerosuite-lock* is called by the C++ client in each of its three [durabilities](locks.md#durability). *Redis in memory*
is Redis 7.0 without persistence; *every write synced* has `appendonly yes` and `appendfsync always`, which is what to
compare `sync` with, though Redis then waits for the disk at every release too, and `sync` only at acquires. *hiredis*
is the usual lock on one Redis: `SET NX PX`, and a script (EVALSHA) that deletes the key if the value is still the
caller's; no fencing token, no queue, no re-entry. *redlock-py* is the stock package on one Redis.

*Per second* counts pairs, an acquire and its release; latencies are those of the acquire. Each client takes a lock that
no other client wants. The clients of a row are in one process: those of zerosuite and hiredis share **one connection**,
with one call of each in flight; redlock-py cannot do that and has a thread and a connection for each.

The latency of a hand-over is the time from the moment the holder sends its release until the next client has its grant.
All the others are waiting before the holder releases. Waiters for zerosuite-lock have one call open; redlock-py polls
every 200 ms. Its holders therefore keep the lock for 0 to 200 ms, at random, and a client that released stands back
until another has the lock; such a run has some tens of hand-overs, and its p99 is the longest of them. CPU is what
client and server together used for one pair or one hand-over.

The broker remembers the outcome of the latest holds: for `memory_ms` (60 s), and at most `max_memory` (262,144) of
them. Both are at their defaults, so that memory is full after 500,000 pairs, and from then on it must not grow. After
kill -9 one lock more may be held than before: in `sync` a grant is returned when it is on disk, a release before it is,
because losing one only delays the next owner."""

CLIENTS = {"1 client": 1, "8 clients": 8, "64 clients": 64}
ONE, SIXTY_FOUR = "1 client", "64 clients"
WAITERS = {"Hand-over, 1 waiter": 1, "Hand-over, 10 waiters": 10, "Hand-over, 100 waiters": 100}
TEN = "Hand-over, 10 waiters"
POLLING_MS = 4000  # the longest a round takes: a polled hand-over is tens of milliseconds long
FIGURES = "Disk, memory and recovery"
HAND_OVER = 2

BARS = [
    Bar("64 clients: pairs/s, none", SIXTY_FOUR, NONE, "per_second", "at least", 50_000),
    Bar("64 clients: pairs/s, sync", SIXTY_FOUR, SYNC, "per_second", "at least", 20_000),
]
# What the plot shows: contest, metric, and the title with its unit.
PLOTS = [(ONE, "p50_us", "One client: p50 of an acquire in µs (shorter is better)"),
         (SIXTY_FOUR, "per_second", "64 clients: pairs of acquire and release per second"),
         (TEN, "p50_us", "Hand-over to one of 10 waiters: p50 in µs (shorter is better)")]


def broker(binaries, durability, folder):
    return Server([os.path.join(binaries, "zerosuite-lock"), "--bind", "tcp://127.0.0.1:*", "--proxy", "none",
                   "--data", folder, "--durability", durability])


def servers(binaries):
    """Name -> a function that gives a server to start."""

    def fresh(make, *options):
        return lambda: InFolder(lambda folder: make(folder, *options), binaries)

    table = {name: fresh(functools.partial(broker, binaries, name.rpartition(" ")[2])) for name in (NONE, ASYNC, SYNC)}
    return table | {name: fresh(Redis, *options) for name, options in REDIS.items()}


def contests(binaries):
    ours, hiredis = (os.path.join(binaries, f"zerosuite_bench_{name}") for name in ("lock_client", "redis_lock_client"))
    redlock = sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "redlock_client.py")
    made = []
    for title, count in CLIENTS.items():
        flags = ("--clients", str(count))
        made.append(Contest(title, [Contender(name, name, (ours, *flags)) for name in (NONE, ASYNC, SYNC)]
                            + [Contender(HIREDIS, MEMORY, (hiredis, *flags)),
                               Contender(HIREDIS_ALWAYS, ALWAYS, (hiredis, *flags)),
                               Contender(REDLOCK, MEMORY, (*redlock, *flags)),
                               Contender(REDLOCK_ALWAYS, ALWAYS, (*redlock, *flags))]))
    for title, count in WAITERS.items():
        flags = ("--waiters", str(count))
        made.append(Contest(title, [Contender(name, name, (ours, *flags)) for name in (NONE, SYNC)]
                            + [Contender(REDLOCK, MEMORY, (*redlock, *flags, "--run_ms", str(POLLING_MS)))]))
    return made


def hand_over_verdicts(by_title):
    """The slowest hand-over of each durability against one acquire in it."""
    verdicts = []
    measured = by_title.keys() >= {ONE, *WAITERS}
    for name in (NONE, SYNC) if measured else ():
        one, *slow = (by_title[title][name] for title in (ONE, *WAITERS))
        if not one.missing:
            ratio = max(outcome.value("p50_us") for outcome in slow) / one.value("p50_us")
            verdicts.append(compare(f"{name}: p50 of the slowest hand-over against one acquire", "at most", HAND_OVER,
                                    ratio, " ×"))
    return verdicts


def figures(binaries, by_title):
    """Rows of [what, figure] and verdicts that come from no contest."""
    rows, verdicts = lock_states.measure(functools.partial(broker, binaries), binaries)
    return rows, hand_over_verdicts(by_title) + verdicts
