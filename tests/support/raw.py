"""A peer that sends exactly the bytes it is told to, and notes what comes back and when."""

import itertools
import secrets
import time
from dataclasses import dataclass, field

import msgpack
import zmq

CONTEXT = zmq.Context.instance()
_ids = itertools.count(1)


def new_id():
    """An id as a stock python client makes it: 32 hex digits, bin on the wire."""
    return f"{next(_ids):08x}{secrets.token_hex(12)}".encode()


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


def event_bytes(header, name, args):
    """One event; a header or args given as bytes are taken as already encoded."""
    parts = [part if isinstance(part, bytes) else pack(part) for part in (header, name, args)]
    return b"\x93" + b"".join(parts)


@dataclass
class Event:
    payload: bytes
    frames: list
    at: float = field(default_factory=time.monotonic)

    def __post_init__(self):
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        unpacker.feed(self.payload)
        self.header, self.name, self.args = unpacker.unpack()

    @property
    def id(self):
        return self.header.get("response_to")


class Raw:
    """A socket with the protocol's habits only where the test asks for them."""

    def __init__(self, endpoint, kind=zmq.DEALER, **options):
        self.socket = CONTEXT.socket(kind)
        self.socket.linger = 0
        self.socket.rcvhwm = 0
        for name, value in options.items():
            setattr(self.socket, name, value)
        self.socket.connect(endpoint)
        self._aside = []

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, *frames):
        self.socket.send_multipart(frames)

    def send_event(self, header, name, args):
        self.send(b"", event_bytes(header, name, args))

    def call(self, name, args=(), id=None, v=3, **context):
        """Opens a channel; answers its id."""
        id = new_id() if id is None else id
        version = {} if v is None else {"v": v}
        self.send_event({"message_id": id, **version, **context}, name, args)
        return id

    def follow(self, id, name, args):
        """A later event on an open channel."""
        self.send_event({"message_id": new_id(), "v": 3, "response_to": id}, name, args)

    def grant(self, id, count):
        self.follow(id, "_zpc_more", [count])

    def beat(self, id):
        self.follow(id, "_zpc_hb", [0])

    def receive(self, seconds=10.0):
        """The next event, whatever it is."""
        if self._aside:
            return self._aside.pop(0)
        return self._read(seconds)

    def _read(self, seconds):
        assert self.socket.poll(max(0, seconds) * 1000), f"nothing came within {seconds} s"
        frames = self.socket.recv_multipart()
        return Event(frames[-1], frames[:-1])

    def next(self, id, seconds=10.0, heartbeats="skipped"):
        """The next event of one channel; others are kept for later."""
        def wanted(event):
            return event.id == id and (heartbeats == "kept" or event.name != "_zpc_hb")

        for place, event in enumerate(self._aside):
            if wanted(event):
                return self._aside.pop(place)
        deadline = time.monotonic() + seconds
        while True:
            event = self._read(deadline - time.monotonic())
            if wanted(event):
                return event
            if event.id != id:
                self._aside.append(event)

    def value(self, name, *args, seconds=10.0, **options):
        """Calls and answers the value of its OK."""
        event = self.next(self.call(name, args, **options), seconds)
        assert event.name == "OK", f"{name}{args} answered {event.name} {event.args}"
        assert len(event.args) == 1
        return event.args[0]

    def error(self, name, *args, **options):
        """Calls and answers the args of its ERR."""
        event = self.next(self.call(name, args, **options))
        assert event.name == "ERR", f"{name}{args} answered {event.name} {event.args}"
        return event.args

    def offered(self, service):
        """The bare names of a service's own methods, from the service or from a proxy before it."""
        methods = self.value("_zerorpc_inspect")["methods"]
        return {each.removeprefix(f"{service}.") for each in methods
                if "_zerorpc_" not in each and "proxy." not in each}

    def before_echo(self):
        """What the server had to say before it answers a call made now: everything it sent for what came earlier."""
        id = self.call("echo", ["marker"])
        before = []
        while True:
            event = self.receive()
            if event.id == id:
                assert event.args == ["marker"]
                return before
            before.append(event)

    def collect(self, seconds, on_event=lambda event: None):
        """All events of a span of time."""
        deadline = time.monotonic() + seconds
        events = []
        while self.socket.poll(max(0, deadline - time.monotonic()) * 1000):
            events.append(self.receive())
            on_event(events[-1])
        return events
