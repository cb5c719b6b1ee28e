"""A worker made by hand: it dials a proxy's back and says exactly what a test wants."""

import time

import zmq

from support.raw import CONTEXT, Event, event_bytes, new_id


def description(**flags):
    """A method as a registration describes it."""
    return {"args": [], "doc": None, **flags}


class FakeWorker:
    def __init__(self, back):
        self.socket = CONTEXT.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(back)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def tell(self, name, *args):
        """A message about the worker itself."""
        self.socket.send_multipart([b"", event_bytes({"message_id": new_id(), "v": 3}, name, list(args))])

    def introduce(self, service="fake", methods=("work",), id=None, **more):
        """Registers; answers the proxy's word and its args."""
        methods = {name: description() for name in methods} if isinstance(methods, (tuple, list)) else methods
        self.tell("_zpx_ready", {"id": id or f"{service}-1", "service": service, "methods": methods, **more})
        event = self.next(lambda event: event.name in ("_zpx_ok", "_zpx_refused"))
        return event.name, event.args

    def receive(self, seconds=10.0):
        """The next message, whatever it is."""
        assert self.socket.poll(seconds * 1000), f"the proxy sent nothing within {seconds} s"
        frames = self.socket.recv_multipart()
        return Event(frames[-1], frames[:-1])

    def next(self, wanted, seconds=10.0):
        """The next event for which wanted(event); the worker stays alive meanwhile."""
        deadline = time.monotonic() + seconds
        while True:
            self.tell("_zpx_hb")
            left = deadline - time.monotonic()
            assert left > 0, f"nothing of that kind came within {seconds} s"
            if self.socket.poll(min(left, 0.5) * 1000):
                event = self.receive()
                if wanted(event):
                    return event

    def control(self, seconds=10.0):
        """The next word of the proxy itself, heartbeats and what answers them apart."""
        usual = ("_zpx_hb", "_zpx_stranger")
        return self.next(lambda event: len(event.frames) == 1 and event.name not in usual, seconds)

    def call(self, seconds=10.0):
        """The next call of a client."""
        return self.next(lambda event: len(event.frames) > 1 and "response_to" not in event.header, seconds)

    def answer(self, call, name, args, **header):
        """An event on the channel of `call`."""
        usual = {"message_id": new_id(), "v": 3, "response_to": call.header["message_id"], **header}
        self.socket.send_multipart([*call.frames, event_bytes(usual, name, args)])
