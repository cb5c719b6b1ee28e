"""Starting, watching and always stopping the processes of a benchmark."""

import json
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
START_SECONDS = 10
STOP_SECONDS = 15


class NotMeasured(Exception):
    """A contender is missing; the message says what to install or build."""


def require(program):
    """Throws NotMeasured when `program` is not there to be run."""
    if shutil.which(program) is None:
        raise NotMeasured(f"{os.path.basename(program)} was not built")


class Server:
    """A server process, stopped when the `with` block ends. `endpoint` is where it listens."""

    def __init__(self, argv):
        self._argv = argv

    def __enter__(self):
        require(self._argv[0])
        # A file, not a pipe: a server that says more than a pipe holds would stop in the middle of a run.
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL, stderr=self._said)
        try:
            self.endpoint = self._wait_for_endpoint()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def cpu_seconds(self):
        fields = self._read("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def memory_kib(self, key="VmRSS"):
        """`VmRSS` is what the process holds now, `VmHWM` the most it ever held."""
        for line in self._read("status").splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
        raise RuntimeError(f"no {key} in the status of {self._argv[0]}")

    def _read(self, name):
        with open(f"/proc/{self._process.pid}/{name}", encoding="ascii") as file:
            return file.read()

    def _wait_for_endpoint(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            ended = self._process.poll() is not None
            said = os.pread(self._said.fileno(), 65536, 0).decode(errors="replace")
            found = re.search(r"\blistening endpoint=(\S+)\n", said)
            if found:
                return found.group(1)
            if ended or time.monotonic() > deadline:
                raise NotMeasured(f"{os.path.basename(self._argv[0])} did not start: {said.strip()[-300:]}")
            time.sleep(0.02)


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
