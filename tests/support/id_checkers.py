"""What must be true of all ids that were ever issued. Each checker answers its violations, in words.

Ids are kept as runs, (first, count), as the service answers them by the million; a text stands for itself.
"""

import itertools
import time
from array import array
from collections import defaultdict
from dataclasses import dataclass, field

MOST_TOLD = 5  # of one kind of violation


@dataclass
class Answer:
    """What one call was told. Times are of the machine's monotonic clock."""

    kind: str  # of ids: all of one kind are different
    group: object  # whose answers are in order, in time: those of one process, or of all
    asked: float
    answered: float
    runs: list = field(default_factory=list)  # of (first, count), in the order they came
    texts: list = field(default_factory=list)

    @property
    def first(self):
        return self.texts[0] if self.texts else self.runs[0][0]

    @property
    def last(self):
        return self.texts[-1] if self.texts else self.runs[-1][0] + self.runs[-1][1] - 1

    @property
    def count(self):
        return len(self.texts) + sum(count for _, count in self.runs)


def runs_of(ids):
    """Ids, in their order, as runs."""
    runs = []
    for id in ids:
        if runs and id == sum(runs[-1]):
            runs[-1] = runs[-1][0], runs[-1][1] + 1
        else:
            runs.append((id, 1))
    return runs


def repeats(answers):
    """No id is there twice, in all the answers of one kind, and none is below 1."""
    violations = []
    for kind, told in _by(answers, lambda answer: answer.kind).items():
        violations += _overlaps(kind, told)[:MOST_TOLD] + _repeated_texts(kind, told)[:MOST_TOLD]
    return violations


def _overlaps(kind, told):
    # Two arrays and an order, instead of millions of tuples.
    firsts = array("q", (first for answer in told for first, _ in answer.runs))
    counts = array("q", (count for answer in told for _, count in answer.runs))
    order = sorted(range(len(firsts)), key=firsts.__getitem__)
    violations, end = [], None
    for place in order:
        first, count = firsts[place], counts[place]
        if first < 1:
            violations.append(f"{kind}: {first} is no id")
        if end is not None and first < end:
            violations.append(f"{kind}: {first} to {min(end, first + count) - 1} were issued twice, "
                              + " and ".join(map(_shown, _who(told, first))))
        end = first + count if end is None else max(end, first + count)
    return violations


def _who(told, id):
    return [answer for answer in told if any(first <= id < first + count for first, count in answer.runs)]


def _shown(answer):
    return f"to who asked {answer.group} at {answer.asked:.3f} and heard at {answer.answered:.3f}"


def _repeated_texts(kind, told):
    texts = sorted(text for answer in told for text in answer.texts)
    return [f"{kind}: {text} was issued twice" for text, next_ in itertools.pairwise(texts) if text == next_]


def disorder(answers):
    """In each answer ids rise; and of one group, what was asked for after another answer was there is greater."""
    violations = []
    for (kind, group), told in _by(answers, lambda answer: (answer.kind, answer.group)).items():
        if group is not None:
            found = _falling(told) + _late_but_less(told)
            violations += [f"{kind} of {group}: {what}" for what in found[:MOST_TOLD]]
    return violations


def _falling(told):
    violations = []
    for answer in told:
        for (first, count), (next_, _) in itertools.pairwise(answer.runs):
            if next_ < first + count:
                violations.append(f"{next_} comes after {first + count - 1} in one answer")
        violations += [f"{next_} comes after {text} in one answer" for text, next_ in itertools.pairwise(answer.texts)
                       if next_ <= text]
    return violations


def _late_but_less(told):
    violations, greatest, place = [], None, 0
    heard = sorted(told, key=lambda answer: answer.answered)
    for answer in sorted(told, key=lambda answer: answer.asked):
        while heard[place].answered < answer.asked:
            if greatest is None or heard[place].last > greatest.last:
                greatest = heard[place]
            place += 1
        if greatest is not None and answer.first <= greatest.last:
            violations.append(f"{answer.first} was asked for at {answer.asked:.3f}, when {greatest.last} was there, "
                              f"since {greatest.answered:.3f}")
    return violations


def _by(answers, key):
    groups = defaultdict(list)
    for answer in answers:
        if answer.count > 0:
            groups[key(answer)].append(answer)
    return groups


class Record:
    """Every id that the test was told of; from any thread."""

    def __init__(self):
        self.answers = []

    def add(self, answer):
        # One list operation, which no other thread can come between.
        self.answers.append(answer)

    def count(self, kind=None):
        return sum(answer.count for answer in list(self.answers) if kind in (None, answer.kind))

    def violations(self):
        return repeats(self.answers) + disorder(self.answers)


def told(kind, group, ids, asked=None, answered=None):
    """An answer with these ids, which are ints or texts."""
    now = time.monotonic()
    texts = [id for id in ids if isinstance(id, str)]
    runs = runs_of(id for id in ids if not isinstance(id, str))
    return Answer(kind, group, now if asked is None else asked, now if answered is None else answered, runs, texts)
