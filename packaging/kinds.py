"""Writes docs/kinds.md from the table of kinds: every field that a command or a file may name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from sync.protocol.fields import ADDRESS_PARTS, Choice, Field, Ref, Several
from sync.protocol.kinds import KINDS, Kind

PAGE = Path(__file__).resolve().parent.parent / "docs" / "kinds.md"

_HEAD = """\
# Kinds and their fields

What stands before the `=` on the command line, and in JSON. This page is made from the table of kinds in
`sync/protocol/kinds` by `python packaging/kinds.py`. “Care” is the class that a person has to be granted to see the
field (`person add --care`, [server.md](server.md)). The last column is the rule by which two edits of the field meet;
[merge.md](merge.md) tells the rules.

## How values are written

`FIELD=` on the command line and `null` in JSON empty a field. JSON takes each value as the command line does, as text,
or in the form in which `show --json` prints it. What stands before the `=` is the same for `add`, `edit` and
`list --where`; there, `FIELD~WORDS` asks for words by their beginnings, also of a part: `address.city~berl`.

| type | on the command line | in JSON |
| --- | --- | --- |
{table}
An amount that names no currency is in the profile's, which the window's settings say; USD until then.
"""

# By type: how it is typed, and its form in JSON; for the table of the page.
WRITTEN: Final = {
    "text, notes, person": ('`"name=Blue Harbour"`: quotes where it has spaces', '`"Blue Harbour"`'),
    "one of several": ("its word: `stage=lead`", '`"lead"`'),
    "flag": ("`active=yes`, `active=no`", "`true`, `false`"),
    "integer": ("`employees=1200`", "`1200`"),
    "date": ("`due=2026-11-22`", '`"2026-11-22"`'),
    "instant": (
        '`"at=2026-11-22 14:30"` by this machine\'s clock, `at=2026-11-22T14:30+01:00` by another',
        '`{"at": 1795354200000, "zone": "Europe/Berlin"}`: milliseconds since 1970 in UTC, and the zone it is said in',
    ),
    "money": (
        '`"revenue=1250.00 EUR"`',
        '`{"minor": 125000, "currency": "EUR"}`: in the smallest unit, here cents; or a plain number: `1250.00`',
    ),
    "address": (
        f"`address.city=Berlin`, `address.street=…`; parts are {', '.join(ADDRESS_PARTS)}",
        '`{"street": "Quay 1", "city": "Berlin"}`',
    ),
    "several": (
        '`"phone.work=+49 30 5550123"`; without a label `phones=…`',
        '`[{"label": "work", "value": "+49 30 5550123"}]`; with the `id` that `show` prints it stays the same one',
    ),
    "tags": ("`tags=port,crane`", '`["port", "crane"]`'),
    "content": (
        "not typed: `fieldkeep attach ID FILE` fills it",
        "`show` prints the size and the SHA-256 of what lies encrypted on disks",
    ),
    "another record": ('its title or its id: `"customer=Blue Harbour"`', "the same, as text"),
}


def page() -> str:
    """The page as the table of kinds has it now."""
    rows = "".join(f"| {type_} | {typed} | {json} |\n" for type_, (typed, json) in WRITTEN.items())
    return "\n".join([_HEAD.replace("{table}", rows), *(_section(kind) for kind in KINDS.values())])


def _section(kind: Kind) -> str:
    rows = ["| field | type | required | care | merge rule |", "| --- | --- | --- | --- | --- |"]
    for field in kind.fields:
        name = f"`{field.name}`" + (f", `{field.alias}.…`" if field.alias and _labelled(field) else "")
        needed, care = "yes" if field.required else "", field.care.name.lower()
        rows.append(f"| {name} | {_type(field)} | {needed} | {care} | {field.rule.value} |")
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
