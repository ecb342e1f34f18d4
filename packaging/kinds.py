"""Writes docs/kinds.md from the table of kinds: every field that a command or a file may name."""

from __future__ import annotations

import sys
from pathlib import Path

from sync.protocol.fields import Choice, Field, Ref, Several
from sync.protocol.kinds import KINDS, Kind

PAGE = Path(__file__).resolve().parent.parent / "docs" / "kinds.md"

_HEAD = """\
# Kinds and their fields

What stands before the `=` on the command line, and in JSON. This page is made from the table of kinds in
`sync/protocol/kinds` by `python packaging/kinds.py`. The last column is the rule by which two edits of the field
meet; [merge.md](merge.md) tells the rules.
"""


def page() -> str:
    """The page as the table of kinds has it now."""
    return "\n".join([_HEAD, *(_section(kind) for kind in KINDS.values())])


def _section(kind: Kind) -> str:
    rows = ["| field | type | required | merge rule |", "| --- | --- | --- | --- |"]
    for field in kind.fields:
        name = f"`{field.name}`" + (f", `{field.alias}.…`" if field.alias and _labelled(field) else "")
        rows.append(f"| {name} | {_type(field)} | {'yes' if field.required else ''} | {field.rule.value} |")
    return f"## {kind.name}\n\n" + "\n".join(rows) + "\n"


def _labelled(field: Field) -> bool:
    return isinstance(field.type, Several)


def _type(field: Field) -> str:
    type_ = field.type
    if isinstance(type_, Choice):
        return "one of " + ", ".join(f"`{value}`" for value in type_.values)
    if isinstance(type_, Ref):
        return f"{type_.to}: its title or id"
    if isinstance(type_, Several):
        return f"several, each a {type_.of}"
    return type(type_).__name__.lower()


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
