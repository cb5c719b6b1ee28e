"""Programs the tests start, and what they say."""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "tests" / "conformance" / "peers"
BIN = Path(os.environ.get("ZEROSUITE_BIN", ROOT / "build" / "release" / "bin")).resolve()
NODE_MODULES = Path(os.environ.get("ZEROSUITE_NODE_MODULES", ROOT / "build" / "node" / "node_modules")).resolve()

#: No worker of a test may register with a proxy that somebody runs on this machine, unless it is told to.
USUAL = {"NODE_PATH": str(NODE_MODULES), "ZEROSUITE_PROXY": "none"}

SANITIZER = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:")


#: For a program whose memory is measured: AddressSanitizer keeps next to nothing of what was freed.
SMALL_QUARANTINE = {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=16"}


def sanitized(program):
    """Whether a program of ours was built with AddressSanitizer, which keeps what is freed for a while."""
    return b"__asan_init" in (BIN / program).read_bytes()


def wait_until(condition, seconds=10.0, every=0.05):
    """Waits until condition() is true and answers its value; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not true after {seconds} s: {condition}"
        time.sleep(every)


class Program:
    """A child process whose standard error is kept line by line."""

    ends_with_its_input = False

    def __init__(self, command, **environment):
        self.command = [str(part) for part in command]
        self._news = threading.Condition()
        self._lines = []
        self._ended = False
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **USUAL, **environment})
        self._readers = [self._start(self._read_errors), self._start(self._read_output)]

    @staticmethod
    def _start(target):
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        return thread

    def _read_errors(self):
        for line in self.process.stderr:
            with self._news:
                self._lines.append(line.decode(errors="replace").rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _read_output(self):
        for _ in self.process.stdout:
            pass

    def log(self):
        """Everything it has written to standard error so far."""
        with self._news:
            return "\n".join(self._lines)

    def await_line(self, pattern, seconds=20.0):
        """Waits for a line matching the pattern; answers the match."""
        return self.await_lines(pattern, 1, seconds)[0]

    def await_lines(self, pattern, count, seconds=20.0):
        """Waits for `count` lines matching the pattern; answers the matches."""
        deadline = time.monotonic() + seconds
        seen, found = 0, []
        with self._news:
            while True:
                found += filter(None, (re.search(pattern, line) for line in self._lines[seen:]))
                if len(found) >= count:
                    return found
                seen = len(self._lines)
                left = deadline - time.monotonic()
                text = "\n".join(self._lines)
                assert not self._ended, f"{self.command} ended without {count} lines like {pattern!r}:\n{text}"
                assert left > 0, f"{self.command} wrote no {count} lines like {pattern!r} in {seconds} s:\n{text}"
                self._news.wait(left)

    def resident_kib(self):
        """Its resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def descriptors(self):
        """How many files, sockets and connections it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def kill(self):
        """Ends it as a crash would: nothing is said, nothing is flushed."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask_to_end(self):
        """Tells it to end, in the way of its kind."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        if self.process.poll() is None and not self.ends_with_its_input:
            self.process.terminate()

    def finish(self, seconds=20.0):
        """Ends it, checks that no sanitizer complained, and answers its exit status."""
        self.ask_to_end()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.command} did not end in {seconds} s:\n{self.log()}") from None
        for reader in self._readers:
            reader.join(5)
        report = self.log()
        assert not SANITIZER.search(report), report
        return self.process.returncode


class Restartable:
    """Something that is the same over the processes it has, one after the other, as `program`."""

    def kill(self):
        self.program.kill()

    def freeze(self):
        self.program.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.program.process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def frozen(self):
        self.freeze()
        try:
            yield
        finally:
            self.thaw()


class Server(Program):
    """A program that binds and says where."""

    def __init__(self, command, **environment):
        super().__init__(command, **environment)
        self.endpoint = self.await_line(r"\blistening endpoint=(\S+)").group(1)
