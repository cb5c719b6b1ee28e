"""Everything at once: clients that take locks at random, while a nemesis kills, stops and restarts them and the broker.

ZEROSUITE_STORM_SECONDS says for how long, 20 by default; it is spent in rounds, each with a history of its own. A
violation names the round's seed and leaves its history in ZEROSUITE_STORM_KEEP, if that is set.
"""

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from support import checkers
from support.history import load
from support.linearize import not_linearizable
from support.lock_service import Broker
from support.programs import ROOT, Program, wait_until

SECONDS = float(os.environ.get("ZEROSUITE_STORM_SECONDS", "20"))
SEED = int(os.environ.get("ZEROSUITE_STORM_SEED", time.time_ns() % 1_000_000))
KEEP = os.environ.get("ZEROSUITE_STORM_KEEP")
CALM = 4.0  # seconds of a round's end without faults
FAULTS = 4.0  # seconds of a round with them
CLIENTS = 5
MOST_KIB = 100_000
WAIT_SLACK = 3.0  # a client may beat late and the machine be busy
STUCK_SLACK = 1.0


class Client(Program):
    """A storm_client.py."""

    ends_with_its_input = True

    def __init__(self, endpoint, history, name, seconds, seed, round_):
        program = Path(__file__).parent / "storm_client.py"
        super().__init__([sys.executable, program, endpoint, history, name, seconds, seed, round_],
                         PYTHONPATH=str(ROOT / "tests"))


class Round:
    """One storm: its clients, its nemesis, and what came of it."""

    def __init__(self, suite, broker, number, folder):
        self.suite = suite
        self.broker = broker
        self.number = number
        self.seed = SEED + number
        self.dice = random.Random(self.seed)
        self.folder = folder
        self.end = time.monotonic() + FAULTS + CALM
        self.clients = []
        self.names = 0
        self.calm_since = None

    def start_client(self):
        """One more; what it says goes to a history of its own."""
        self.names += 1
        left = max(0.5, self.end - time.monotonic())
        self.clients.append(self.suite.keep(Client(
            self.broker.endpoint, self.folder / f"history-{self.names}", f"client-{self.number}-{self.names}", left,
            self.seed * 100 + self.names, self.number)))

    def run(self):
        for _ in range(CLIENTS):
            self.start_client()
        calm_at = self.end - CALM
        while time.monotonic() < calm_at:
            fault = self.dice.choice([self.kill_broker, self.stop_broker, self.restart_broker, self.kill_client,
                                      self.stop_client, self.stop_client])
            fault()
            self.rest(self.dice.random())
        self.calm_since = time.monotonic()
        for client in self.clients:
            if client.process.poll() is None:
                client.process.wait(FAULTS + CALM + 20)

    @staticmethod
    def rest(seconds):
        end = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() >= end, seconds + 5, every=0.02)

    def kill_broker(self):
        self.broker.kill()
        self.rest(self.dice.random() * 0.3)
        self.broker.start()

    def restart_broker(self):
        assert self.broker.program.finish() == 0
        self.broker.start()

    def stop_broker(self):
        self.broker.pause()
        self.rest(self.dice.random() * 1.2)
        self.broker.go_on()

    def victim(self):
        return self.dice.choice([client for client in self.clients if client.process.poll() is None])

    def kill_client(self):
        self.victim().kill()
        self.start_client()

    def stop_client(self):
        client = self.victim()
        client.process.send_signal(signal.SIGSTOP)
        self.rest(self.dice.random() * 1.2)
        client.process.send_signal(signal.SIGCONT)

    def violations(self):
        """C1 to C7 over what all of its clients were told."""
        ops = load(*sorted(self.folder.glob("history-*")))
        assert sum(1 for op in ops if op.granted) > 40, "that was no storm"
        healed = self.calm_since + 2.2  # what is held by then ends: the lease of before, after a restart in full
        return (checkers.overlaps(ops) + checkers.token_order(ops) + checkers.differing_answers(ops)
                + checkers.queue_jumps(ops)
                + not_linearizable(ops, crashes=True, sync=self.broker.durability == "sync")
                + checkers.late_answers(ops, self.calm_since, WAIT_SLACK)
                + checkers.stuck_names(ops, healed, STUCK_SLACK)), ops


@pytest.mark.timeout(SECONDS * 2 + 120)
@pytest.mark.parametrize("durability", ["sync", "async", "none"])
def test_storm_nothing_that_a_lock_service_promises_is_broken(suite, tmp_path, durability):
    broker = Broker(suite, durability, ZEROSUITE_LOCK_HEARTBEAT_MS="1000")
    begun, number, last = time.monotonic(), 0, []
    while number == 0 or time.monotonic() - begun + FAULTS + CALM < SECONDS / 3:
        number += 1
        folder = tmp_path / f"round-{number}"
        folder.mkdir()
        storm = Round(suite, broker, number, folder)
        storm.run()
        violations, ops = storm.violations()
        if violations and KEEP:
            shutil.copytree(folder, Path(KEEP) / f"seed-{storm.seed}", dirs_exist_ok=True)
        assert not violations, f"seed {storm.seed}, {durability}:\n" + "\n".join(violations)
        assert checkers.token_order(last + ops) == [], "and from round to round"
        last = ops
        wait_until(lambda: not checkers.leaks(broker.stats()), 10)
        assert checkers.leaks(broker.stats(), broker.program.resident_kib(), MOST_KIB) == []
        shutil.rmtree(folder)
