"""A resource that a lock protects: two lists in files, of which one looks at fencing tokens and one does not."""

import fcntl
import json
import os
from contextlib import contextmanager


class Register:
    """Each read and each write is atomic; what lies between them is not."""

    def __init__(self, path):
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    @contextmanager
    def _state(self):
        fcntl.flock(self._file, fcntl.LOCK_EX)
        text = os.pread(self._file, 1 << 24, 0)
        state = json.loads(text) if text else {"plain": [], "guarded": [], "greatest": 0}
        yield state
        text = json.dumps(state).encode()
        os.pwrite(self._file, text, 0)
        os.ftruncate(self._file, len(text))
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def read(self):
        with self._state() as state:
            return state["plain"]

    def write(self, values):
        with self._state() as state:
            state["plain"] = values

    def read_guarded(self, token):
        """The values, for who is to write them with that token; None when a greater one was seen."""
        with self._state() as state:
            if token < state["greatest"]:
                return None
            state["greatest"] = token
            return state["guarded"]

    def write_guarded(self, values, token):
        """Whether they were taken."""
        with self._state() as state:
            if token < state["greatest"]:
                return False
            state["greatest"], state["guarded"] = token, values
            return True
