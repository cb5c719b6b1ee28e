"""The checkers themselves: each finds what is wrong in a history that was made wrong, and nothing in a good one."""

import pytest

from support import checkers
from support.history import History, Op, load
from support.linearize import (FENCED_MUTEX, OWNER_MUTEX, READERS_WRITER, REENTRANT_FENCED_MUTEX, REENTRANT_MUTEX,
                               SearchTooLong, linearizable, not_linearizable, permits, steps_of)


def grant(owner, token, sent, got, *, op="acquire", lease=10, waited=0, count=1, replay=False, **args):
    """An acquire that was answered with a grant; all times are in seconds."""
    args = {"owner": owner, "lease_ms": lease * 1000, **({} if "names" in args else {"name": "n"}), **args}
    result = {"ok": True, "owner": owner, "token": token, "lease_ms": lease * 1000, "hold_count": count,
              "validity_ms": lease * 990 - 2, "waited_ms": waited * 1000, "replay": replay}
    return Op(owner, op, args, sent, got, result)


def refusal(owner, sent, got, **args):
    return Op(owner, "acquire", {"name": "n", "owner": owner, **args}, sent, got, {"ok": False, "reason": "held"})


def lost(owner, sent, *, op="acquire", **args):
    """A call whose answer never came."""
    return Op(owner, op, {"name": "n", "owner": owner, "lease_ms": 10_000, **args}, sent)


def release(owner, token, sent, got, *, error=None, count=0, replay=False, name="n", **args):
    result = None if error else {"released": True, "hold_count": count, "replay": replay}
    return Op(owner, "release", {"name": name, "owner": owner, "token": token, **args}, sent, got, result, error)


def release_set(owner, token, sent, got, *names, **args):
    """A release_many of one set."""
    held = [[name, token] for name in names]
    return Op(owner, "release_many", {"owner": owner, "held": held, **args}, sent, got,
              {"released": list(names), "lost": []})


def extend(owner, token, sent, got, *, lease=10, error=None):
    result = None if error else {"ok": True, "remaining_ms": lease * 1000}
    return Op(owner, "extend", {"name": "n", "owner": owner, "token": token, "lease_ms": lease * 1000}, sent, got,
              result, error)


SEM = {"op": "sem_acquire", "limit": 2}
SET = {"op": "acquire_many", "names": ["m", "n"]}
ENTERED_TWICE = [grant("a", 1, 0, 1), grant("a", 1, 1, 2, count=2)]
#: The answer to its inner acquire was lost, and it asked again.
ENTERED_AGAIN = [grant("a", 1, 0, 1, request_id=1), lost("a", 1, request_id=2),
                 grant("a", 1, 2, 3, count=2, replay=True, request_id=2)]
GOOD_TURNS = [grant("a", 1, 0, 1), grant("b", 2, 0.5, 4, waited=3.4, wait_ms=9000), release("a", 1, 3, 3.9),
              release("b", 2, 5, 6)]

OVERLAPS = {
    "one after the other": (GOOD_TURNS, 0),
    "a second holder before the first let go": ([grant("a", 1, 0, 1), grant("b", 2, 2, 3)], 1),
    "a second holder after the first one's lease": ([grant("a", 1, 0, 1), grant("b", 2, 9, 10)], 0),
    "a second holder within an extended lease": (
        [grant("a", 1, 0, 1), extend("a", 1, 5, 6), grant("b", 2, 11, 12)], 1),
    "a second holder beside an extend that failed": (
        [grant("a", 1, 0, 1), extend("a", 1, 5, 6, error="LeaseExpired"), grant("b", 2, 11, 12)], 0),
    "a lease counted from the grant, after a wait": (
        [grant("a", 1, 0, 8, waited=7.5), grant("b", 2, 15, 16)], 1),
    "readers together": ([grant("a", 1, 0, 1, mode="s"), grant("b", 2, 0, 2, mode="s")], 0),
    "a writer among readers": ([grant("a", 1, 0, 1, mode="s"), grant("b", 2, 0, 2)], 1),
    "all permits out": ([grant("a", 1, 0, 1, **SEM), grant("b", 2, 0, 1, **SEM)], 0),
    "a permit too many": ([grant(owner, token, 0, 1, **SEM) for token, owner in enumerate("abc", 1)], 1),
    "a set over a single lock": ([grant("a", 1, 0, 1), grant("b", 2, 0, 2, op="acquire_many", names=["m", "n"])], 1),
    "entered twice, left once": ([*ENTERED_TWICE, release("a", 1, 3, 4, count=1), grant("b", 2, 5, 6)], 1),
    "entered twice, left once, and the release freed the lock": (
        [*ENTERED_TWICE, release("a", 1, 3, 4), grant("b", 2, 5, 6)], 1),
    "entered twice, left twice": (
        [*ENTERED_TWICE, release("a", 1, 3, 4, count=1), release("a", 1, 5, 6), grant("b", 2, 5, 6)], 0),
    "entered twice, left by one request that counted twice": (
        [*ENTERED_TWICE, lost("a", 3, op="release", token=1, request_id=7), release("a", 1, 4, 5, request_id=7),
         grant("b", 2, 6, 7)], 1),
    "a re-entry asked for again, and undone": (
        [*ENTERED_AGAIN, release("a", 1, 4, 5, request_id=3), grant("b", 2, 6, 7)], 1),
    "entered once, by a request that was answered twice": (
        [grant("a", 1, 0, 1, request_id=1), grant("a", 1, 1, 2, replay=True, request_id=1), release("a", 1, 3, 4),
         grant("b", 2, 5, 6)], 0),
    "a set entered twice, left once": (
        [grant("a", 1, 0, 1, **SET), grant("a", 1, 1, 2, count=2, **SET), release_set("a", 1, 3, 4, "m", "n"),
         grant("b", 2, 5, 6)], 1),
    "a set entered twice, left twice": (
        [grant("a", 1, 0, 1, **SET), grant("a", 1, 1, 2, count=2, **SET), release_set("a", 1, 3, 4, "m", "n"),
         release_set("a", 1, 5, 6, "m", "n"), grant("b", 2, 5, 7)], 0),
    "given back twice": (
        [grant("a", 1, 0, 1), release("a", 1, 2, 3), release("a", 1, 4, 5), grant("b", 2, 3, 4)], 0),
}


@pytest.mark.parametrize("case", OVERLAPS)
def test_c1_two_holders_at_a_time(case):
    ops, violations = OVERLAPS[case]
    assert len(checkers.overlaps(ops)) == violations


TOKENS = {
    "rising": (GOOD_TURNS, 0),
    "falling": ([grant("a", 7, 0, 1), grant("b", 6, 2, 3)], 1),
    "falling, but asked for at the same time": ([grant("a", 7, 0, 3), grant("b", 6, 2, 4)], 0),
    "falling between names": ([grant("a", 7, 0, 1), grant("b", 6, 2, 3, name="m")], 1),
    "the same for two owners": ([grant("a", 7, 0, 1), grant("b", 7, 0, 1)], 2),
    "the same at a re-entry": ([grant("a", 7, 0, 1), grant("a", 7, 2, 3, count=2)], 0),
    "the same for a request sent again": ([grant("a", 7, 0, 1), grant("a", 7, 2, 3, replay=True)], 0),
    "the same for two attempts that waited together": (
        [grant("a", 7, 0, 2, request_id=1), grant("a", 7, 1, 2, request_id=1)], 0),
    "the same for a new acquire": ([grant("a", 7, 0, 1), release("a", 7, 1, 2), grant("a", 7, 3, 4)], 2),
}


@pytest.mark.parametrize("case", TOKENS)
def test_c2_tokens_that_do_not_rise(case):
    ops, violations = TOKENS[case]
    assert len(checkers.token_order(ops)) == violations


ANSWERS = {
    "the same": (ENTERED_AGAIN, 0),
    "another token": ([grant("a", 1, 0, 1, request_id=1), grant("a", 2, 2, 3, request_id=1)], 1),
    "one entry more": ([grant("a", 1, 0, 1, request_id=1), grant("a", 1, 2, 3, count=2, request_id=1)], 1),
    "one entry less": ([release("a", 1, 0, 1, count=1, request_id=1), release("a", 1, 2, 3, request_id=1)], 1),
    "another owner's": ([grant("a", 1, 0, 1, request_id=1), grant("b", 2, 2, 3, name="m", request_id=1)], 0),
    "a text that reads like the number": (
        [grant("a", 1, 0, 1, request_id=1), grant("a", 1, 2, 3, count=2, request_id="1")], 0),
    "the release of another hold": ([release("a", 1, 0, 1, count=1, request_id=1), release("a", 2, 2, 3, request_id=1)],
                                    0),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_c2_a_request_that_is_answered_once_so_and_once_otherwise(case):
    ops, violations = ANSWERS[case]
    assert len(checkers.differing_answers(ops)) == violations


def test_c3_updates_that_a_register_lost():
    assert checkers.lost_updates([1, 2, 3], [1, 2, 3, 4]) == []
    assert len(checkers.lost_updates([1, 2, 3], [1, 3])) == 1
    assert checkers.foreign_updates([1], [2], [1]) == []
    assert len(checkers.foreign_updates([1], [2], [1, 2])) == 1


LINES = {
    "in turn": (GOOD_TURNS, 0),
    "overtaken": ([grant("a", 3, 0, 9, waited=8.9), grant("b", 2, 1, 5, waited=3.9)], 1),
    "overtaken by one that came at the same time": ([grant("a", 3, 0, 9, waited=8.9), grant("b", 2, 0.05, 5)], 0),
    "not overtaken by who waits elsewhere": ([grant("a", 3, 0, 9, waited=8.9), grant("b", 2, 1, 5, name="m")], 0),
}


@pytest.mark.parametrize("case", LINES)
def test_c5_who_came_later_is_granted_before(case):
    ops, violations = LINES[case]
    assert len(checkers.queue_jumps(ops)) == violations


def test_c6_answers_that_come_late_or_never():
    good = [grant("a", 1, 0, 1), refusal("b", 0, 3.2, wait_ms=3000)]
    assert checkers.late_answers(good, healed=0, slack=1) == []
    bad = [lost("a", 0), refusal("b", 0, 5, wait_ms=3000)]
    assert len(checkers.late_answers(bad, healed=0, slack=1)) == 2
    assert checkers.late_answers(bad, healed=0.1, slack=1) == [], "before the faults ended all is excused"


def test_c6_a_name_that_nobody_gets_though_nobody_has_it():
    assert checkers.stuck_names(GOOD_TURNS, healed=0, slack=1) == []
    late = [grant("a", 1, 0, 1), release("a", 1, 2, 3), grant("b", 2, 1, 6, waited=5)]
    assert len(checkers.stuck_names(late, healed=0, slack=1)) == 1
    expired = [grant("a", 1, 0, 1), grant("b", 2, 1, 13, waited=12)]
    assert len(checkers.stuck_names(expired, healed=0, slack=1)) == 1
    assert checkers.stuck_names(expired, healed=0, slack=3) == []
    behind = Op("c", "acquire_many", {"names": ["m", "n"], "owner": "c"}, 1, 5.5, {"ok": False})
    assert checkers.stuck_names([behind, *late], healed=0, slack=1) == [], "a set stood in line before"
    assert checkers.stuck_names([lost("c", 0), *late], healed=0, slack=1) == [], "somebody may have had it"


def test_c7_what_is_left_behind():
    assert checkers.leaks({"held": 0, "waiting": 0, "names": 0}, 10, 20) == []
    assert len(checkers.leaks({"held": 1, "waiting": 2, "names": 3}, 30, 20)) == 4


MODELS = {
    "turns": (FENCED_MUTEX, GOOD_TURNS, True),
    "two at a time": (OWNER_MUTEX, [grant("a", 1, 0, 1), grant("b", 2, 2, 3)], False),
    "a lease that passed": (OWNER_MUTEX, [grant("a", 1, 0, 1), grant("b", 2, 9, 11)], True),
    "a release by a stranger": (OWNER_MUTEX, [grant("a", 1, 0, 1), release("b", 1, 2, 3)], False),
    "a release refused to its holder": (OWNER_MUTEX, [grant("a", 1, 0, 1), release("a", 1, 2, 3, error="NotHeld")],
                                        False),
    "an extend of nothing": (OWNER_MUTEX, [extend("a", 1, 2, 3)], False),
    "an extend after the release": (FENCED_MUTEX, [grant("a", 1, 0, 1), release("a", 1, 1, 2), extend("a", 1, 3, 4)],
                                    False),
    "entered twice where that is not": (FENCED_MUTEX, ENTERED_TWICE, False),
    "entered twice": (REENTRANT_MUTEX, [*ENTERED_TWICE, release("a", 1, 4, 5, count=1), extend("a", 1, 6, 7)], True),
    "entered twice, left twice, extended": (
        REENTRANT_MUTEX, [*ENTERED_TWICE, release("a", 1, 4, 5, count=1), release("a", 1, 5, 6), extend("a", 1, 7, 8)],
        False),
    "entered twice, and the inner release freed it": (
        REENTRANT_FENCED_MUTEX, [*ENTERED_TWICE, release("a", 1, 4, 5), grant("b", 2, 6, 7)], False),
    "entered twice, and counted once": (REENTRANT_MUTEX, [grant("a", 1, 0, 1), grant("a", 1, 2, 3)], False),
    "a re-entry whose answer was lost": (
        REENTRANT_FENCED_MUTEX, [*ENTERED_AGAIN, release("a", 1, 4, 5, count=1), release("a", 1, 5, 6),
                                 grant("b", 2, 7, 8)], True),
    "a re-entry that was undone though it was heard of": (
        REENTRANT_FENCED_MUTEX, [*ENTERED_AGAIN, release("a", 1, 4, 5), grant("b", 2, 6, 7)], False),
    "a re-entry undone that nobody heard of": (
        REENTRANT_FENCED_MUTEX, [grant("a", 1, 0, 1), lost("a", 1, request_id=2), grant("a", 1, 2, 3, count=3),
                                 release("a", 1, 4, 5, count=1), release("a", 1, 5, 6)], True),
    "a re-entry counted twice": (
        REENTRANT_FENCED_MUTEX, [*ENTERED_AGAIN[:2], grant("a", 1, 2, 3, count=3, request_id=2)], False),
    "a re-entry done again after it was left": (
        REENTRANT_FENCED_MUTEX, [*ENTERED_AGAIN, release("a", 1, 4, 5, count=1),
                                 grant("a", 1, 6, 7, count=2, request_id=2), release("a", 1, 8, 9, count=1)], False),
    "a replay of nothing": (FENCED_MUTEX, [grant("a", 1, 0, 1, replay=True, request_id=1)], False),
    "taken back from a client that was gone, and taken anew": (
        FENCED_MUTEX, [lost("a", 0, request_id=1), refusal("b", 1, 2), grant("b", 2, 3, 4), release("b", 2, 4, 5),
                       grant("a", 3, 6, 7, request_id=1)], True),
    "taken back from a client that was told": (
        FENCED_MUTEX, [lost("a", 0, request_id=1), grant("a", 1, 1, 2, replay=True, request_id=1), grant("b", 2, 3, 4)],
        False),
    "an inner release asked for again": (
        REENTRANT_MUTEX, [*ENTERED_TWICE, lost("a", 3, op="release", token=1, request_id=7),
                          release("a", 1, 4, 5, count=1, replay=True, request_id=7), release("a", 1, 6, 7)], True),
    "an inner release counted twice": (
        REENTRANT_MUTEX, [*ENTERED_TWICE, lost("a", 3, op="release", token=1, request_id=7),
                          release("a", 1, 4, 5, request_id=7)], False),
    "an inner release counted twice, as the next one says": (
        REENTRANT_MUTEX, [*ENTERED_TWICE, lost("a", 3, op="release", token=1, request_id=7),
                          release("a", 1, 4, 5, count=1, replay=True, request_id=7),
                          release("a", 1, 6, 7, error="NotHeld")], False),
    "the last release asked for again, after the next came": (
        FENCED_MUTEX, [grant("a", 1, 0, 1), lost("a", 2, op="release", token=1, request_id=7), grant("b", 2, 3, 4),
                       release("a", 1, 5, 6, replay=True, request_id=7)], True),
    "the last release done again": (
        FENCED_MUTEX, [grant("a", 1, 0, 1), release("a", 1, 2, 3), release("a", 1, 4, 5)], False),
    "permits asked for again": (
        permits(2), [lost("a", 0, request_id=1, **SEM), grant("a", 1, 1, 2, replay=True, request_id=1, **SEM),
                     grant("b", 2, 3, 4, **SEM)], True),
    "permits asked for again, and another too many": (
        permits(1), [lost("a", 0, request_id=1, **SEM), grant("a", 1, 1, 2, replay=True, request_id=1, **SEM),
                     grant("b", 2, 3, 4, **SEM)], False),
    "permits given back once for two": (
        permits(2), [grant("a", 1, 0, 1, **SEM), grant("a", 2, 2, 3, **SEM), release("a", 1, 4, 5),
                     grant("b", 3, 6, 7, **SEM), grant("c", 4, 8, 9, **SEM)], False),
    "a re-entry with another token": (
        REENTRANT_FENCED_MUTEX, [grant("a", 1, 0, 1), grant("a", 2, 2, 3, count=2)], False),
    "tokens fall": (FENCED_MUTEX, [grant("a", 2, 0, 1), release("a", 2, 1, 2), grant("b", 1, 3, 4)], False),
    "tokens fall where nobody cares": (OWNER_MUTEX, [grant("a", 2, 0, 1), release("a", 2, 1, 2), grant("b", 1, 3, 4)],
                                       True),
    "permits for all": (permits(2), [grant("a", 1, 0, 1, **SEM), grant("b", 2, 2, 3, **SEM)], True),
    "a permit too many": (permits(2), [grant(owner, token, token, token + 1, **SEM) for token, owner in
                                       enumerate("abc", 1)], False),
    "readers together": (READERS_WRITER, [grant("a", 1, 0, 1, mode="s"), grant("b", 2, 2, 3, mode="s")], True),
    "a writer among readers": (READERS_WRITER, [grant("a", 1, 0, 1, mode="s"), grant("b", 2, 2, 3)], False),
    "refused though free": (FENCED_MUTEX, [refusal("a", 0, 1)], False),
    "refused while held": (FENCED_MUTEX, [grant("a", 1, 0, 1), refusal("b", 2, 3)], True),
    "refused by one who may have it": (FENCED_MUTEX, [lost("a", 0), refusal("b", 2, 3)], True),
    "granted although one may have had it": (FENCED_MUTEX, [lost("a", 0), grant("b", 2, 2, 3)], True),
    "a release that may have come": (FENCED_MUTEX, [grant("a", 1, 0, 1), lost("a", 2, op="release", token=1),
                                                    grant("b", 2, 3, 4)], True),
    "a release that may come too late": (FENCED_MUTEX, [grant("a", 1, 0, 1), grant("b", 2, 2, 3),
                                                        lost("a", 4, op="release", token=1)], False),
}


@pytest.mark.parametrize("case", MODELS)
def test_c4_histories_that_no_order_explains(case):
    model, ops, possible = MODELS[case]
    assert (linearizable(steps_of(ops), model) is None) is possible


def test_c4_looks_at_each_name_of_a_set():
    both = grant("b", 2, 2, 3, op="acquire_many", names=["m", "n"])
    assert not_linearizable([grant("a", 1, 0, 1, name="m"), release("a", 1, 1, 2, name="m"), both]) == []
    assert len(not_linearizable([grant("a", 1, 0, 1, name="m"), both])) == 1


def test_c4_excuses_a_release_made_again_only_where_a_crash_may_have_lost_it():
    again = [grant("a", 1, 0, 1), release("a", 1, 2, 3), release("a", 1, 4, 5), refusal("b", 6, 7)]
    assert len(not_linearizable(again)) == 1
    assert not_linearizable(again, crashes=True) == []


def test_c4_believes_a_refusal_unless_a_set_may_have_been_in_line():
    refused = [refusal("b", 0, 1)]
    assert len(not_linearizable(refused)) == 1
    waits = Op("a", "acquire_many", {"names": ["m", "n"], "owner": "a"}, 0, 2, {"ok": False, "reason": "timeout"})
    assert not_linearizable([waits, *refused]) == []


def test_c4_counts_each_entry_of_a_set():
    entered = [grant("a", 1, 0, 1, **SET), grant("a", 1, 2, 3, count=2, **SET)]
    left = [release_set("a", 1, 4, 5, "m", "n", request_id=1), release_set("a", 1, 6, 7, "m", "n", request_id=1)]
    assert len(not_linearizable([*entered, *left, grant("b", 2, 8, 9)])) == 1, "it was left once, by one request"
    left.append(release_set("a", 1, 7, 8, "m", "n", request_id=2))
    assert not_linearizable([*entered, *left, grant("b", 2, 9, 9.5)]) == []


def test_c4_lets_no_crash_lose_the_release_of_a_lock_that_was_entered_again_and_synced():
    again = [*ENTERED_TWICE, release("a", 1, 3, 4, count=1), release("a", 1, 4, 5), release("a", 1, 6, 7)]
    assert not_linearizable(again, crashes=True) == []
    assert len(not_linearizable(again, crashes=True, sync=True)) == 1


def test_c4_lets_an_owner_enter_what_a_crash_gave_back_to_it():
    back = [grant("a", 1, 0, 1), release("a", 1, 2, 3), grant("a", 1, 4, 5, count=2), release("a", 1, 6, 7, count=1)]
    assert len(not_linearizable(back)) == 1
    assert not_linearizable(back, crashes=True, sync=True) == []


def test_c4_says_when_it_cannot_decide():
    tangle = [lost(str(number), number / 10, **SEM) for number in range(12)] + [extend("x", 1, 5, 6)]
    with pytest.raises(SearchTooLong):
        linearizable(steps_of(tangle), permits(12), most=50)


def test_a_history_keeps_what_a_killed_process_had_not_been_told(tmp_path):
    history = History(tmp_path / "one")
    told = history.sent("a", "acquire", name="n", owner="a")
    history.received(told, {"ok": True})
    history.sent("a", "release", name="n", owner="a", token=1)
    ops = load(tmp_path / "one")
    assert ops == history.ops()
    assert [op.unknown for op in ops] == [False, True]
