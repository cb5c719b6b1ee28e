"""A server made by hand: it answers with exactly the bytes a test wants."""

import time

import zmq

from support.raw import CONTEXT, Event, event_bytes, new_id


class FakeServer:
    def __init__(self, endpoint="tcp://127.0.0.1:*"):
        self.socket = CONTEXT.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.bind(endpoint)
        self.endpoint = self.socket.last_endpoint.decode().rstrip("\0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def receive(self, seconds=10.0):
        """The next event of a client."""
        assert self.socket.poll(seconds * 1000), f"the client sent nothing within {seconds} s"
        frames = self.socket.recv_multipart()
        return Event(frames[-1], frames[:-1])

    def receive_named(self, name, seconds=10.0):
        """The next event of that name; others are passed over."""
        deadline = time.monotonic() + seconds
        while True:
            event = self.receive(max(0, deadline - time.monotonic()))
            if event.name == name:
                return event

    def collect(self, seconds):
        """Every event of a span of time."""
        deadline = time.monotonic() + seconds
        events = []
        while self.socket.poll(max(0, deadline - time.monotonic()) * 1000):
            events.append(self.receive())
        return events

    def answer(self, call, name, args, **header):
        """An event on the channel of `call`; header entries override the usual ones, None leaves one out."""
        usual = {"message_id": new_id(), "v": 3, "response_to": call.header["message_id"], **header}
        self.send(call, event_bytes({key: value for key, value in usual.items() if value is not None}, name, args))

    def send(self, call, payload):
        self.socket.send_multipart([*call.frames[:-1], b"", payload])
