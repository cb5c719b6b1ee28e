"""Client programs driven through their standard input and output.

Each line, both ways, is one MessagePack map in hex: values keep their types (bytes and text, 3 and 3.0), which JSON
would lose. A request carries "n", and the answer repeats it; many requests may be under way at once.
"""

import itertools
import threading
from concurrent.futures import Future

import msgpack

from support.programs import Program


class CallFailed(Exception):
    """What the client under the test reported instead of a value."""

    def __init__(self, error):
        super().__init__(f"{error['name']}: {error['message']}")
        self.name = error["name"]
        self.message = error["message"]
        self.traceback = error.get("traceback")


class Peer(Program):
    ends_with_its_input = True

    def __init__(self, command, **environment):
        self._numbers = itertools.count(1)
        self._waiting = {}
        self._lock = threading.Lock()
        super().__init__(command, **environment)

    def _read_output(self):
        for line in self.process.stdout:
            answer = msgpack.unpackb(bytes.fromhex(line.decode().strip()), strict_map_key=False)
            with self._lock:
                future = self._waiting.pop(answer["n"])
            future.set_result(answer)
        with self._lock:
            for future in self._waiting.values():
                future.set_exception(EOFError(f"{self.command} ended:\n{self.log()}"))
            self._waiting.clear()

    def start(self, op, **fields):
        """Sends one request; answers the future of its answer."""
        future = Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = future
            line = msgpack.packb({"n": number, "op": op, **fields}).hex() + "\n"
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
        return future

    def do(self, op, within=30.0, **fields):
        """Sends one request and waits for its answer, which is a map."""
        return self.start(op, **fields).result(within)

    def call(self, method, *args, within=40.0, **options):
        """One call's value; CallFailed when it ended in an error."""
        answer = self.do("call", within, method=method, args=args, **options)
        if "error" in answer:
            raise CallFailed(answer["error"])
        return answer["value"]

    def error(self, method, *args, **options):
        """The error one call ends in."""
        answer = self.do("call", method=method, args=args, **options)
        assert "error" in answer, f"{method}{args} answered {answer['value']!r} instead of an error"
        return CallFailed(answer["error"])

    def stream(self, method, *args, within=60.0, **options):
        """The answer to a streaming call: {"items", "error" (if any), "seconds"}."""
        return self.do("stream", within, method=method, args=args, **options)

    def items(self, method, *args, **options):
        """All items of a streaming call that ends well."""
        answer = self.stream(method, *args, **options)
        assert "error" not in answer, answer["error"]
        return answer["items"]
