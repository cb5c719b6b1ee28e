"""Redis servers to compare with, and folders for whatever keeps something."""

import socket
import tempfile

from processes import Server

MEMORY, ALWAYS = "Redis in memory", "Redis, every write synced"
#: Its options in each of its two ways to keep what it is told.
REDIS = {MEMORY: ("--save", "", "--appendonly", "no"),
         ALWAYS: ("--save", "", "--appendonly", "yes", "--appendfsync", "always")}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Redis(Server):
    """A Redis on a port of its own, with `options`; its endpoint is a URL."""

    LISTENING = r"Running mode=standalone, port=(\d+)[\s\S]*Ready to accept connections"

    def __init__(self, folder, *options):
        super().__init__(["redis-server", "--bind", "127.0.0.1", "--port", str(free_port()), "--dir", folder, *options])

    def __enter__(self):
        super().__enter__()
        self.endpoint = f"redis://127.0.0.1:{self.endpoint}"
        return self


class InFolder:
    """A context of `make(folder)`, a server, with a fresh folder in `parent` that goes when it has stopped."""

    def __init__(self, make, parent):
        self._make = make
        self._parent = parent

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(dir=self._parent)
        try:
            self._server = self._make(self._folder.name)
            return self._server.__enter__()
        except BaseException:
            self._folder.cleanup()
            raise

    def __exit__(self, *_):
        self._server.__exit__()
        self._folder.cleanup()
