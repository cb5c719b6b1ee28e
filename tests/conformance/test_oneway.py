"""PUSH/PULL and PUB/SUB, between our programs and stock python, both ways."""

import sys

import pytest
import zmq

from support import vectors
from support.peer import Peer
from support.programs import BIN, PEERS, Server, wait_until
from support.raw import CONTEXT, event_bytes, new_id

pytestmark = [pytest.mark.ours, pytest.mark.direct]

SENDER = {"puller": "pusher", "subscriber": "publisher"}


@pytest.fixture(params=["puller", "subscriber"])
def kind(request):
    return request.param


class Receiver(Server):
    ends_with_its_input = True


@pytest.fixture
def programs():
    """Starts programs; ends them after the test."""
    started = []

    def start(make, *command):
        started.append(make(command))
        return started[-1]

    yield start
    for program in reversed(started):
        program.finish()


def deliver(sender, receiver, kind):
    """Sends until the first arrives (a publisher loses what comes before its subscription), then ten in a row."""
    def arrived():
        sender.do("send", method="note", args=[0, "first é"])
        return "noted 0 first é" in receiver.log()

    wait_until(arrived)
    for number in range(1, 11):
        assert sender.do("send", method="note", args=[number, "b"])["sent"]
    receiver.await_line(r"noted 10 b")
    heard = [line for line in receiver.log().splitlines() if line.endswith(" b")]
    assert heard == [f"noted {number} b" for number in range(1, 11)]


def test_a_stock_receiver_hears_our_sender(programs, kind):
    receiver = programs(Server, sys.executable, PEERS / "reference_server.py", kind)
    sender = programs(Peer, BIN / "zerosuite_peer_oneway", SENDER[kind], receiver.endpoint)
    deliver(sender, receiver, kind)


def test_our_receiver_hears_a_stock_sender(programs, kind):
    receiver = programs(Receiver, BIN / "zerosuite_peer_oneway", kind)
    sender = programs(Peer, sys.executable, PEERS / "sender.py", SENDER[kind], receiver.endpoint)
    deliver(sender, receiver, kind)


def test_our_receiver_hears_our_sender(programs, kind):
    receiver = programs(Receiver, BIN / "zerosuite_peer_oneway", kind)
    sender = programs(Peer, BIN / "zerosuite_peer_oneway", SENDER[kind], receiver.endpoint)
    deliver(sender, receiver, kind)


def test_our_receiver_lives_through_errors_and_garbage(programs):
    receiver = programs(Receiver, BIN / "zerosuite_peer_oneway", "puller")
    with CONTEXT.socket(zmq.PUSH) as push:
        push.connect(receiver.endpoint)
        push.send(vectors.PYTHON_PUSH)
        push.send(b"\xc1")
        push.send(b"")
        push.send_multipart([b"id", b"", event_bytes({"message_id": new_id(), "v": 3}, "note", [1, "framed"])])
        for args in ([], [1], [1, 2, 3], ["x", 1], None):
            push.send(event_bytes({"message_id": new_id(), "v": 3}, "note", args))
        push.send(event_bytes({"message_id": new_id(), "v": 3}, "fail", []))
        push.send(event_bytes({"message_id": new_id(), "v": 3, "trace_id": "t"}, "note", [7, "still here"]))
        receiver.await_line(r"noted 7 still here")


def test_a_pusher_whose_queue_is_full_says_so_and_does_not_wait(programs):
    with CONTEXT.socket(zmq.PULL) as pull:
        port = pull.bind_to_random_port("tcp://127.0.0.1")
    sender = programs(Peer, BIN / "zerosuite_peer_oneway", "pusher", f"tcp://127.0.0.1:{port}")
    sent = [sender.do("send", method="note", args=[number, "x"])["sent"] for number in range(1_500)]
    assert sent[0] and not sent[-1]
    assert sent.count(True) == sent.index(False)


def test_what_we_send_one_way_is_one_frame_as_python_sends_it(programs):
    with CONTEXT.socket(zmq.PULL) as pull:
        port = pull.bind_to_random_port("tcp://127.0.0.1")
        sender = programs(Peer, BIN / "zerosuite_peer_oneway", "pusher", f"tcp://127.0.0.1:{port}")
        wait_until(lambda: sender.do("send", method="lolita", args=[1, "b"])["sent"])
        frames = pull.recv_multipart()
        assert len(frames) == 1
        assert len(frames[0]) == len(vectors.PYTHON_PUSH)
        assert frames[0][:15] == vectors.PYTHON_PUSH[:15]
        assert frames[0][47:] == vectors.PYTHON_PUSH[47:]
