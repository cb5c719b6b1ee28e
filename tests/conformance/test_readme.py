"""What README.md shows is run, and what it lists is compared."""

import re
import subprocess
import sys

import pytest

from support.programs import ROOT

README = (ROOT / "README.md").read_text()
DEFAULT_ENDPOINT = "tcp://127.0.0.1:4243"

pytestmark = [pytest.mark.ours, pytest.mark.direct]


def python_example():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (example,) = [block for block in blocks if "import zerorpc" in block]  # the other is the Python package's
    return example


def test_the_python_example_prints_what_the_text_below_it_says(suite):
    example = python_example()
    assert example.count(DEFAULT_ENDPOINT) == 1
    program = example.replace(DEFAULT_ENDPOINT, suite.math.endpoint)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (run.stdout, run.stderr, run.returncode) == ("165\n0\n1\n2\n", "", 0)
    assert "This prints 165, then 0, 1 and 2 as a stream." in README


def test_the_method_table_lists_the_methods_there_are_with_their_arguments(python_math):
    rows = "".join(line for line in README.splitlines() if line.startswith("| `"))
    listed = dict(re.findall(r"`(\w+)\(([^)]*)\)`", rows))
    assert listed == {name: signature(entry) for name, entry in inspect(python_math).items()}


def inspect(client):
    methods = client.call("_zerorpc_inspect")["methods"]
    return {name: entry for name, entry in methods.items() if not name.startswith("_zerorpc_")}


def signature(entry):
    return ", ".join(arg["name"] + (f"={arg['default']}" if "default" in arg else "") for arg in entry["args"])
