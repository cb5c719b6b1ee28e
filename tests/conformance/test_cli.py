"""The stock `zerorpc` command line."""

import ast
import json
import subprocess
import sys

import pytest

from support.background import background
from support.programs import PEERS


def zerorpc(*words):
    """Runs the command line; answers (status, output, errors)."""
    done = subprocess.run([sys.executable, PEERS / "cli.py", *map(str, words)], capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def output(*words):
    status, out, errors = zerorpc(*words)
    assert status == 0, errors
    return out


def test_it_prints_the_result_of_a_call(suite):
    assert output("-j", suite.math.endpoint, "add", 1, 2) == "3\n"
    assert output("-j", "-pj", suite.math.endpoint, "add", "1.5", 2) == "3.5"
    assert ast.literal_eval(output("-j", suite.math.endpoint, "echo", '{"a": [1, null, "é"]}')) == {"a": [1, None, "é"]}


def test_it_prints_a_stream(suite):
    assert json.loads(output("-j", "-pj", suite.math.endpoint, "range", 0, 300)) == list(range(300))
    assert output("-j", suite.math.endpoint, "range", 0, 3) == "0\n1\n2\n"


def test_it_prints_an_empty_stream(suite):
    assert json.loads(output("-j", "-pj", suite.math.endpoint, "range", 0, 0)) == []


@pytest.mark.ours
def test_it_lists_the_methods_with_their_first_line(suite):
    lines = output(suite.math.endpoint).splitlines()
    assert lines[0] == f"[{suite.shown('math')}]"
    names = [line.split()[0] for line in lines[1:]]
    assert names == sorted(names)
    assert {suite.listed("math", name) for name in ("add", "range", "primes")} <= set(names)
    assert not any("<undocumented>" in line for line in lines)
    starts = {len(line) - len(line[len(name):].lstrip()) for line, name in zip(lines[1:], names)}
    assert len(starts) == 1, "the texts stand in one column"


@pytest.mark.ours
def test_it_lists_the_signatures(suite):
    lines = output("-?", suite.math.endpoint).splitlines()
    assert lines[0] == f"[{suite.shown('math')}]"
    assert suite.listed("math", "add(a, b)") in lines
    assert suite.listed("math", "range(start, stop, step=1)") in lines


@pytest.mark.ours
def test_it_explains_a_method(suite):
    add = suite.listed("math", "add")
    name, signature, _, text, *_ = output("-?", suite.math.endpoint, add).splitlines()
    assert (name, signature) == (f"[{suite.shown('math')}]", f"{add}(a, b)")
    assert text.strip()


@pytest.mark.ours
def test_it_says_when_there_is_no_such_method_to_explain(suite):
    assert 'No documentation for "nosuch".' in output("-?", suite.math.endpoint, "nosuch")


def test_it_fails_on_an_unknown_method(suite):
    status, _, errors = zerorpc(suite.math.endpoint, "nosuch")
    assert status != 0
    assert "NameError" in errors and "nosuch" in errors


@pytest.mark.ours
def test_words_are_text_to_a_method_that_wants_numbers(suite):
    status, _, errors = zerorpc(suite.math.endpoint, "add", "1", "2")
    assert status != 0
    assert "TypeError" in errors


@background
def passive_command_line(suite):
    return zerorpc("-j", suite.calm.endpoint, "slow_async", 12_000)


def test_a_long_call_of_the_passive_command_line_succeeds(passive_command_line):
    status, out, errors = passive_command_line
    assert (status, out) == (0, "'slept'\n"), errors
