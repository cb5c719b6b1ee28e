"""What no honest client or worker sends: dropped and counted, or a named error; nobody else notices."""

import resource
import socket
import time

import pytest

from support.fake_worker import FakeWorker, description
from support.programs import wait_until
from support.raw import Raw, event_bytes, new_id

MATH, PEER = "zerosuite-math", "zerosuite_peer_server"


def drops(proxy):
    return proxy.call("proxy.stats")["drops"]


@pytest.fixture
def proxy(suite):
    return suite.start_proxy()


def test_nobody_can_speak_on_the_channel_of_another_client(suite, proxy):
    suite.start_worker(PEER, proxy.back)
    proxy.await_workers(1)
    with Raw(proxy.endpoint) as owner, Raw(proxy.endpoint) as stranger:
        id = owner.call("slow_async", [1000, "mine"])
        stream = owner.call("endless")
        assert owner.next(stream).args == 0
        for name, args in (("_zpx_cancel", []), ("_zpc_more", [100]), ("_zpc_hb", [0]), ("OK", [1])):
            stranger.follow(id, name, args)
            stranger.follow(stream, name, args)
        assert stranger.before_echo() == []
        assert owner.next(id).args == ["slept"]
        assert [event.name for event in owner.collect(0.3) if event.name == "STREAM"] == []


def test_a_worker_can_answer_only_the_calls_it_was_given(proxy):
    with FakeWorker(proxy.back) as honest, FakeWorker(proxy.back) as liar, Raw(proxy.endpoint) as raw:
        assert honest.introduce("good", id="honest")[0] == liar.introduce("evil", id="liar")[0] == "_zpx_ok"
        id = raw.call("good.work")
        call = honest.call()
        for name, args in (("OK", ["forged"]), ("ERR", ["E", "forged", None]), ("STREAM", 1), ("_zpc_hb", [0])):
            liar.answer(call, name, args)
        liar.socket.send_multipart([b"nobody", b"", call.payload])
        liar.socket.send_multipart([b"\xc1"])
        wait_until(lambda: drops(proxy)["workers' events without a channel"] == 6)
        honest.answer(call, "OK", ["true"])
        assert raw.next(id).args == ["true"]
        honest.answer(call, "OK", ["again"])
        assert raw.collect(0.3) == []


BAD = {
    "no map": lambda worker: worker.tell("_zpx_ready", 7),
    "nothing": lambda worker: worker.tell("_zpx_ready"),
    "no methods": lambda worker: worker.tell("_zpx_ready", {"id": "x", "service": "fake"}),
    "a list of methods": lambda worker: worker.tell("_zpx_ready", {"id": "x", "service": "fake", "methods": ["work"]}),
    "a method that is no map": lambda worker: worker.tell(
        "_zpx_ready", {"id": "x", "service": "fake", "methods": {"work": 1}}),
    "a method without a name": lambda worker: worker.tell(
        "_zpx_ready", {"id": "x", "service": "fake", "methods": {"": description()}}),
    "a description nobody could read": lambda worker: worker.tell(
        "_zpx_ready", {"id": "x", "service": "fake", "methods": {"work": description(deep={1: 2})}}),
    "no id": lambda worker: worker.tell("_zpx_ready", {"service": "fake", "methods": {}}),
    "a weight of nothing": lambda worker: worker.tell(
        "_zpx_ready", {"id": "x", "service": "fake", "methods": {}, "weight": 0}),
    **{f"the service {name!r}": lambda worker, name=name: worker.tell(
        "_zpx_ready", {"id": "x", "service": name, "methods": {"work": description()}})
       for name in ("proxy", "", "a.b", "_hidden", "a b", "x" * 300, 7, None)},
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_registration_is_refused_by_name_and_counted(proxy, case):
    with FakeWorker(proxy.back) as worker:
        BAD[case](worker)
        event = worker.control()
        assert (event.name, event.args[0]) == ("_zpx_refused", "InvalidArgument")
        assert event.args[1]
        assert proxy.workers() == {}
        assert drops(proxy)["refused registrations"] == 1
        assert worker.introduce()[0] == "_zpx_ok", "it may try again"


def test_a_worker_that_registers_anew_replaces_itself(proxy):
    with FakeWorker(proxy.back) as first, FakeWorker(proxy.back) as second, Raw(proxy.endpoint) as raw:
        first.introduce(id="same")
        id = raw.call("work")
        first.call()
        second.introduce(id="same")
        assert raw.next(id).args[0] == "WorkerLost"
        id = raw.call("work")
        second.answer(second.call(), "OK", ["second"])
        assert raw.next(id).args == ["second"]
        assert first.next(lambda event: event.name == "_zpx_stranger")


def test_messages_with_too_many_identities_are_dropped_and_counted(suite, proxy):
    suite.start_worker(MATH, proxy.back)
    proxy.await_workers(1)
    with Raw(proxy.endpoint) as raw:
        payload = event_bytes({"message_id": new_id(), "v": 3}, "add", [1, 2])
        raw.send(*[b"hop"] * 10, b"", payload)
        assert raw.receive().args == [3]
        for count in (16, 30):
            raw.send(*[b"hop"] * count, b"", event_bytes({"message_id": new_id(), "v": 3}, "add", [1, 2]))
        assert raw.value("add", 2, 2) == 4
        assert drops(proxy)["more identity frames than the limit"] == 2


def test_a_flood_of_one_frame_messages_and_garbage_disturbs_nobody(suite, proxy):
    suite.start_worker(MATH, proxy.back)
    proxy.await_workers(1)
    with Raw(proxy.endpoint) as flood, Raw(proxy.endpoint) as other, Raw(proxy.back) as at_the_back:
        for number in range(20_000):
            flood.send(b"\x93" if number % 2 else b"")
            at_the_back.send(b"")
            if number % 1000 == 0:
                assert other.value("add", number, 1, seconds=5) == number + 1
        assert other.value("add", 1, 2) == 3
        wait_until(lambda: sum(drops(proxy).values()) >= 40_000 - 2)
    assert len(proxy.log().splitlines()) < 50, "a flood does not become a flood of log lines"


def test_ten_thousand_connections_that_never_speak_disturb_nobody(suite, proxy):
    suite.start_worker(MATH, proxy.back)
    proxy.await_workers(1)
    wanted = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    port = int(proxy.endpoint.rpartition(":")[2])
    silent = []
    connecting = time.monotonic()
    try:
        for _ in range(min(wanted, hard - 500)):
            silent.append(socket.create_connection(("127.0.0.1", port)))
        assert len(silent) == wanted, f"this machine allows {hard} descriptors"
        assert time.monotonic() - connecting < 20, "none had to knock twice"
        begun = time.monotonic()
        with Raw(proxy.endpoint) as raw:
            assert [raw.value("add", n, n) for n in range(200)] == [2 * n for n in range(200)]
        assert time.monotonic() - begun < 5
    finally:
        for each in silent:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert proxy.call("proxy.ping") == "pong"


def test_payloads_pass_byte_for_byte_and_arguments_are_not_read(proxy):
    with FakeWorker(proxy.back) as worker, Raw(proxy.endpoint) as raw:
        worker.introduce()
        header = {"message_id": new_id(), "v": 3, "trace": b"\xff\x00", "deep": [[{"a": None}]]}
        for args in ([1, "é", b"\x00"], b"\x91\xc4\x08 damaged", b"\xdd\xff\xff\xff\xff" + b"\x91" * 10_000_000):
            payload = event_bytes({**header, "message_id": new_id()}, "work", args)
            raw.send(b"", payload)
            call = worker.next(lambda event: len(event.frames) > 1) if isinstance(args, list) else bytes_of(worker)
            assert (call.payload if isinstance(args, list) else call) == payload


def bytes_of(worker):
    """The payload of the next call, which is not MessagePack."""
    while True:
        worker.tell("_zpx_hb")
        assert worker.socket.poll(10_000)
        frames = worker.socket.recv_multipart()
        if len(frames) == 3:
            return frames[-1]


def test_the_time_a_large_argument_takes_does_not_depend_on_what_is_in_it(proxy):
    with FakeWorker(proxy.back) as worker, Raw(proxy.endpoint) as raw:
        worker.introduce()
        size = 10 << 20
        one_value = b"\x91\xc6" + size.to_bytes(4, "big") + bytes(size)
        ten_million_values = b"\xdd" + size.to_bytes(4, "big") + b"\xc0" * size
        times = {}
        for name, args in (("one", one_value), ("many", ten_million_values)) * 5:
            payload = event_bytes({"message_id": new_id(), "v": 3}, "work", args)
            begun = time.monotonic()
            raw.send(b"", payload)
            assert bytes_of(worker) == payload
            times[name] = min(times.get(name, 9), time.monotonic() - begun)
        # Reading ten million values takes 30 ms and more; moving them differs by nothing.
        assert times["many"] < times["one"] * 1.5 + 0.01, times


def test_a_qualified_name_tells_services_with_the_same_method_apart(proxy):
    with FakeWorker(proxy.back) as a, FakeWorker(proxy.back) as b, Raw(proxy.endpoint) as raw:
        a.introduce("first", ["work", "only"])
        b.introduce("second", ["work"])
        name, message, _ = raw.error("work")
        assert (name, message) == ("AmbiguousMethod", "work is a method of several services: first.work, second.work")
        for service, worker in (("first", a), ("second", b)):
            id = raw.call(f"{service}.work")
            worker.answer(worker.call(), "OK", [service])
            assert raw.next(id).args == [service]
        id = raw.call("only")
        a.answer(a.call(), "OK", ["only"])
        assert raw.next(id).args == ["only"]
        assert raw.error("nosuch")[:2] == ["NameError", "nosuch"]
        assert raw.error("first.nosuch")[:2] == ["NameError", "first.nosuch: no such method"]
        assert raw.error("third.work")[:2] == ["NameError", "third.work: no such service"]


def test_a_dealer_that_is_no_worker_learns_nothing_at_the_back(suite, proxy):
    suite.start_worker(MATH, proxy.back)
    proxy.await_workers(1)
    with Raw(proxy.back) as raw:
        raw.call("add", [1, 2])
        raw.call("proxy.stats")
        assert raw.collect(0.5) == []
