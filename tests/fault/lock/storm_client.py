"""A client of the storm: takes, keeps and gives back locks at random, and writes down what it was told.

usage: storm_client.py ENDPOINT HISTORY NAME SECONDS SEED ROUND
"""

import random
import sys
import time

import zerorpc

from support.history import History
from support.lock_service import CALLS

LEASES = (200, 600, 1000)  # ms
WAITS = (0, 0, 300, 1500)
LIMIT = 3


class Storm:
    patience = 0.5  # seconds beyond its wait, after which a call is given up and sent again

    def __init__(self, endpoint, path, name, seed, round_):
        self.owner = name
        self.dice = random.Random(seed)
        self.history = History(path)
        self.round = round_
        self.requests = 0
        self.client = zerorpc.Client(heartbeat=1)
        self.client.connect(endpoint)

    def ask(self, op, **args):
        """One call; answers its op."""
        args = {"owner": self.owner, **args}
        timeout = args.get("wait_ms", 0) / 1000 + self.patience
        made = self.history.sent(self.owner, op, **args)
        try:
            return self.history.received(made, self.client(op, *CALLS[op](args), timeout=timeout))
        except zerorpc.RemoteError as error:
            return self.history.received(made, error=error.name)
        except (zerorpc.LostRemote, zerorpc.TimeoutExpired) as error:
            return self.history.received(made, error=type(error).__name__)

    def name(self, kind):
        return f"{kind} {self.dice.randrange(2)} of round {self.round}"

    def wanted(self):
        """An acquire at random: the op and its arguments."""
        self.requests += 1
        common = {"lease_ms": self.dice.choice(LEASES), "wait_ms": self.dice.choice(WAITS),
                  "request_id": f"{self.owner}-{self.requests}"}
        kind = self.dice.random()
        if kind < 0.5:
            return "acquire", {"name": self.name("mutex"), **common}
        if kind < 0.7:
            return "acquire", {"name": self.name("shared"), "mode": self.dice.choice("ssx"), **common}
        if kind < 0.85:
            return "sem_acquire", {"name": self.name("permits"), "limit": LIMIT,
                                   "permits": self.dice.randint(1, LIMIT), **common}
        names = sorted(f"mutex {n} of round {self.round}" for n in range(2))
        return "acquire_many", {"names": names, **common}

    def acquire(self):
        """Sends a request, and again under the same id when its answer was lost."""
        op, args = self.wanted()
        for _ in range(3):
            made = self.ask(op, **args)
            if not made.unknown:
                break
        return made

    def turn(self):
        made = self.acquire()
        if not made.granted:
            time.sleep(0.05 if made.error else 0)  # it recovers, or is not back yet
            return
        for _ in range(self.dice.choice((0, 0, 0, 1, 3, 6))):
            time.sleep(self.dice.random() * 0.1)
            if made.op == "acquire":
                self.ask("extend", name=made.args["name"], token=made.token, lease_ms=self.dice.choice(LEASES))
        if self.dice.random() < 0.1:
            return  # forgets it
        self.give_back(made)

    def give_back(self, made):
        """Until it is answered: a release may be sent again."""
        for _ in range(3):
            if made.op == "acquire_many":
                told = self.ask("release_many", held=[[name, made.token] for name in made.names])
            else:
                release = "sem_release" if made.op == "sem_acquire" else "release"
                told = self.ask(release, name=made.args["name"], token=made.token)
            if not told.unknown:
                break


def main():
    endpoint, path, name, seconds, seed, round_ = sys.argv[1:]
    storm = Storm(endpoint, path, name, int(seed), round_)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        storm.turn()


if __name__ == "__main__":
    main()
