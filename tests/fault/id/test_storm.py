"""Everything at once: clients that ask for ids of all kinds, while a nemesis kills, freezes and restarts the issuers and
their Redis, and sets their clocks.

ZEROSUITE_STORM_SECONDS says for how long, 20 by default. A violation names the seed and leaves what was told in
ZEROSUITE_STORM_KEEP, if that is set.
"""

import dataclasses
import json
import os
import random
import time
from pathlib import Path

import pytest

from support.fake_time import FakeWallClock
from support.id_service import Stream
from support.programs import wait_until

SECONDS = float(os.environ.get("ZEROSUITE_STORM_SECONDS", "20"))
SEED = int(os.environ.get("ZEROSUITE_STORM_SEED", time.time_ns() % 1_000_000))
KEEP = os.environ.get("ZEROSUITE_STORM_KEEP")
ROUND = 60.0  # seconds after which what was told is looked at, and forgotten
LEASE = 1.5
QUICK = {"lease_ms": 1500, "renew_ms": 300, "lease_margin_ms": 300, "window_ms": 500, "park_ms": 1000}
KINDS = {"snowflake": 3000, "segment": 20, "range": 100, "seq": 5, "durable": 1, "daily": 1, "uuid7": 20, "ulid": 20}
FARTHEST = 100  # seconds that a clock is off


class Storm:
    """Its issuers, the nemesis, and what everybody was told."""

    def __init__(self, issuers, clocks, redis, dice):
        self.issuers = issuers
        self.clocks = clocks
        self.redis = redis
        self.dice = dice
        self.faults = [self.kill, self.freeze, self.freeze_beyond_the_lease, self.restart, self.step_clock,
                       self.step_clock]
        if redis is not None:
            self.faults += [self.kill_redis, self.freeze_redis, self.take_over]

    def run(self, record, seconds):
        streams = [Stream(issuer, record, kind, n, pause=0.002, patience=1.5) for issuer in self.issuers
                   for kind, n in KINDS.items()]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.dice.choice(self.faults)()
            self.rest(self.dice.random() * 0.7)
        self.heal(streams)
        for stream in streams:
            stream.stop()
            assert stream.answered > 0, stream.kind

    def heal(self, streams):
        """When all is well again, everybody is served again."""
        for clock in self.clocks:
            clock.step(0)
        for issuer in self.issuers:
            wait_until(lambda issuer=issuer: issuer.reasons() == [], 20)
        counts = [stream.answered for stream in streams]
        wait_until(lambda: all(stream.answered > count for stream, count in zip(streams, counts)), 20)

    @staticmethod
    def rest(seconds):
        end = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() >= end, seconds + 5, every=0.02)

    def kill(self):
        issuer = self.dice.choice(self.issuers)
        issuer.kill()
        self.rest(self.dice.random() * 0.3)
        issuer.start()

    def restart(self):
        issuer = self.dice.choice(self.issuers)
        issuer.finish()
        issuer.start()

    def freeze(self):
        with self.dice.choice(self.issuers).frozen():
            self.rest(self.dice.random() * LEASE)

    def freeze_beyond_the_lease(self):
        with self.dice.choice(self.issuers).frozen():
            self.rest(LEASE + self.dice.random() * 0.5)

    def take_over(self):
        """One is killed while another is frozen, and gets its worker id."""
        zombie, other = self.dice.sample(self.issuers, 2)
        with zombie.frozen():
            other.kill()
            self.rest(LEASE + 0.1)
            other.start()

    def step_clock(self):
        self.dice.choice(self.clocks).step(round(self.dice.uniform(-FARTHEST, FARTHEST), 3))

    def kill_redis(self):
        self.redis.kill()
        self.rest(self.dice.random() * 1.5)
        self.redis.start()

    def freeze_redis(self):
        with self.redis.frozen():
            self.rest(self.dice.random() * 1.5)


def keep(record, seed):
    if KEEP:
        Path(KEEP).mkdir(parents=True, exist_ok=True)
        (Path(KEEP) / f"seed-{seed}.json").write_text(json.dumps(list(map(dataclasses.asdict, record.answers))))


@pytest.mark.timeout(SECONDS * 3 + 120)
@pytest.mark.parametrize("store, processes", [("redis", 3), ("sqlite", 1)])
def test_storm_no_id_is_issued_twice_and_those_that_are_in_order_are_in_order(
        start_issuer, start_redis, record, tmp_path, store, processes):
    redis = start_redis() if store == "redis" else None
    clocks = [FakeWallClock(tmp_path / f"clock-{number}") for number in range(processes)]
    issuers = [start_issuer(redis=redis, clock=clock, **QUICK) for clock in clocks]
    issuers[0].call("tag_create", "t", {"step": 100})
    begun, seed = time.monotonic(), SEED
    while seed == SEED or time.monotonic() - begun < SECONDS / 2:
        print("seed", seed)
        Storm(issuers, clocks, redis, random.Random(seed)).run(record, min(ROUND, SECONDS / 2))
        assert record.count() > 10_000, "that was no storm"
        violations = record.violations()
        if violations:
            keep(record, seed)
        assert not violations, f"seed {seed}, {store}:\n" + "\n".join(violations)
        if SECONDS > 2 * ROUND:
            record.answers.clear()
        seed += 1
