"""What our protocol adds without disturbing stock peers: deadlines in the header, and giving a call up."""

import time

import pytest

from support.programs import wait_until
from support.raw import Raw, new_id

pytestmark = pytest.mark.ours


def test_a_call_whose_deadline_has_passed_is_not_run(raw):
    assert raw.error("slow_async", 1, "never", timeout_ms=0)[0] == "DeadlineExceeded"
    assert raw.value("fate", "never") is None


@pytest.mark.parametrize("method, args", [("slow_async", [10_000, "deadline"]), ("slow", [2])])
def test_a_slow_call_is_answered_when_its_deadline_passes(raw, method, args):
    begun = time.monotonic()
    assert raw.error(method, *args, timeout_ms=200)[0] == "DeadlineExceeded"
    assert 0.19 <= time.monotonic() - begun < 1.5


def test_the_method_is_told_that_the_deadline_has_passed(raw):
    raw.error("slow_async", 10_000, "told", timeout_ms=100)
    state, _, ms = wait_until(lambda: ended(raw, "told"))
    assert state == "cancelled"
    assert 90 <= ms < 1_500


def test_a_call_that_keeps_its_deadline_is_answered(raw):
    assert raw.value("slow_async", 20, timeout_ms=5_000) == "slept"
    assert raw.value("echo", "quick", timeout_ms=1_000) == "quick"


def test_a_deadline_is_for_the_first_item_of_a_stream_and_not_for_its_end(raw):
    id = raw.call("endless", ["deadline"], timeout_ms=100)
    assert raw.next(id).args == 0
    assert raw.collect(0.3) == []
    raw.grant(id, 1)
    assert raw.next(id).args == 1


@pytest.mark.parametrize("nonsense", ["soon", None, -5, 1.5, 2**64 - 1, [1]], ids=str)
def test_a_deadline_of_nonsense_does_no_harm(raw, nonsense):
    reply = raw.next(raw.call("echo", [1], timeout_ms=nonsense))
    assert reply.name == "OK" or reply.args[0] == "DeadlineExceeded"


@pytest.mark.parametrize("method, args", [("slow_async", [60_000, "given up"]), ("endless", ["left"])])
def test_a_call_given_up_is_cancelled_at_once(raw, method, args):
    id = raw.call(method, args)
    wait_until(lambda: raw.value("fate", args[-1]))
    raw.follow(id, "_zpx_cancel", [])
    state, _, ms = wait_until(lambda: ended(raw, args[-1]))
    assert state == "cancelled"
    assert ms < 5_000


def test_giving_up_a_call_that_is_done_or_was_never_made_does_nothing(raw):
    id = raw.call("echo", [1])
    assert raw.next(id).name == "OK"
    raw.follow(id, "_zpx_cancel", [])
    raw.follow(new_id(), "_zpx_cancel", [])
    assert raw.before_echo() == []


def test_one_client_cannot_give_up_the_call_of_another(suite):
    with Raw(suite.peer.endpoint) as owner, Raw(suite.peer.endpoint) as stranger:
        id = owner.call("slow_async", [1_000, "not yours"])
        stranger.follow(id, "_zpx_cancel", [])
        assert stranger.before_echo() == []
        assert owner.next(id).args == ["slept"]


def test_a_reply_dropped_by_its_method_is_answered_abandoned(client):
    assert client.error("abandoned").name == "Abandoned"


def ended(raw, tag):
    fate = raw.value("fate", tag)
    return fate if fate and fate[0] != "running" else None
