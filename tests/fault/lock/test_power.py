"""The power fails right after an answer."""

import itertools

import pytest

from support.power import ForgetfulDisk

from entering import STORIES, entries


@pytest.fixture
def folder(suite):
    return suite.folder()


@pytest.fixture
def disk(folder):
    return ForgetfulDisk(folder)


@pytest.fixture
def broker(start_broker, folder, disk):
    return start_broker(folder=folder, **disk.environment)


def test_every_entry_is_on_the_disk_before_it_is_answered_and_so_is_what_leaves_a_lock_that_was_entered_twice(
        broker, disk, owners):
    a, = owners(broker, "a")
    for requests, name, counts in STORIES:
        token = None
        for before, count in itertools.pairwise([0, *counts]):
            op, args = requests(token)[count < before]
            told = a.ask(op, **args)
            assert told.granted or told.done, told
            token = told.token if told.granted else token
            broker.kill()
            disk.forget()
            broker.start()
            assert broker.call("engine_info")["recovering_ms"] == 0
            if max(counts) > 1 or count > 0:  # what was entered once may be held once more
                assert entries(broker, name) == count
