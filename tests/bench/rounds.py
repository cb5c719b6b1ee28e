"""Interleaved rounds: A B A B ..., so that a drift of the machine meets all contenders alike; medians are compared."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

import processes

QUIET, TRIES = 0.05, 3


@dataclass(frozen=True)
class Contender:
    """One way to do the same work: `server` names an entry of the server table, `client` is a command without the
    endpoint."""

    name: str
    server: str
    client: tuple


@dataclass(frozen=True)
class Contest:
    """Contenders measured against each other, in the same rounds."""

    title: str
    contenders: list


@dataclass
class Outcome:
    """What one contender of a contest came to; `missing` says why there is nothing."""

    contender: Contender
    rounds: list = field(default_factory=list)
    missing: str = ""

    def value(self, metric):
        return median(result[metric] for result in self.rounds)

    def ratio(self, metric, other):
        """The median over the rounds of this one's metric divided by the other's in the same round."""
        return median(a[metric] / b[metric] for a, b in zip(self.rounds, other.rounds))

    def difference(self, metric, other):
        """The median over the rounds of how much more this one's metric is than the other's in the same round."""
        return median(a[metric] - b[metric] for a, b in zip(self.rounds, other.rounds))


def quiet_run(client, server):
    """One run in which the machine did little else: the least disturbed of at most TRIES."""
    tries = []
    for _ in range(TRIES):
        tries.append(processes.run_client(client, server))
        if tries[-1]["foreign"] <= QUIET:
            break
    return min(tries, key=lambda result: result["foreign"])


def play(contest, servers, count):
    """Runs `count` rounds. `servers` maps a name to a function that gives an unstarted processes.Server."""
    outcomes = [Outcome(contender) for contender in contest.contenders]
    with ExitStack() as stack:
        running = {}
        for outcome in outcomes:
            name = outcome.contender.server
            try:
                if name not in running:
                    running[name] = stack.enter_context(servers[name]())
                processes.require(outcome.contender.client[0])
            except processes.NotMeasured as reason:
                outcome.missing = str(reason)
        for _ in range(count):
            for outcome in outcomes:
                if not outcome.missing:
                    server = running[outcome.contender.server]
                    outcome.rounds.append(quiet_run(outcome.contender.client, server))
    return outcomes
