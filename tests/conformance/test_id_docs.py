"""What docs/ids.md shows and lists."""

import re

import pytest

from support.programs import ROOT
from support.raw import Raw

DOCS = (ROOT / "docs" / "ids.md").read_text()

pytestmark = pytest.mark.ours


def test_the_method_table_of_the_docs_is_that_of_the_service(suite):
    documented = set(re.findall(r"^\| `(\w+)\(", DOCS, re.MULTILINE))
    with Raw(suite.id.endpoint) as raw:
        assert documented == raw.offered("id")


def test_every_way_to_make_an_id_says_which_needs_it_meets_and_where_that_is_shown():
    needs = DOCS[DOCS.index("## Which one"):DOCS.index("## Methods")]
    told = set(re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in needs.splitlines() if row.startswith("| `"))))
    makers = set(re.findall(r"^\| `(\w+)\(", DOCS, re.MULTILINE)) - {
        "parse", "range_at", "tag_create", "tag_update", "tag_delete", "tags", "tag_info", "deobf", "untoken", "encode",
        "decode", "worker", "stats", "health"}
    assert told == makers
    for test in re.findall(r"`((?:tests/)?[\w/]*test_?\w*\.(?:cpp|py)|tests/fault/id)`", needs):
        assert list((ROOT / "tests").rglob(test.removeprefix("tests/"))), f"there is no {test}"


def test_the_layouts_of_the_docs_are_those_of_the_service(suite):
    table = DOCS[DOCS.index("## Layouts"):DOCS.index("`--layout` says")]
    named = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    with Raw(suite.id.endpoint) as raw:
        message = raw.error("snowflake", "nope")[1]
    assert named == set(re.search(r"there are (.*) and custom", message)[1].split())
