"""Cases that last long by their nature (heartbeats, losses) all run at once, from the moment the session starts.

A function marked @background runs in a thread of its own, with the Suite as argument, if a selected test asks for
the fixture of its name; the fixture's value is what the function returned.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

_cases = {}
_running = {}


def background(function):
    name = function.__name__
    _cases[name] = function

    @pytest.fixture(name=name)
    def outcome():
        return _running[name].result()

    return outcome


def start_all(suite, wanted):
    """Starts the cases whose names are wanted."""
    names = sorted(set(_cases) & set(wanted))
    if not names:
        return
    pool = ThreadPoolExecutor(len(names), thread_name_prefix="background")
    _running.update({name: pool.submit(_cases[name], suite) for name in names})
    pool.shutdown(wait=False)


def wait_all():
    """Waits for every case, so that none is left running when its servers are stopped."""
    for future in _running.values():
        future.exception()
