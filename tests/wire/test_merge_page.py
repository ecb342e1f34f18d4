"""The page on merging names the rule of every field as the table of kinds has it."""

from __future__ import annotations

import re
from pathlib import Path

from sync.protocol.fields import Merge
from sync.protocol.kinds import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "merge.md"


def rows() -> list[str]:
    """The lines of the page's table of fields."""
    found = []
    for rule in Merge:
        names = []
        for kind in KINDS.values():
            fields = ", ".join(field.name for field in kind.fields if field.rule is rule)
            if fields:
                names.append(f"{kind.name}: {fields}")
        found.append(f"| `{rule.value}` | {'; '.join(names)} |")
    return found


def test_the_page_names_the_rule_of_every_field() -> None:
    table = re.findall(r"^\| `\w+` \| \w+: .*\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert table == rows(), "write the table in docs/merge.md as the table of kinds is now:\n" + "\n".join(
        rows()
    )
