"""A Core with a clock of its own, and the server's side of its wire."""

import itertools

import msgpack

from zerosuite import _core, _wire


class Recorded(_core.Call):
    """A call that remembers what became of it."""

    def __init__(self, method="add", args=(1, 2), timeout=30.0, slots=4, repeatable=False):
        super().__init__(method, _wire.pack_call(method, args), timeout, slots, repeatable)
        self.outcomes = []

    def answered(self, value):
        self.outcomes.append(value)

    def failed(self, error):
        self.outcomes.append(error)

    @property
    def outcome(self):
        """What it ended in; there must be one, and one only."""
        (only,) = self.outcomes
        return only


class Sent:
    """An event that the core has sent."""

    def __init__(self, link, payload):
        self.link = link
        self.header, self.name, self.args = msgpack.unpackb(payload, raw=False)
        self.id = self.header["message_id"]
        self.channel = self.header.get("response_to")

    def __repr__(self):
        return f"{self.name}{self.args}"


class Rig:
    """The core at the time `now`, in seconds; its links are up unless said otherwise."""

    def __init__(self, links=1, up=True, **options):
        self.core = _core.Core([f"tcp://host:{number}" for number in range(1, links + 1)], **options)
        self.now = 1000.0
        self._ids = itertools.count()
        if up:
            for link in self.core.links:
                self.core.link_up(link, self.now)

    @property
    def link(self):
        return self.core.links[0]

    def sent(self, *names):
        """What the core has sent since the last time, all of it or what has one of these names."""
        out = []
        while self.core.out:
            link, payload, _ = self.core.out.popleft()
            out.append(Sent(link, payload))
        return [event for event in out if not names or event.name in names]

    def call(self, **options):
        """A call that has been submitted."""
        call = Recorded(**options)
        self.core.submit(call, self.now)
        return call

    def reply(self, call, name, args):
        """An event of the server for the newest try of a call."""
        header = {"message_id": b"s%d" % next(self._ids), "v": 3, "response_to": call.message_id}
        self.core.receive(call.link, msgpack.packb([header, name, args]), self.now)

    def error(self, call, name, message="", traceback=None):
        self.reply(call, "ERR", [name, message, traceback])

    def pass_time(self, seconds):
        """Time goes by; the core is woken whenever it wants to be."""
        end = self.now + seconds
        while self.core.wake_at <= end:
            self.now = max(self.now, self.core.wake_at)
            self.core.tick(self.now)
        self.now = end
