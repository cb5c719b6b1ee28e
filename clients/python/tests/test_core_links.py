"""Calls over several links that come and go, and which calls are tried again."""

import random

import msgpack
import pytest
from core_rig import Recorded, Rig

from zerosuite import _core, errors


class TestLinks:
    def test_calls_wait_for_a_connection_in_their_order(self):
        rig = Rig(up=False)
        for number in range(5):
            rig.call(args=(number,))
        assert rig.sent() == []
        rig.core.link_up(rig.link, rig.now)
        assert [event.args for event in rig.sent()] == [[0], [1], [2], [3], [4]]

    def test_a_call_that_waited_gets_what_is_left_of_its_timeout(self):
        rig = Rig(up=False)
        rig.call(timeout=5.0)
        rig.pass_time(2.0)
        rig.core.link_up(rig.link, rig.now)
        (event,) = rig.sent()
        assert event.header["timeout_ms"] == 3000

    def test_without_a_connection_a_call_is_lost_after_two_heartbeats_and_says_so(self):
        rig = Rig(up=False)
        rig.link.trouble = "nobody is listening there"
        call = rig.call(timeout=None)
        rig.pass_time(10.1)
        assert isinstance(call.outcome, errors.LostRemote)
        assert "tcp://host:1" in str(call.outcome) and "nobody is listening" in str(call.outcome)

    def test_the_end_of_the_connection_ends_the_calls_on_it_at_once(self):
        rig = Rig()
        call = rig.call()
        rig.core.link_down(rig.link, rig.now)
        assert isinstance(call.outcome, errors.LostRemote)

    def test_a_repeatable_call_goes_on_elsewhere_with_a_new_id(self):
        rig = Rig(links=2)
        call = rig.call(repeatable=True)
        first = rig.sent("add")[0]
        rig.core.link_down(first.link, rig.now)
        (second,) = rig.sent("add")
        assert second.link is not first.link and second.id != first.id
        rig.reply(call, "OK", [3])
        assert call.outcome == 3

    def test_a_call_that_its_server_calls_idempotent_goes_on_elsewhere(self):
        rig = Rig(links=2)
        (inspect,) = rig.sent("_zerorpc_inspect")
        header = {"message_id": b"x", "response_to": inspect.id}
        described = {"methods": {"math.add": {"args": [], "idempotent": True}, "lock.acquire": {"args": []}}}
        rig.core.receive(inspect.link, msgpack.packb([header, "OK", [described]]), rig.now)
        safe, bare, unsafe = rig.call(method="math.add"), rig.call(method="add"), rig.call(method="lock.acquire")
        rig.core.link_down(inspect.link, rig.now)
        assert safe.outcomes == bare.outcomes == []
        assert isinstance(unsafe.outcome, errors.LostRemote)

    def test_a_message_that_could_not_be_sent_goes_another_way(self):
        rig = Rig(links=2)
        rig.sent()
        call = rig.call()
        rig.core.unsent(rig.core.out.pop(), rig.now)
        rig.pass_time(0.1)
        (event,) = rig.sent("add")
        assert event.link is rig.core.links[1] and call.outcomes == []

    def test_the_link_that_is_used_stays_while_it_is_up(self):
        rig = Rig(links=2)
        rig.core.link_down(rig.core.links[0], rig.now)
        rig.core.link_up(rig.core.links[0], rig.now)
        rig.sent()
        rig.call()
        assert rig.sent("add")[0].link is rig.core.links[1]

    def test_a_link_that_breaks_again_and_again_is_the_last_choice(self):
        rig = Rig(links=2)
        flapping, other = rig.core.links
        for _ in range(4):
            rig.core.link_down(flapping, rig.now)
            rig.core.link_up(flapping, rig.now)
        rig.core.link_down(other, rig.now)
        rig.core.link_up(other, rig.now)
        rig.core.link_down(flapping, rig.now)
        rig.sent()
        rig.call()
        assert rig.sent("add")[0].link is other


class TestTryingAgain:
    @pytest.mark.parametrize("name", ["Overloaded", "Unavailable"])
    def test_a_refused_call_is_tried_again_when_the_server_says(self, name):
        rig = Rig()
        call = rig.call(repeatable=True)
        rig.error(call, name, 'no worker has room for add {"retry_after_ms":200}')
        rig.sent()
        rig.pass_time(0.19)
        assert rig.sent() == []
        rig.pass_time(0.02)
        assert [event.name for event in rig.sent()] == ["add"]
        rig.reply(call, "OK", [1])
        assert call.outcome == 1

    def test_a_call_that_no_worker_was_there_for_is_tried_again_whatever_it_does(self):
        rig = Rig()
        call = rig.call()
        rig.error(call, "Unavailable", 'no worker for service math {"retry_after_ms":200}')
        assert call.outcomes == []

    @pytest.mark.parametrize("name", ["Unavailable", "Overloaded", "WorkerLost", "ShuttingDown", "Indeterminate"])
    def test_a_call_that_may_have_been_executed_is_not_repeated(self, name):
        rig = Rig()
        call = rig.call()
        rig.error(call, name, "a stock server's own error")
        assert call.outcome.name == name

    def test_after_three_tries_it_is_over(self):
        rig = Rig()
        call = rig.call(repeatable=True)
        for _ in range(3):
            assert call.outcomes == []
            rig.error(call, "WorkerLost")
            rig.pass_time(1.0)
        assert isinstance(call.outcome, errors.WorkerLost)

    def test_a_persistent_call_is_tried_until_its_timeout(self):
        rig = Rig()
        call = Recorded(repeatable=True, timeout=20.0)
        call.most_tries = _core.PERSISTENT
        rig.core.submit(call, rig.now)
        tries = 0
        while not call.outcomes:
            tries += len(rig.sent("add"))
            if call.message_id in rig.core._open:
                rig.core.link_down(rig.link, rig.now)
                rig.core.link_up(rig.link, rig.now)
            rig.pass_time(0.01)
        assert 20 < tries < 60 and isinstance(call.outcome, errors.TimeoutExpired)

    def test_a_recovering_lock_service_is_waited_for_as_long_as_the_call_may_take(self):
        rig = Rig()
        call = rig.call(repeatable=True, timeout=60.0)
        for _ in range(6):
            rig.error(call, "Recovering", 'locks may be held {"retry_after_ms":9000}')
            assert call.outcomes == []
            rig.pass_time(9.01)
        rig.error(call, "Recovering", 'locks may be held {"retry_after_ms":9000}')
        assert isinstance(call.outcome, errors.Recovering)

    def test_other_errors_are_final(self):
        rig = Rig()
        call = rig.call(repeatable=True)
        rig.error(call, "ValueError")
        assert isinstance(call.outcome, ValueError)


def test_more_calls_than_may_be_open_are_refused_here():
    rig = Rig(max_calls=2)
    rig.call(), rig.call()
    assert isinstance(rig.call().outcome, errors.TooManyCalls)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_each_call_ends_once(seed):
    """Random calls, replies, errors, cancels, links that come and go, and time."""
    dice = random.Random(seed)
    rig = Rig(links=dice.choice([1, 2, 3]), up=False)
    calls, cancelled = [], set()
    for _ in range(400):
        move = dice.random()
        open_calls = [call for call in calls if not call.outcomes and call.message_id and call not in cancelled]
        if move < 0.3:
            calls.append(rig.call(timeout=dice.choice([None, 0.5, 5.0, 60.0]), repeatable=dice.random() < 0.5))
        elif move < 0.5 and open_calls:
            rig.reply(dice.choice(open_calls), dice.choice(["OK", "STREAM", "_zpc_hb", "ODD"]), [1])
        elif move < 0.6 and open_calls:
            name = dice.choice(["ValueError", "WorkerLost", "Unavailable", "Overloaded"])
            rig.error(dice.choice(open_calls), name, dice.choice(["", 'no worker for x {"retry_after_ms":50}']))
        elif move < 0.65 and open_calls:
            call = dice.choice(open_calls)
            cancelled.add(call)
            rig.core.cancel(call)
        elif move < 0.75:
            rig.core.link_up(dice.choice(rig.core.links), rig.now)
        elif move < 0.8:
            rig.core.link_down(dice.choice(rig.core.links), rig.now)
        elif move < 0.85 and rig.core.out:
            rig.core.unsent(rig.core.out.popleft(), rig.now)
        else:
            rig.pass_time(dice.choice([0.0, 0.01, 1.0, 6.0]))
        assert rig.core.busy or rig.core.wake_at > rig.now or not rig.core._open
    for link in rig.core.links:
        rig.core.link_down(link, rig.now)
    rig.pass_time(300.0)
    rig.core.close(errors.Closed("closed"))
    assert not rig.core.busy
    for call in calls:
        assert len(call.outcomes) == (call not in cancelled or bool(call.outcomes)), call.outcomes
        if call.stream is not None and call not in cancelled:
            assert call.stream.ended
