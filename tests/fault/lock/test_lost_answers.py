"""A request whose answer was lost is sent again under its request_id, and is done once, whatever lost the answer."""

import itertools

import pytest

from support.gates import BreakingGate
from support.linearize import not_linearizable
from support.lock_service import CALLS
from support.programs import wait_until
from support.raw import Raw

from entering import LONG, STORIES, entries


class Attempt:
    """A request on a connection of its own."""

    def __init__(self, history, endpoint, op, args):
        self._history = history
        self._op = op
        self._args = {"owner": "a", **args}
        self._made = None
        self._id = None
        self.raw = Raw(endpoint)
        assert self.raw.value("_zerorpc_ping")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.close()

    def send(self):
        self._made = self._history.sent("a", self._op, **self._args)
        self._id = self.raw.call(self._op, CALLS[self._op](self._args))

    def await_reading(self):
        """Until the server has read it: connections are read in order."""
        assert self.raw.value("_zerorpc_ping")

    def answer(self):
        """The op, with its answer."""
        event = self.raw.next(self._id)
        told = {"result": event.args[0]} if event.name == "OK" else {"error": event.args[0]}
        return self._history.received(self._made, **told)


class Line:
    """How "a" reaches the broker, through a proxy if there is one; it can break."""

    def __init__(self, suite, broker, proxy, history):
        self.suite = suite
        self.broker = broker
        self.proxy = proxy
        self.history = history
        self.gate = BreakingGate(proxy.endpoint if proxy else broker.endpoint)

    def restart_broker(self):
        self.broker.kill()
        self.broker.start()

    def restart_proxy(self):
        self.proxy = self.suite.start_proxy(bind=self.proxy.endpoint, back=self.proxy.back)
        self.proxy.await_workers(1)

    def attempt(self, op, args, endpoint=None):
        return Attempt(self.history, endpoint or self.gate.endpoint, op, args)

    def ask(self, op, args):
        with self.attempt(op, args) as attempt:
            attempt.send()
            return attempt.answer()

    def lose(self, fault, op, args):
        """An attempt whose answer nobody gets."""
        with self.attempt(op, args) as attempt:
            fault(self, attempt)


@pytest.fixture
def make_line(suite, start_broker, history):
    def make(behind_proxy=False):
        proxy = suite.start_proxy() if behind_proxy else None
        broker = start_broker(proxy=proxy.back if proxy else "none")
        if proxy:
            proxy.await_workers(1)
        return Line(suite, broker, proxy, history)

    return make


@pytest.fixture
def line(make_line):
    return make_line()


def reset_at_the_request(line, attempt):
    """The broker hears that the client is gone while it does what was asked."""
    line.gate.break_at("request")
    attempt.send()
    line.gate.await_break()


def reset_at_the_answer(line, attempt):
    line.gate.break_at("answer")
    attempt.send()
    line.gate.await_break()


def broker_stopped(line, attempt):
    """It finds the request and the end of its connection when it goes on."""
    line.broker.pause()
    reset_at_the_request(line, attempt)
    line.broker.go_on()


def broker_killed_at_the_request(line, attempt):
    """Which was done, or was not."""
    reset_at_the_request(line, attempt)
    line.restart_broker()


def broker_killed_at_the_answer(line, attempt):
    reset_at_the_answer(line, attempt)
    line.restart_broker()


def proxy_killed(line, attempt):
    """While the broker does what was asked."""
    line.broker.pause()
    attempt.send()
    wait_until(lambda: line.proxy.call("proxy.stats")["channels"] == 1, every=0.01)
    line.proxy.kill()
    line.broker.go_on()
    line.restart_proxy()


FAULTS = [reset_at_the_request, reset_at_the_answer, broker_stopped, broker_killed_at_the_request,
          broker_killed_at_the_answer, proxy_killed]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_request_that_is_sent_again_counts_once(make_line, history, fault):
    line, numbers = make_line(behind_proxy=fault is proxy_killed), itertools.count(1)
    killed = fault in (broker_killed_at_the_request, broker_killed_at_the_answer)
    for requests, name, counts in STORIES:
        token = None
        for before, count in itertools.pairwise([0, *counts]):
            op, args = requests(token)[count < before]
            args = {**args, "request_id": next(numbers)}
            line.lose(fault, op, args)
            told = line.ask(op, args)
            # Of what had ended before a crash nothing is remembered.
            assert told.granted or told.done or (killed and count == 0 and told.error == "NotHeld"), told
            assert (told.result or {}).get("hold_count", count) == count, told
            assert entries(line.broker, name) == count, told
            token = told.token if told.granted else token
    assert not_linearizable(history.ops(), crashes=killed, sync=True) == []


@pytest.fixture(params=["text", 7])
def asked(request):
    return {"name": "n", "lease_ms": LONG, "wait_ms": LONG, "request_id": request.param}


@pytest.fixture
def attempts(line, asked):
    """Two attempts of one request: the older one comes through the gate, the newest does not."""
    with line.attempt("acquire", asked) as older, line.attempt("acquire", asked, line.broker.endpoint) as newest:
        yield older, newest


@pytest.mark.parametrize("older_is", ["there", "gone"])
def test_the_newest_attempt_gets_the_lock_when_an_older_one_is_read_while_it_waits(line, attempts, older_is):
    older, newest = attempts
    token = line.broker.call("acquire", "n", "b", LONG)["token"]
    with line.gate.shut():
        older.send()
        newest.send()
        wait_until(lambda: line.broker.waiters("n") == ["a"])
    older.await_reading()
    if older_is == "gone":
        older.raw.close()
    line.broker.call("release", "n", "b", token)
    grant = newest.answer()
    assert grant.granted, grant
    assert older_is == "gone" or older.answer().token == grant.token
    assert entries(line.broker, "n") == 1


@pytest.mark.parametrize("count", [1, 2])
def test_the_newest_attempt_keeps_the_lock_when_an_older_one_is_read_after_its_answer(line, attempts, count):
    older, newest = attempts
    if count == 2:
        line.ask("acquire", {"name": "n", "lease_ms": LONG, "request_id": 1})
    with line.gate.shut():
        older.send()
        newest.send()
        grant = newest.answer()
        assert grant.granted and grant.result["hold_count"] == count, grant
        line.gate.break_at("request")
    line.gate.await_break()
    assert entries(line.broker, "n") == count


@pytest.mark.parametrize("count", [1, 2])
def test_the_newest_attempt_gets_the_lock_when_a_broker_that_stood_still_reads_all_at_once(line, count):
    for number in range(10):
        name = f"lock {number}"
        for _ in range(count - 1):
            line.ask("acquire", {"name": name, "lease_ms": LONG})
        asked = {"name": name, "lease_ms": LONG, "request_id": number}
        with line.attempt("acquire", asked) as older, line.attempt("acquire", asked, line.broker.endpoint) as newest:
            line.broker.pause()
            reset_at_the_request(line, older)
            newest.send()
            line.broker.go_on()
            grant = newest.answer()
        assert grant.granted and grant.result["hold_count"] == count, grant
        assert entries(line.broker, name) == count
