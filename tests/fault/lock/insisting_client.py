"""A client that enters and leaves locks, sets and semaphores at random, and sends each request until it is answered.

usage: insisting_client.py ENDPOINT HISTORY NAME SECONDS SEED
"""

import sys
import time

from storm_client import Storm

LEASE = 60_000  # ms; longer than the test, so that nothing ends but by a release
WAIT = 100

#: How to enter, and how to leave with a token.
SECTIONS = [
    *[("acquire", {"name": name}, "release", lambda token, name=name: {"name": name, "token": token})
      for name in ("alone", "one")],
    ("acquire_many", {"names": ["one", "two"]}, "release_many",
     lambda token: {"held": [["one", token], ["two", token]]}),
    ("sem_acquire", {"name": "permits", "limit": 3}, "sem_release", lambda token: {"name": "permits", "token": token}),
]


class Insisting(Storm):
    patience = 0.15

    def turn(self):
        section = self.dice.choice(SECTIONS)
        # What is entered once may be held once more after a crash, and nobody could have it any more.
        self.section(section, 1 if section[0] == "sem_acquire" else self.dice.randint(2, 3))

    def section(self, section, depth):
        """Goes in, perhaps goes further in, and comes out again."""
        enter, how, leave, about = section
        entered = self.insist(enter, **how, lease_ms=LEASE, wait_ms=WAIT)
        if not entered.granted:
            return
        if depth > 1:
            self.section(section, depth - 1)
        self.insist(leave, **about(entered.token))

    def insist(self, op, **args):
        self.requests += 1
        while True:
            made = self.ask(op, **args, request_id=self.requests)
            if not made.unknown:
                return made


def main():
    endpoint, path, name, seconds, seed = sys.argv[1:]
    client = Insisting(endpoint, path, name, int(seed), 0)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        client.turn()


if __name__ == "__main__":
    main()
