"""Calls go down the floors of the house, and each outside part is known to the room that holds it alone."""

from __future__ import annotations

import itertools
import re
import sys
import tomllib

import pytest
from importlinter.cli import lint_imports

from tests.house.tree import CODE, ROOT, dotted, imports, modules

# A part, and the rooms that may import it. What stands here is known to nobody else.
ROOMS_OF = {
    "PySide6": ("app.ui",),
    "shiboken6": ("app.ui",),
    "keyring": ("app.keys",),
    "secretstorage": ("app.keys",),
    "jeepney": ("app.keys", "app.system"),
    "sqlcipher3": ("app.store", "sync.server.db"),
    "sqlite3": (),
    "psycopg": ("sync.server.db",),
    "urllib3": ("sync.client",),
    "starlette": ("sync.server", "sync.console", "sync.compose"),
    "anyio": ("sync.server", "sync.console", "sync.compose"),
    "uvicorn": ("sync.server", "sync.compose"),
    "uvloop": ("sync.server", "sync.compose"),
    "httptools": ("sync.server", "sync.compose"),
    "fido2": ("sync.console.security_key",),
    "Crypto": ("sync.console.shares",),
    "openpyxl": ("app.services.exchange.sheets",),
}

# A part as PyPI names it, where its import is named otherwise.
IMPORTED_AS = {
    "charset-normalizer": "charset_normalizer",
    "pycryptodome": "Crypto",
    "pyside6-essentials": "PySide6",
}

# Declared for another part that loads it by name when the program runs.
LOADED_BY_OTHERS = {"jeepney", "secretstorage", "httptools", "uvloop"}


def _within(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def _parts() -> set[str]:
    """The imports that the declared parts give."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    names = {re.split(r"[;<>\[]", line)[0].strip() for line in lines}
    return {IMPORTED_AS.get(name, name) for name in names}


def test_calls_go_down_the_floors(capsys: pytest.CaptureFixture[str]) -> None:
    broken = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert broken == 0, capsys.readouterr().out


def test_each_part_is_known_to_its_room_alone() -> None:
    strangers = [
        f"{dotted(path)} imports {imported}"
        for path in modules(*CODE)
        for imported in sorted(imports(path))
        for part, rooms in ROOMS_OF.items()
        if _within(imported, (part,)) and not _within(dotted(path), rooms)
    ]
    assert not strangers, "\n".join(strangers)


def test_everything_imported_is_declared() -> None:
    known = _parts() | set(sys.stdlib_module_names) | set(CODE) | {"__future__"}
    undeclared = [
        f"{dotted(path)} imports {imported}"
        for path in modules(*CODE)
        for imported in sorted(imports(path))
        if imported.split(".")[0] not in known
    ]
    assert not undeclared, "\n".join(undeclared)
