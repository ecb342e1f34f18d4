"""Files of 400 lines and functions of 60 are two rooms in one: they fail here unless a reason is listed."""

from __future__ import annotations

import ast

from tests.house.tree import modules, name, parsed

LONGEST_FILE = 400
LONGEST_FUNCTION = 60

# A file (`app/x.py`) or a function (`app/x.py::name`), and why it is better in one piece.
REASONS: dict[str, str] = {}


def _found() -> dict[str, int]:
    """What is too long, and how many lines it has."""
    found = {}
    for path in modules():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LONGEST_FILE:
            found[name(path)] = lines
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    found[f"{name(path)}::{node.name}"] = length
    return found


def test_nothing_is_too_long_without_a_reason() -> None:
    surplus = {place: lines for place, lines in _found().items() if place not in REASONS}
    assert not surplus, f"too long, and no reason listed: {surplus}"


def test_every_listed_reason_is_still_needed() -> None:
    assert set(REASONS) <= set(_found())
