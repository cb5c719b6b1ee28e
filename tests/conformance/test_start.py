"""How a server program starts, what it says when it cannot, and how it stops with calls in flight."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from support.programs import BIN, ROOT, Server, sanitized
from support.raw import Raw

pytestmark = [pytest.mark.ours, pytest.mark.direct]

MATH = BIN / "zerosuite-math"
ANY_PORT = ["--bind", "tcp://127.0.0.1:*"]
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn|info|debug) math \S.*")


@pytest.fixture
def start():
    """Starts the math service; ends it after the test."""
    servers = []

    def start(*flags, **environment):
        servers.append(Server([MATH, *flags], **environment))
        servers[-1].await_line(r" ready\b")
        return servers[-1]

    yield start
    for server in servers:
        assert server.finish() == 0


def run(*flags, **environment):
    return subprocess.run([MATH, *flags], env=environment, capture_output=True, text=True, timeout=20)


def refusal(*flags, **environment):
    """The one line a start that must fail leaves behind."""
    done = run(*flags, **environment)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert done.stderr.startswith("zerosuite-math: ") and done.stderr.endswith("\n"), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("zerosuite-math: ").rstrip("\n")


def answers(endpoint):
    with Raw(endpoint) as peer:
        return peer.value("add", 88, 77) == 165


def test_the_log_is_one_dated_line_for_each_event_and_ends_the_start_with_ready(start):
    server = start(*ANY_PORT)
    lines = server.log().splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert re.search(r" info math listening endpoint=tcp://127\.0\.0\.1:\d+$", lines[0])
    assert re.search(r" ready version=\S+ methods=17$", lines[1])
    assert answers(server.endpoint)


def test_nothing_is_logged_per_call_unless_asked_for(start):
    quiet, talkative = start(*ANY_PORT), start(*ANY_PORT, "--log-level", "debug")
    for server in quiet, talkative:
        with Raw(server.endpoint) as peer:
            peer.value("add", 1, 2, traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            peer.error("no\nsuch\x1b[2Jmethod")
    talkative.await_line(r" debug math call method=add peer=\S+ channel=\S+ traceparent=00-0af7651916cd43dd\S+$")
    talkative.await_line(r" debug math failed method=\"no\\x0asuch\\x1b\[2Jmethod\" .*error=NameError")
    assert len(quiet.log().splitlines()) == 2


def test_what_is_not_zerorpc_is_reported_and_what_merely_comes_late_is_not(start):
    server = start(*ANY_PORT)
    with Raw(server.endpoint) as peer:
        ended = peer.call("add", [1, 2])
        assert peer.next(ended).name == "OK"
        peer.beat(ended)
        peer.send(b"", b"no event")
        server.await_line(r" warn math dropped peer=[0-9a-f]+ reason=\S")
    assert server.log().count(" dropped ") == 1


def test_every_bind_is_served_and_announced_once(start, tmp_path):
    path = f"ipc://{tmp_path}/math"
    server = start(*ANY_PORT, "--bind", path)
    announced = re.findall(r" listening endpoint=(\S+)", server.log())
    assert announced == [server.endpoint, path]
    assert all(answers(endpoint) for endpoint in announced)


def test_a_flag_beats_the_environment_which_beats_the_file(start, tmp_path):
    places = {name: f"ipc://{tmp_path}/{name}" for name in ("file", "variable", "flag")}
    config = tmp_path / "suite.toml"
    config.write_text(f'[math]\nbind = "{places["file"]}"\n')
    from_file = ["--config", config]
    variable = {"ZEROSUITE_MATH_BIND": places["variable"]}
    assert start(*from_file).endpoint == places["file"]
    assert start(*from_file, **variable).endpoint == places["variable"]
    assert start(*from_file, "--bind", places["flag"], **variable).endpoint == places["flag"]


def test_check_validates_the_configuration_and_starts_nothing(start):
    server = start(*ANY_PORT)
    for flags in [["--check"], ["--check", "--config", ROOT / "suite.toml"], ["--check", "--bind", server.endpoint]]:
        done = run(*flags)
        assert (done.returncode, done.stdout, done.stderr) == (0, "configuration ok\n", "")
    assert "drain_ms" in refusal("--check", ZEROSUITE_DRAIN_MS="soon").lower()


def test_help_shows_the_defaults_that_suite_toml_shows():
    tables = dict(re.findall(r"^\[(\w+)\]\n(.*?)(?=^\[|\Z)", (ROOT / "suite.toml").read_text(), re.MULTILINE | re.DOTALL))
    shown = dict(re.findall(r"^(\w+) = (.*)$", tables["suite"] + tables["math"], re.MULTILINE))
    assert len(shown) > 20
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name, default in shown.items():
        variable = f"ZEROSUITE_MATH_{name.upper()}"
        entry = re.search(rf"^ +(?:default (.*?)(?: ms| bytes)?; )?{variable}\b", done.stdout, re.MULTILINE)
        assert entry, f"{variable} is missing in\n{done.stdout}"
        assert (entry.group(1) or "false") == default


@pytest.mark.parametrize("short, long", [("-h", "--help"), ("-V", "--version")])
def test_help_and_version_have_short_flags(short, long):
    assert run(short).stdout == run(long).stdout != ""


def test_version_is_one_line():
    done = run("--version")
    assert done.returncode == 0 and re.fullmatch(r"zerosuite-math \d+\.\d+\.\d+\n", done.stdout)


def test_the_configuration_is_printed_with_who_has_set_it_and_is_one_itself(tmp_path):
    config, printed = tmp_path / "suite.toml", tmp_path / "printed.toml"
    config.write_text("[suite]\nheartbeat_ms = 500\ndrain_ms = 1\nhigh_water = 1\n")
    done = run("--config", config, "--drain-ms", "6", "--print-config", ZEROSUITE_MATH_HIGH_WATER="7")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert f"heartbeat_ms = 500  # {config}:2: heartbeat_ms" in lines
    assert "drain_ms = 6  # --drain-ms" in lines
    assert "high_water = 7  # ZEROSUITE_MATH_HIGH_WATER" in lines
    assert 'log_level = "info"  # default' in lines
    printed.write_text(done.stdout)
    again = run("--config", printed, "--print-config").stdout
    assert re.sub("  #.*", "", again) == re.sub("  #.*", "", done.stdout)


@pytest.mark.parametrize("flags, line", [
    (["--bnid", "tcp://127.0.0.1:*"], "unknown flag --bnid; did you mean --bind?"),
    (["serve"], 'unexpected argument "serve"'),
    (["--bind"], "--bind takes one ENDPOINT"),
    (["--log-level", "loud"], '--log-level is "loud"; expected error, warn, info or debug'),
    (["--proxy", "localhost:4244"],
     '--proxy is "localhost:4244"; expected none, or endpoints such as tcp://127.0.0.1:4244'),
    (["--config", "/nowhere/suite.toml"], "cannot read /nowhere/suite.toml: No such file or directory"),
])
def test_a_bad_flag_is_one_line_and_status_1(flags, line):
    assert refusal(*flags) == line


@pytest.mark.parametrize("text, line", [
    ('\n[math]\nbnid = "x"\n', ':3: unknown key "bnid" in [math]; did you mean "bind"?'),
    ("[mth]\n", ':1: unknown table [mth]; did you mean "math"?'),
    ("[suite]\ndrain_ms = 1.5\n", ':2: drain_ms is "1.5"; expected a whole number from 0 to 3600000 (ms)'),
])
def test_a_bad_file_is_one_line_with_file_and_line(tmp_path, text, line):
    config = tmp_path / "suite.toml"
    config.write_text(text)
    assert refusal("--config", config) == f"{config}{line}"


@pytest.mark.parametrize("endpoint", ["tcp://*:0", "tcp://0.0.0.0:0", "tcp://[::]:0"])
def test_a_bind_that_other_machines_can_reach_needs_insecure(endpoint):
    assert "insecure = true" in refusal("--bind", endpoint)
    assert run("--bind", endpoint, "--check", ZEROSUITE_INSECURE="true").returncode == 0


def test_a_port_already_taken_is_one_line_and_status_1():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        assert refusal("--bind", endpoint) == f"cannot bind {endpoint}: Address already in use"


def test_an_endpoint_that_cannot_be_bound_is_named_and_nothing_is_announced():
    assert refusal(*ANY_PORT, "--bind", "ipc:///nowhere/math").startswith("cannot bind ipc:///nowhere/math: ")


def test_an_idle_service_stays_small(start):
    server = start(*ANY_PORT)
    assert server.resident_kib() <= (200 if sanitized(MATH.name) else 20) * 1024


def serve_with(standard_error, *flags, endpoint, **how):
    """The math service with that standard error, which nobody reads here; ends with the test's `with`."""
    return subprocess.Popen([MATH, "--bind", endpoint, "--proxy", "none", *flags], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=standard_error, **how)


@contextlib.contextmanager
def ended(process):
    try:
        yield process
    finally:
        process.terminate()
        status = process.wait(20)
    assert status == 0


@pytest.mark.parametrize("fault", ["nobody reads it", "its reader is gone", "its disk is full"])
def test_a_log_that_nobody_takes_stops_no_call(tmp_path, fault):
    endpoint = f"ipc://{tmp_path}/math"
    with open("/dev/full", "w") as full:
        process = serve_with(full if fault == "its disk is full" else subprocess.PIPE, "--log-level", "debug",
                             endpoint=endpoint)
        with ended(process):
            if fault == "its reader is gone":
                process.stderr.close()
            with Raw(endpoint) as peer:
                for _ in range(1000):  # two lines each: more than a pipe holds
                    assert peer.value("add", 88, 77) == 165


def test_started_without_standard_descriptors_it_writes_its_log_nowhere(tmp_path):
    endpoint = f"ipc://{tmp_path}/math"
    with ended(serve_with(None, endpoint=endpoint, preexec_fn=lambda: os.closerange(0, 3))) as process:
        assert answers(endpoint)
        for number in range(3):
            assert os.readlink(f"/proc/{process.pid}/fd/{number}") == "/dev/null"


def open_stream(peer, items):
    """A call in flight for as long as the test wants: its server waits for credit after the first item."""
    id = peer.call("range", [0, items])
    assert peer.next(id).name == "STREAM"
    return id


def seconds_to_end(server, *signals):
    begun = time.monotonic()
    for number in signals:
        server.process.send_signal(number)
    assert server.process.wait(20) == 0, server.log()
    return time.monotonic() - begun


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_service_stops_at_once_with_status_0(start, number):
    server = start(*ANY_PORT)
    assert seconds_to_end(server, number) < 2
    server.await_line(r" info math stopped\b")


def test_a_call_in_flight_finishes_while_new_ones_are_refused(start):
    server = start(*ANY_PORT)
    with Raw(server.endpoint) as peer:
        id = open_stream(peer, 1000)
        server.process.send_signal(signal.SIGTERM)
        server.await_line(r" info math draining calls=1\b")
        assert peer.error("add", 1, 2)[0] == "ShuttingDown"
        peer.grant(id, 1001)
        events = [peer.next(id) for _ in range(1000)]
    assert [event.args for event in events[:-1]] == list(range(1, 1000))
    assert events[-1].name == "STREAM_DONE"
    assert server.process.wait(20) == 0


def test_a_blocking_call_in_flight_finishes(start):
    server = start(*ANY_PORT, "--log-level", "debug")
    with Raw(server.endpoint) as peer:
        id = peer.call("count_primes", [100_000_000])
        server.await_line(r" debug math call method=count_primes\b")
        server.process.send_signal(signal.SIGTERM)
        assert peer.next(id, seconds=20).args == [5761455]
    assert server.process.wait(20) == 0


def test_a_call_that_outlasts_drain_ms_is_told_so(start):
    server = start(*ANY_PORT, ZEROSUITE_DRAIN_MS="200")
    with Raw(server.endpoint) as peer:
        id = open_stream(peer, 1000)
        assert 0.2 <= seconds_to_end(server, signal.SIGTERM) < 5
        event = peer.next(id)
        assert (event.name, event.args[0]) == ("ERR", "ShuttingDown")
    server.await_line(r" warn math cut off calls=1\b")


def test_every_call_that_outlasts_drain_ms_is_told_so_while_blocking_ones_stop(start):
    server = start(*ANY_PORT, ZEROSUITE_DRAIN_MS="200")
    with Raw(server.endpoint) as peer:
        ids = [peer.call("count_primes", [10**11])] + [open_stream(peer, 1000) for _ in range(200)]
        assert 0.2 <= seconds_to_end(server, signal.SIGTERM) < 5
        assert {peer.next(id).args[0] for id in ids} == {"ShuttingDown"}
    server.await_line(r" info math stopped\b")
    assert "still running" not in server.log()


def test_a_second_signal_stops_without_waiting(start):
    server = start(*ANY_PORT)
    with Raw(server.endpoint) as peer:
        open_stream(peer, 1000)
        server.process.send_signal(signal.SIGTERM)
        server.await_line(r" draining\b")
        assert seconds_to_end(server, signal.SIGINT) < 5  # drain_ms is 10 s


def test_sighup_reads_the_log_level_again(start, tmp_path):
    config = tmp_path / "suite.toml"
    config.write_text('[suite]\nlog_level = "info"\n')
    server = start(*ANY_PORT, "--config", config)
    with Raw(server.endpoint) as peer:
        config.write_text('[suite]\nlog_level = "debug"\n')
        server.process.send_signal(signal.SIGHUP)
        server.await_line(r" info math reloaded log_level=debug$")
        peer.value("add", 1, 2)
        server.await_line(r" debug math call method=add\b")


def test_sighup_with_a_bad_file_changes_nothing(start, tmp_path):
    config = tmp_path / "suite.toml"
    config.write_text("")
    server = start(*ANY_PORT, "--config", config)
    with Raw(server.endpoint) as peer:
        config.write_text("[suite]\nlog_level = 7\n")
        server.process.send_signal(signal.SIGHUP)
        server.await_line(r" error math not reloaded reason=.*suite\.toml:2: log_level is 7; expected")
        assert peer.value("add", 1, 2) == 3
