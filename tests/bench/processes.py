"""Starting, watching and always stopping the processes of a benchmark."""

import json
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
START_SECONDS = 10
STOP_SECONDS = 15


class NotMeasured(Exception):
    """A contender is missing; the message says what to install or build."""


def require(program):
    """Throws NotMeasured when `program` is not there to be run."""
    if shutil.which(program) is None:
        raise NotMeasured(f"{os.path.basename(program)} was not built, or not installed")


class Server:
    """A server process, stopped when the `with` block ends. `endpoint` is where it listens; `environment` is added to
    this process's own."""

    LISTENING = r"\blistening endpoint=(\S+)\n"

    def __init__(self, argv, **environment):
        self._argv = argv
        self._environment = environment

    def __enter__(self):
        require(self._argv[0])
        # A file, not a pipe: a server that says more than a pipe holds would stop in the middle of a run.
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(self._argv, stdout=self._said, stderr=self._said,
                                         env=os.environ | self._environment)
        try:
            self.endpoint = self.wait_for(self.LISTENING)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._said.close()

    def kill(self):
        """Ends it as a crash would."""
        self._process.kill()
        self._process.wait()

    def cpu_seconds(self):
        fields = self._read("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def memory_kib(self, key="VmRSS"):
        """`VmRSS` is what the process holds now, `VmHWM` the most it ever held."""
        for line in self._read("status").splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
        raise RuntimeError(f"no {key} in the status of {self._argv[0]}")

    def wait_for(self, pattern, times=1):
        """The group of the last match, once the server has said what matches `pattern` so many times."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            ended = self._process.poll() is not None
            said = os.pread(self._said.fileno(), 65536, 0).decode(errors="replace")
            found = re.findall(pattern, said)
            if len(found) >= times:
                return found[-1]
            if ended or time.monotonic() > deadline:
                raise NotMeasured(f"{os.path.basename(self._argv[0])} did not start: {said.strip()[-300:]}")
            time.sleep(0.02)

    def _read(self, name):
        with open(f"/proc/{self._process.pid}/{name}", encoding="ascii") as file:
            return file.read()


class Group:
    """Servers that work as one. `start(launch)` starts each through `launch(server)` and answers the `front`, the one
    that clients dial and whose memory counts. The CPU time is that of all."""

    def __init__(self, start):
        self._start = start

    def __enter__(self):
        self._servers = []
        with ExitStack() as stack:

            def launch(server):
                self._servers.append(stack.enter_context(server))
                return server

            self.front = self._start(launch)
            self._running = stack.pop_all()
        self.endpoint = self.front.endpoint
        return self

    def __exit__(self, *_):
        self._running.close()

    def cpu_seconds(self):
        return sum(server.cpu_seconds() for server in self._servers)

    def memory_kib(self, key="VmRSS"):
        return self.front.memory_kib(key)


def _children_cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _machine_busy_seconds():
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq = (int(word) for word in file.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS_PER_SECOND


def run_client(argv, server):
    """Runs one client to its end. Its JSON line, plus `cpu_us` (client and server, for one call) and `foreign`, the
    share of the machine that went to neither of them meanwhile."""
    started, busy = time.monotonic(), _machine_busy_seconds()
    cpu = _children_cpu_seconds() + server.cpu_seconds()
    done = subprocess.run([*argv, "--endpoint", server.endpoint], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")
    result = json.loads(done.stdout.splitlines()[-1])
    cpu = _children_cpu_seconds() + server.cpu_seconds() - cpu
    result["cpu_us"] = cpu * 1e6 / result["answered"]
    foreign = (_machine_busy_seconds() - busy - cpu) / (time.monotonic() - started)
    result["foreign"] = max(0.0, foreign / os.cpu_count())
    return result
