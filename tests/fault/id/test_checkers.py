"""The checkers themselves: each finds what is wrong in a record that was made wrong, and nothing in a good one."""

import random
import time

import pytest

from support.id_checkers import Answer, Record, disorder, repeats, runs_of, told

N, GROUP = "number", "of one process"


def numbers(*ids, asked=0.0, answered=1.0, group=GROUP, kind=N):
    return told(kind, group, ids, asked, answered)


GOOD = [numbers(1, 2, 3), numbers(4, 6, asked=2, answered=3), numbers(5, asked=1, answered=2, group="another"),
        numbers(1, 2, 3, kind="of another kind"), numbers("1a", "2b", asked=5, answered=6, kind="text")]

REPEATS = {
    "good": (GOOD, 0),
    "none": ([], 0),
    "one in two answers": ([numbers(1, 2, 3), numbers(3, 4, group="another")], 1),
    "one within a run of another process": (
        [Answer(N, "a", 0, 1, [(10, 100)]), numbers(50, group="b"), numbers(110, group="b")], 1),
    "a run within a run, and one beyond it": (
        [Answer(N, "a", 0, 1, [(10, 100)]), Answer(N, "b", 0, 1, [(20, 5), (40, 5)]), numbers(109, group="c")], 3),
    "twice in one answer": ([Answer(N, GROUP, 0, 1, [(7, 1), (7, 1)])], 1),
    "runs that touch": ([Answer(N, "a", 0, 1, [(10, 5)]), Answer(N, "b", 0, 1, [(15, 5), (5, 5)])], 0),
    "runs that overlap by one": ([Answer(N, "a", 0, 1, [(10, 6)]), Answer(N, "b", 0, 1, [(15, 5)])], 1),
    "beyond 2^62": ([numbers(2**63 - 1), numbers(2**63 - 2), numbers(2**63 - 1, group="another")], 1),
    "a text twice": ([numbers("a", "b"), numbers("b", "c", group="another")], 1),
    "a text of two kinds": ([numbers("a"), numbers("a", kind="of another kind")], 0),
}

DISORDERS = {
    "good": (GOOD, 0),
    "none": ([], 0),
    "falling within an answer": ([numbers(2, 1)], 1),
    "texts falling within an answer": ([numbers("b", "a")], 1),
    "less, asked for later": ([numbers(5, answered=1), numbers(4, asked=2, answered=3)], 1),
    "less, asked for later, by way of many": (
        [numbers(9, answered=1), numbers(2, asked=0, answered=2), numbers(3, asked=3, answered=4),
         numbers(10, asked=5, answered=6)], 1),
    "less, asked for at the same time": ([numbers(5, answered=1), numbers(4, asked=0.5, answered=3)], 0),
    "the same, asked for later": ([numbers(5, answered=1), numbers(5, asked=2, answered=3)], 1),
    "it begins within what was there": (
        [Answer(N, GROUP, 0, 1, [(10, 100)]), Answer(N, GROUP, 2, 3, [(50, 200)])], 1),
    "less, of another process": ([numbers(5, answered=1), numbers(4, asked=2, answered=3, group="another")], 0),
    "of no group": ([numbers(5, answered=1, group=None), numbers(4, asked=2, answered=3, group=None)], 0),
    "a text that is less": ([numbers("A2", answered=1), numbers("A1", asked=2, answered=3)], 1),
}


@pytest.mark.parametrize("case", REPEATS)
def test_no_id_twice(case):
    answers, violations = REPEATS[case]
    assert len(repeats(answers)) == violations, repeats(answers)


@pytest.mark.parametrize("case", DISORDERS)
def test_order(case):
    answers, violations = DISORDERS[case]
    assert len(disorder(answers)) == violations, disorder(answers)


def test_a_violation_names_the_id_and_who_was_told():
    one, = repeats([numbers(3, group="a"), numbers(3, asked=7, group="b")])
    assert one.startswith("number: 3 to 3 were issued twice, to who asked a at 0.000")
    assert "who asked b at 7.000" in one


def test_ids_become_runs_in_their_order():
    assert runs_of([1, 2, 3, 7, 8, 5]) == [(1, 3), (7, 2), (5, 1)]
    assert runs_of([]) == []


@pytest.mark.parametrize("broken", [False, True])
def test_one_id_of_thirty_million_that_is_there_twice_is_found_within_seconds(broken):
    dice = random.Random(1)
    record, first = Record(), 0
    for _ in range(300):
        runs = []
        for _ in range(1000):
            first += dice.randrange(100, 200)
            runs.append((first, 100))
        dice.shuffle(runs)
        record.add(Answer(N, None, 0, 1, runs))
    assert record.count(N) == 30_000_000
    dice.shuffle(record.answers)
    if broken:
        record.add(Answer(N, None, 0, 1, [(record.answers[150].runs[500][0] + 99, 1)]))
    begun = time.monotonic()
    assert len(record.violations()) == (1 if broken else 0)
    assert time.monotonic() - begun < 10
