"""Bookkeeping of calls: what was sent, what came back, how often, and when."""

import time
from collections import Counter

from support.raw import Raw

FINAL = ("OK", "ERR", "STREAM_DONE")


class Ledger:
    """A caller that knows every call it made and every final answer to it."""

    def __init__(self, endpoint):
        self.raw = Raw(endpoint)
        self.sent = {}
        self.answers = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.close()

    def call(self, method, *args, **header):
        id = self.raw.call(method, args, **header)
        self.sent[id] = time.monotonic()
        return id

    def collect(self, seconds=20.0, beat=False):
        """Reads until every call has its answer, then a moment longer for answers too many."""
        deadline = time.monotonic() + seconds
        while len(self.answers) < len(self.sent):
            left = deadline - time.monotonic()
            assert left > 0, f"{len(self.sent) - len(self.answers)} of {len(self.sent)} calls got no answer"
            if self.raw.socket.poll(min(left, 0.5) * 1000):
                self._take(self.raw.receive())
            elif beat:
                for id in self.sent.keys() - self.answers.keys():
                    self.raw.beat(id)
        for event in self.raw.collect(0.3):
            self._take(event)
        assert all(len(events) == 1 for events in self.answers.values()), "a call was answered twice"
        return self

    def _take(self, event):
        if event.name in FINAL:
            assert event.id in self.sent, f"an answer to a call that was not made: {event.args}"
            self.answers.setdefault(event.id, []).append(event)

    def outcomes(self):
        """How often each outcome came: "OK", or the error's name."""
        return Counter(event.args[0] if event.name == "ERR" else event.name
                       for events in self.answers.values() for event in events)

    def seconds(self, id):
        """From the call to its answer."""
        return self.answers[id][0].at - self.sent[id]

    def slowest(self, since=None):
        """The longest time to an answer: from each call, or from that moment on."""
        return max(events[0].at - (since or self.sent[id]) for id, events in self.answers.items())
