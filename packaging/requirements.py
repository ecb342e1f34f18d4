"""Makes docs/requirements.md from docs/requirements.toml: what the product must do, how far it has come, shown by what.

`write` checks the source and writes the page; `check` says whether source and page hold. In the source every
requirement is a table named by its id:

    text     what is asked for, in one line
    state    "met" (wholly, today), "partly", or "open"; left out for open
    where    the screen, command, endpoint or module that does it
    missing  what is still to come; for "partly" alone
    tests    the tests that show it, as file::function
"""

from __future__ import annotations

import ast
import functools
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "requirements.toml"
PAGE = ROOT / "docs" / "requirements.md"
STATES = ("met", "partly", "open")

# Families in the order of the page; for each prefix how many requirements there are, numbered from 1.
FAMILIES: dict[str, dict[str, int]] = {
    "Customer and sales functions": {"CUS": 12, "SAL": 7},
    "Encryption and keys": {"ENC": 10},
    "Identity and access": {"ACC": 10, "AUT": 6},
    "Privacy, consent, rights": {"PRV": 12, "DSR": 8, "ANO": 7, "CLS": 3, "LIF": 3},
    "Data quality and integrity": {"QUA": 10},
    "Backup, recovery, availability": {"BAK": 15, "AVL": 1},
    "Logging, monitoring, audit": {"LOG": 6, "MON": 9, "AUD": 9},
    "Risk": {"RSK": 12},
    "Incident response": {"INC": 9},
    "People: training, culture, fraud": {"TRN": 11, "CUL": 3, "FRD": 4},
    "Law, governance, partners, customer communication": {
        "LAW": 7, "GOV": 6, "PAR": 5, "COM": 4, "TEC": 3,
    },
}  # fmt: skip

_HEAD = """\
# Requirements and where they are met

*Made by `make docs` from [requirements.toml](requirements.toml); change it there.*

{counts}

*Met* means that today's code does it wholly; *partly* says what is there and what is missing; *open* means that
nothing of it is there yet. Where a point is about an organisation's own doings (training, audits, contracts), the
software's part is a register, a reminder, evidence and a report.
"""


@dataclass(frozen=True)
class Point:
    """One requirement; without a state it is open."""

    id: str
    text: str
    state: str = "open"
    where: str = ""
    missing: str = ""
    tests: tuple[str, ...] = ()


def ids() -> list[str]:
    """Every id, in the order of the page."""
    return [
        f"{prefix}-{number}"
        for family in FAMILIES.values()
        for prefix, count in family.items()
        for number in range(1, count + 1)
    ]


def read(source: Path = SOURCE) -> dict[str, Point]:
    """The requirements by id. Raises ValueError for a source out of form, a table that stands twice among them."""
    with source.open("rb") as file:
        tables = tomllib.load(file)
    known = {"text", "state", "where", "missing", "tests"}
    points = {}
    for id_, table in tables.items():
        if not isinstance(table, dict) or not known.issuperset(table):
            raise ValueError(f"{id_} is out of form")
        texts = {name: str(table[name]) for name in ("text", "state", "where", "missing") if name in table}
        points[id_] = Point(id_, **texts, tests=tuple(table.get("tests", ())))
    return points


def problems(points: dict[str, Point]) -> list[str]:
    """What does not hold in the source; nothing when all does."""
    found = []
    if list(points) != ids():
        missing, strange = set(ids()) - set(points), set(points) - set(ids())
        named = ", ".join(sorted(missing | strange)) or "their order"
        found.append(f"the ids differ from those of the families: {named}")
    for point in points.values():
        found += [f"{point.id}: {problem}" for problem in _wrong(point)]
    return found


def _wrong(point: Point) -> list[str]:
    found = []
    if point.state not in STATES:
        found.append(f"no such state: {point.state}")
    if not point.text:
        found.append("no text")
    claimed = point.state != "open"
    for name, given in (("where", point.where), ("tests", point.tests)):
        if bool(given) is not claimed:
            found.append(f"{name} is {'needed' if claimed else 'for what is met alone'}")
    if bool(point.missing) is not (point.state == "partly"):
        found.append("what is missing is said for what is partly met, and only there")
    found += [f"there is no test {test}" for test in point.tests if not _is_there(test)]
    if any("|" in text for text in (point.text, point.where, point.missing)):
        found.append("a | would part the row")
    return found


def _is_there(test: str) -> bool:
    file, _sign, function = test.partition("::")
    path = ROOT / file
    return path.name.startswith("test_") and path.is_file() and function in _tests_of(path)


@functools.cache
def _tests_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(each.name for each in functions if each.name.startswith("test_"))


def page(points: dict[str, Point]) -> str:
    """The page as it must stand."""
    count = Counter(point.state for point in points.values())
    told = ", ".join(f"{count[state]} {state}" for state in STATES)
    parts = [_HEAD.format(counts=f"**Of {len(points)} requirements: {told}.**")]
    for family, prefixes in FAMILIES.items():
        parts.append(
            f"\n## {family}\n\n| id | requirement | state | where | tests |\n| --- | --- | --- | --- | --- |\n"
        )
        parts += [_row(point) for point in points.values() if point.id.partition("-")[0] in prefixes]
    return "".join(parts)


def _row(point: Point) -> str:
    where = f"{point.where} *Missing:* {point.missing}" if point.missing else point.where
    shown = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in point.tests)
    state = point.state if point.state == "open" else f"**{point.state}**"
    return f"| {point.id} | {point.text} | {state} | {where} | {shown} |\n"


def main() -> int:
    """`write` or `check`; 1 when something does not hold, 2 for any other word."""
    if sys.argv[1:] not in (["write"], ["check"]):
        print("usage: requirements.py write | check", file=sys.stderr)
        return 2
    points = read()
    wrong = problems(points)
    if not wrong and sys.argv[1] == "write":
        PAGE.write_text(page(points), encoding="utf-8")
    elif not wrong and PAGE.read_text(encoding="utf-8") != page(points):
        wrong = ["docs/requirements.md is not what its source says; run: make docs"]
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
