"""What docs/locks.md shows and lists."""

import re

import pytest

from support.programs import ROOT
from support.raw import Raw

DOCS = (ROOT / "docs" / "locks.md").read_text()

pytestmark = pytest.mark.ours


def test_a_resource_that_keeps_the_greatest_token_refuses_a_holder_that_slept(suite):
    example = re.search(r"```python\n(class Guarded:.*?)```", DOCS, re.DOTALL)
    scope = {}
    exec(example.group(1), scope)  # pylint: disable=exec-used
    resource = scope["Guarded"]()
    with Raw(suite.lock.endpoint) as locks:
        slow = locks.value("acquire", "guarded", "slow", 50)
        quick = locks.value("acquire", "guarded", "quick", 30000, 5000)
        assert locks.value("check", "guarded", slow["token"])["valid"] is False
    resource.write("quick", quick["token"])
    with pytest.raises(PermissionError):
        resource.write("slow", slow["token"])
    assert resource.values == ["quick"]


def test_the_method_table_of_the_docs_is_that_of_the_service(suite):
    documented = set(re.findall(r"^\| `(\w+)\(", DOCS, re.MULTILINE))
    with Raw(suite.lock.endpoint) as raw:
        assert documented == raw.offered("lock")
