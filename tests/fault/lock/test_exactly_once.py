"""Clients that send each request until it is answered, while answers are lost at random: everything is done once."""

import os
import random
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from support import checkers
from support.gates import BreakingGate
from support.history import NEUTRAL, RELEASING, load
from support.linearize import not_linearizable
from support.programs import ROOT, Program, wait_until

SECONDS = 1.5
CLIENTS = 3
PATIENT = {"ZEROSUITE_PROXY_SETTLE_MS": "5000"}  # it keeps calls until the broker is there
SEED = int(os.environ.get("ZEROSUITE_STORM_SEED", time.time_ns() % 1_000_000))


class Client(Program):
    """An insisting_client.py."""

    ends_with_its_input = True

    def __init__(self, *args):
        super().__init__([sys.executable, Path(__file__).parent / "insisting_client.py", *args],
                         PYTHONPATH=str(ROOT / "tests"))


class Nemesis:
    """What loses answers; clients go by its endpoint."""

    crashes = False
    sync = True  # a broker that was killed found all that it had written


class Resets(Nemesis):
    """Connections are reset, before the broker has done what was asked and after it."""

    def __init__(self, suite, start_broker, dice):
        self.broker = start_broker()
        self.gate = BreakingGate(self.broker.endpoint)
        self.endpoint = self.gate.endpoint
        self.dice = dice

    def strike(self):
        self.gate.break_at(self.dice.choice(["request", "answer"]))
        time.sleep(0.15)  # or hardly anything would come through


class Pauses(Nemesis):
    """The broker is stopped for longer than a client waits for it."""

    def __init__(self, suite, start_broker, dice):
        self.broker = start_broker()
        self.endpoint = self.broker.endpoint
        self.dice = dice

    def strike(self):
        self.broker.pause()
        time.sleep(0.2 + self.dice.random() * 0.2)
        self.broker.go_on()


class Kills(Nemesis):
    """The broker is killed, and starts again in its folder."""

    crashes = True

    def __init__(self, suite, start_broker, dice):
        self.broker = start_broker()
        self.endpoint = self.broker.endpoint

    def strike(self):
        self.broker.kill()
        self.broker.start()
        # A commit that was being written cannot be read, and counts as durability "async".
        self.sync = self.sync and self.broker.call("engine_info")["recovering_ms"] == 0


class ProxyKills(Nemesis):
    """The proxy before the broker is killed, and another takes its place."""

    def __init__(self, suite, start_broker, dice):
        self.suite = suite
        self.proxy = suite.start_proxy(**PATIENT)
        self.broker = start_broker(proxy=self.proxy.back)
        self.proxy.await_workers(1)
        self.endpoint = self.proxy.endpoint

    def strike(self):
        self.proxy.kill()
        self.proxy = self.suite.start_proxy(bind=self.proxy.endpoint, back=self.proxy.back, **PATIENT)
        self.proxy.await_workers(1)


def strange(ops, trouble):
    """What no client should have been told. Of what had ended before a crash a broker remembers nothing."""
    told = {*NEUTRAL, None} if trouble.sync else {*NEUTRAL, None, "Recovering"}
    forgotten = ("NotHeld", "NotOwner") if trouble.crashes else ()
    return [str(op) for op in ops if op.error not in told and not (op.op in RELEASING and op.error in forgotten)]


def left_over(ops, trouble):
    """Holds that nobody gave back. After a crash those that were entered but once may be held once more."""
    grants = defaultdict(set)
    for op in ops:
        if op.granted:
            grants[op.token].add(op.request)
    holds = [hold for owner in {op.owner for op in ops} for hold in trouble.broker.call("holds", owner)["holds"]]
    return [hold for hold in holds if not trouble.crashes or (trouble.sync and len(grants[hold["token"]]) > 1)]


@pytest.mark.parametrize("nemesis", [Resets, Pauses, Kills, ProxyKills])
def test_whatever_loses_the_answers_each_request_is_done_once(suite, start_broker, tmp_path, nemesis):
    dice = random.Random(SEED)
    trouble = nemesis(suite, start_broker, dice)
    histories = [tmp_path / f"history-{number}" for number in range(CLIENTS)]
    clients = [suite.keep(Client(trouble.endpoint, path, path.name, SECONDS, SEED + number))
               for number, path in enumerate(histories)]
    wait_until(lambda: all(path.exists() for path in histories))
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        trouble.strike()
        time.sleep(dice.random() * 0.15)
    for client in clients:
        client.process.wait(20)
    ops = load(*histories)
    assert sum(op.unknown for op in ops) >= 3, "answers were lost"
    assert max(op.result["hold_count"] for op in ops if op.granted) > 1, "locks were entered again"
    violations = (strange(ops, trouble) + checkers.overlaps(ops) + checkers.token_order(ops)
                  + checkers.differing_answers(ops) + not_linearizable(ops, trouble.crashes, trouble.sync))
    assert not violations, f"seed {SEED}:\n" + "\n".join(violations)
    wait_until(lambda: not left_over(ops, trouble))
