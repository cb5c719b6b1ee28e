"""The protocol without sockets: what is sent, when, and what becomes of calls."""

import random

import msgpack
import pytest
from core_rig import Recorded, Rig

from zerosuite import errors


def test_a_call_is_an_event_with_an_id_of_32_bytes_and_its_timeout():
    rig = Rig()
    rig.call(method="math.add", args=(3, 4), timeout=2.5)
    (event,) = rig.sent()
    assert (event.name, event.args) == ("math.add", [3, 4])
    assert event.header == {"message_id": event.id, "v": 3, "timeout_ms": 2500}
    assert len(event.id) == 32 and event.id.isalnum()


def test_a_call_without_a_timeout_names_none_and_never_ends_by_itself():
    rig = Rig()
    call = rig.call(timeout=None)
    (event,) = rig.sent()
    assert "timeout_ms" not in event.header
    for _ in range(100):
        rig.reply(call, "_zpc_hb", [0])
        rig.pass_time(9.0)
    assert call.outcomes == []


def test_every_call_has_an_id_of_its_own():
    rig = Rig()
    for _ in range(1000):
        rig.call()
    assert len({event.id for event in rig.sent()}) == 1000


def test_ok_answers_the_call_that_it_belongs_to():
    rig = Rig()
    first, second = rig.call(), rig.call()
    rig.reply(second, "OK", [2])
    rig.reply(first, "OK", [1])
    assert (first.outcome, second.outcome) == (1, 2)


def test_an_id_that_comes_back_as_text_is_the_same_id():
    rig = Rig()
    call = rig.call()
    header = {"message_id": "x", "v": 3, "response_to": call.message_id.decode()}
    rig.core.receive(rig.link, msgpack.packb([header, "OK", [7]]), rig.now)
    assert call.outcome == 7


def test_bytes_after_an_event_are_ignored():
    rig = Rig()
    call = rig.call()
    header = {"message_id": "x", "v": 3, "response_to": call.message_id}
    rig.core.receive(rig.link, msgpack.packb([header, "OK", [7]]) + b"\x01\x02", rig.now)
    assert call.outcome == 7


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x93", b"\x91" * 5000, b"\xdd\xff\xff\xff\xff",
                                     msgpack.packb([1, 2, 3]), msgpack.packb([{}, "OK", [1]]),
                                     msgpack.packb([{"response_to": 7}, "OK", [1]])])
def test_what_is_no_event_of_ours_changes_nothing(payload):
    rig = Rig()
    call = rig.call()
    rig.core.receive(rig.link, payload, rig.now)
    assert call.outcomes == []


def test_a_reply_that_is_not_utf8_ends_its_call():
    rig = Rig()
    call = rig.call()
    header = msgpack.packb({"message_id": b"x", "response_to": call.message_id})
    rig.core.receive(rig.link, b"\x93" + header + b"\xa2OK\x91\xa1\xff", rig.now)
    assert isinstance(call.outcome, errors.ProtocolError)
    assert "utf-8" in str(call.outcome)


@pytest.mark.parametrize("args", [None, [], "text", 3, {}])
def test_ok_without_a_value_is_a_protocol_error(args):
    rig = Rig()
    call = rig.call()
    rig.reply(call, "OK", args)
    assert isinstance(call.outcome, errors.ProtocolError)


def test_an_unknown_event_is_a_protocol_error_and_cancels_the_call():
    rig = Rig()
    call = rig.call()
    rig.sent()
    rig.reply(call, "MAYBE", [1])
    assert isinstance(call.outcome, errors.ProtocolError)
    assert [event.name for event in rig.sent()] == ["_zpx_cancel"]


def test_a_late_reply_is_dropped():
    rig = Rig()
    call = rig.call()
    rig.reply(call, "OK", [1])
    rig.reply(call, "OK", [2])
    rig.error(call, "ValueError")
    assert call.outcome == 1


def odd_value(dice, depth=0):
    """Anything that a server may send."""
    kind = dice.randrange(9 if depth < 3 else 6)
    if kind < 6:
        return dice.choice([None, True, -1, 2**64 - 1, 1.5, "", "text", b"\xff", "{" * 200, float("nan")])
    if kind < 8:
        return [odd_value(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {dice.choice(["lost", "methods", 7, "args"]): odd_value(dice, depth + 1) for _ in range(dice.randrange(3))}


@pytest.mark.parametrize("seed", range(20))
def test_nothing_that_a_server_sends_makes_it_fail(seed):
    dice = random.Random(seed)
    rig = Rig(links=2)
    inspect = rig.sent("_zerorpc_inspect")[0]
    for _ in range(300):
        call = rig.call(repeatable=dice.random() < 0.5)
        name = dice.choice(["OK", "ERR", "STREAM", "STREAM_DONE", "_zpc_hb", "_zpc_more", odd_value(dice)])
        args = odd_value(dice)
        if name == "ERR" and dice.random() < 0.7:
            args = [dice.choice(["Overloaded", "Unavailable", odd_value(dice)]), odd_value(dice), odd_value(dice)]
        rig.reply(call, name, args)
        if dice.random() < 0.05:
            header = {"message_id": b"x", "response_to": inspect.id}
            rig.core.receive(inspect.link, msgpack.packb([header, "OK", [odd_value(dice)]]), rig.now)
    rig.pass_time(100.0)
    assert not rig.core._waiting


class TestErrors:
    def test_an_error_has_its_class_and_stock_attributes(self):
        rig = Rig()
        call = rig.call()
        rig.error(call, "ZeroDivisionError", "division by zero", "a traceback\n")
        error = call.outcome
        assert isinstance(error, ZeroDivisionError) and isinstance(error, errors.RemoteError)
        assert (error.name, error.msg, error.traceback) == ("ZeroDivisionError", "division by zero", "a traceback\n")

    def test_an_error_of_version_1_is_read(self):
        rig = Rig()
        call = rig.call()
        rig.reply(call, "ERR", ["NameError('nosuch')"])
        assert (call.outcome.name, call.outcome.msg) == ("NameError", "nosuch")

    @pytest.mark.parametrize("args", [None, [], "text", [1, 2], 5])
    def test_an_error_of_no_known_form_is_still_an_error(self, args):
        rig = Rig()
        call = rig.call()
        rig.reply(call, "ERR", args)
        assert isinstance(call.outcome, errors.RemoteError)


class TestHeartbeats:
    def test_one_is_sent_every_five_seconds_on_each_open_call(self):
        rig = Rig()
        call = rig.call(timeout=None)
        rig.sent()
        for _ in range(3):
            rig.reply(call, "_zpc_hb", [0])
            rig.pass_time(5.0)
            (beat,) = rig.sent()
            assert (beat.name, beat.args, beat.channel) == ("_zpc_hb", [0], call.message_id)

    def test_none_is_sent_after_the_reply(self):
        rig = Rig()
        call = rig.call()
        rig.reply(call, "OK", [1])
        rig.sent()
        rig.pass_time(60.0)
        assert rig.sent() == []

    def test_a_server_that_is_silent_for_two_intervals_is_lost(self):
        rig = Rig()
        call = rig.call()
        rig.reply(call, "_zpc_hb", [0])
        rig.pass_time(9.9)
        assert call.outcomes == []
        rig.pass_time(0.2)
        assert isinstance(call.outcome, errors.LostRemote)
        assert rig.sent()[-1].name == "_zpx_cancel"

    def test_a_server_that_was_never_heard_is_lost_after_three(self):
        rig = Rig()
        call = rig.call()
        rig.pass_time(14.9)
        assert call.outcomes == []
        rig.pass_time(0.2)
        assert isinstance(call.outcome, errors.LostRemote)

    def test_any_event_is_a_sign_of_life(self):
        rig = Rig()
        call = rig.call(timeout=None)
        rig.reply(call, "STREAM", 0)
        for number in range(1, 4):
            rig.pass_time(9.0)
            rig.reply(call, "STREAM", number)
            call.stream.items.clear()
        assert not call.stream.ended

    def test_switched_off_none_is_sent_and_none_is_missed(self):
        rig = Rig(heartbeat=None)
        call = rig.call(timeout=None)
        rig.sent()
        rig.pass_time(10_000.0)
        assert rig.sent() == [] and call.outcomes == []

    def test_a_longer_interval_than_usual_is_announced(self):
        rig = Rig(heartbeat=20.0)
        rig.call(timeout=None)
        rig.call(timeout=30.0)
        first, second = rig.sent("add")
        assert first.header["heartbeat_ms"] == second.header["heartbeat_ms"] == 20_000
        assert "timeout_ms" not in first.header and second.header["timeout_ms"] == 30_000
        rig = Rig()
        rig.call()
        assert "heartbeat_ms" not in rig.sent("add")[0].header

    def test_silence_while_we_could_not_run_is_not_the_servers(self):
        rig = Rig()
        call = rig.call(timeout=None)
        rig.reply(call, "_zpc_hb", [0])
        rig.pass_time(9.0)
        rig.now += 60.0  # nobody called tick() in time
        rig.core.tick(rig.now)
        assert call.outcomes == []
        rig.pass_time(4.9)
        assert call.outcomes == []
        rig.pass_time(10.0)
        assert isinstance(call.outcome, errors.LostRemote)

    def test_with_very_many_calls_looking_at_them_takes_a_tenth_of_the_time_at_most(self):
        rig = Rig(max_calls=20_000)
        for number in range(10_000):
            rig.now += 0.0001
            rig.call(timeout=None)
        looks, began = 0, rig.now
        while rig.now < began + 10.0:
            rig.now = rig.core.wake_at
            rig.core.tick(rig.now)
            looks += 1
        assert looks < 10.0 / 0.04


class TestDeadlines:
    def test_a_call_that_is_not_answered_in_time_is_cancelled(self):
        rig = Rig()
        call = rig.call(timeout=2.0)
        rig.sent()
        rig.pass_time(2.01)
        assert isinstance(call.outcome, errors.TimeoutExpired) and isinstance(call.outcome, TimeoutError)
        assert "2 s" in str(call.outcome) and "add" in str(call.outcome)
        (cancel,) = rig.sent()
        assert (cancel.name, cancel.channel) == ("_zpx_cancel", call.message_id)

    def test_the_timeout_of_a_stream_ends_with_its_first_item(self):
        rig = Rig()
        call = rig.call(timeout=2.0)
        rig.reply(call, "STREAM", 1)
        rig.pass_time(8.0)
        assert not call.stream.ended

    def test_each_of_many_timeouts_comes_in_its_time(self):
        rig = Rig()
        calls = {seconds: rig.call(timeout=float(seconds)) for seconds in (9, 3, 7, 1, 5)}
        for second in range(1, 10):
            rig.pass_time(1.001)
            late = sorted(seconds for seconds, call in calls.items() if call.outcomes)
            assert late == [seconds for seconds in sorted(calls) if seconds <= second]


class TestStreams:
    def test_the_first_item_makes_the_call_a_stream(self):
        rig = Rig()
        call = rig.call()
        rig.reply(call, "STREAM", "a")
        assert call.outcome is call.stream
        rig.reply(call, "STREAM", "b")
        rig.reply(call, "STREAM_DONE", None)
        assert list(call.stream.items) == ["a", "b"] and call.stream.ended and call.stream.error is None

    @pytest.mark.parametrize("args", [None, [], 7])
    def test_an_empty_stream_is_a_lone_end(self, args):
        rig = Rig()
        call = rig.call()
        rig.reply(call, "STREAM_DONE", args)
        assert call.outcome is call.stream and call.stream.ended and not call.stream.items

    def test_an_error_after_items_is_the_streams(self):
        rig = Rig()
        call = rig.call()
        rig.reply(call, "STREAM", 1)
        rig.error(call, "ValueError", "no more")
        assert call.outcome is call.stream
        assert isinstance(call.stream.error, ValueError)

    @pytest.mark.parametrize("window", [1, 2, 3, 4, 100, 480])
    def test_a_server_that_adds_up_credit_gets_every_item_out_and_never_too_many(self, window):
        self._play(window, lambda credit, grant: credit + grant)

    @pytest.mark.parametrize("window", [1, 2, 3, 4, 100, 480])
    def test_a_server_that_takes_the_last_grant_gets_every_item_out(self, window):
        self._play(window, lambda credit, grant: grant)

    @staticmethod
    def _play(window, granted):
        rig = Rig()
        call = rig.call(slots=window)
        credit, number, taken, total = 1, 0, 0, 5 * window + 7
        while taken < total:
            while credit and number < total:
                rig.reply(call, "STREAM", number)
                number, credit = number + 1, credit - 1
            assert len(call.stream.items) <= window
            assert call.stream.items, "neither items nor credit: it would stand still for ever"
            call.stream.items.popleft()
            taken += 1
            grant = call.stream.taken()
            if grant:
                rig.core.grant(call, grant)
                (more,) = rig.sent("_zpc_more")
                credit = granted(credit, more.args[0])

    def test_a_server_that_sends_without_credit_is_stopped(self):
        rig = Rig()
        call = rig.call(slots=4)
        for number in range(100):
            rig.reply(call, "STREAM", number)
        assert isinstance(call.stream.error, errors.ProtocolError)
        assert len(call.stream.items) < 10
        assert rig.sent("_zpx_cancel")

    def test_a_grant_after_the_end_is_not_sent(self):
        rig = Rig()
        call = rig.call()
        rig.reply(call, "STREAM", 1)
        rig.reply(call, "STREAM_DONE", None)
        rig.sent()
        rig.core.grant(call, 100)
        assert rig.sent() == []


class TestGivingUp:
    def test_a_call_that_was_sent_is_cancelled_at_the_server(self):
        rig = Rig()
        call = rig.call()
        rig.sent()
        rig.core.cancel(call)
        (cancel,) = rig.sent()
        assert (cancel.name, cancel.channel) == ("_zpx_cancel", call.message_id)
        rig.reply(call, "OK", [1])
        assert call.outcomes == []

    def test_an_answer_that_reached_nobody_is_cancelled_too(self):
        rig = Rig()
        call = rig.call()
        rig.reply(call, "OK", [1])
        rig.sent()
        rig.core.cancel(call)
        assert [event.channel for event in rig.sent("_zpx_cancel")] == [call.message_id]

    def test_a_call_that_has_not_left_is_never_sent(self):
        rig = Rig(up=False)
        call = rig.call()
        rig.core.cancel(call)
        rig.core.link_up(rig.link, rig.now)
        assert rig.sent() == []

    def test_a_call_given_up_before_it_was_taken_over_is_never_sent(self):
        rig = Rig()
        call = Recorded()
        call.abandoned = True
        rig.core.submit(call, rig.now)
        assert rig.sent() == []

    def test_close_ends_every_call_and_cancels_it(self):
        rig = Rig()
        calls = [rig.call() for _ in range(3)]
        rig.core.close(errors.Closed("closed"))
        assert all(isinstance(call.outcome, errors.Closed) for call in calls)
        assert len(rig.sent("_zpx_cancel")) == 3
