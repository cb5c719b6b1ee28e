"""The package as its users get it: the wheel in an environment of its own, its examples, and its types."""

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from support.programs import ROOT

PACKAGE = ROOT / "clients" / "python"
EXAMPLES = sorted((PACKAGE / "examples").glob("*.py"))
ENDPOINT = "tcp://127.0.0.1:4243"
NOBODY = "tcp://127.0.0.1:4253"


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=90, **options)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, PACKAGE)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """An interpreter that has the wheel, and sees its dependencies where the tests have them."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    python = folder / "venv" / "bin" / "python"
    places = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    Path(places, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps",
        "--disable-pip-version-check", wheel)
    return python


def clean(**more):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "ZEROSUITE_"))}
    return {**environment, **more}


def test_the_wheel_is_pure_and_has_types_and_nothing_else(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "zerosuite/py.typed" in names and "zerosuite/aio/ids.py" in names
    assert all(name.startswith("zerosuite/") or ".dist-info/" in name for name in names)
    metadata = next(name for name in names if name.endswith("METADATA"))
    text = zipfile.ZipFile(wheel).read(metadata).decode()
    assert "Requires-Python: >=3.9" in text
    assert re.findall(r"Requires-Dist: (.*)", text) == ["msgpack>=1.0", "pyzmq>=24"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_runs_on_the_installed_wheel(example, python, town, tmp_path):
    copy = tmp_path / example.name
    copy.write_text(example.read_text().replace(ENDPOINT, town.endpoint).replace(NOBODY, "tcp://127.0.0.1:9"))
    strict = [] if example.stem == "stock_client" else ["-X", "dev", "-W", "error"]
    assert run(python, *strict, copy, cwd=tmp_path, env=clean())


def test_the_installed_one_is_what_was_run(python, tmp_path):
    where = run(python, "-c", "import zerosuite; print(zerosuite.__file__, zerosuite.__version__)", cwd=tmp_path,
                env=clean())
    assert "/site-packages/zerosuite/__init__.py 0." in where and str(PACKAGE) not in where


def test_importing_it_imports_neither_gevent_nor_asyncio_nor_starts_a_thread(python, tmp_path):
    run(python, "-c", "import sys, threading, zerosuite; assert threading.active_count() == 1; "
        "assert not {'gevent', 'asyncio', 'zerorpc'} & set(sys.modules)", cwd=tmp_path, env=clean())


def test_package_and_examples_pass_the_strictest_types(tmp_path):
    for what in (["src/zerosuite"], EXAMPLES):
        run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, *what, cwd=PACKAGE)


@pytest.mark.parametrize("document", ["README.md", "docs/python.md", "clients/python/README.md"])
def test_every_snippet_of_the_documentation_is_part_of_an_example(document):
    texts = [re.sub(r"^ +", "", path.read_text(), flags=re.M) for path in EXAMPLES]
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.S)
    snippets = [snippet for snippet in snippets if "import zerorpc" not in snippet]
    assert snippets
    for snippet in snippets:
        plain = re.sub(r"^ +", "", snippet, flags=re.M)
        assert any(plain in text for text in texts), snippet


def test_nothing_in_the_sources_needs_more_than_python_3_9():
    import ast
    for path in [*PACKAGE.glob("src/**/*.py"), *EXAMPLES]:
        ast.parse(path.read_text(), feature_version=(3, 9))
