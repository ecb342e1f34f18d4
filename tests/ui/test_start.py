"""What is loaded before the first list is painted, and before a short command answers: nothing that neither needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.paths import Profile
from app.services.opening import open_session
from tests.house.tree import ROOT

OLD_MS = 1_600_000_000_000

# Each takes longer to load than a list takes to read and paint; each has its own place behind that moment.
NOT_FOR_A_LIST = (
    "urllib3",
    "charset_normalizer",
    "ssl",
    "http.client",
    "email",
    "keyring",
    "babel",
    "secretstorage",  # the process beside this one speaks with the keyring
    "jeepney",
    "zoneinfo",
    "phonenumbers",
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509",
    "app.services.exchange",
    "app.services.enrolment",
    "app.services.syncing",
    "app.services.doctor",
    "app.ui.command_palette",
    "app.ui.conflicts",
    "app.ui.enrol",
    "app.ui.fields.table",
    "app.ui.filter_editor",
    "app.ui.form",
    "app.ui.importing",
    "app.ui.keys_page",
    "app.ui.record_pane",
    "app.ui.selection_bar",
    "app.ui.settings",
    "app.ui.today",
    "app.ui.totals",
    "app.store.ahead",
    "app.store.replica",
    "app.store.totals",
    "app.viewmodels.conflicts",
    "app.viewmodels.day",
    "app.viewmodels.figures",
    "app.viewmodels.overview",
    "app.viewmodels.today",
    "app.viewmodels.totals",
    "sync.client.requesting",
)
# PySide makes a class when it is first named, with all its enumerations: of these that takes 2 to 7 ms each.
QT_NOT_FOR_A_LIST = ("QStyle", "QAccessible", "QTextCharFormat", "QFileDialog")
NOT_FOR_HELP = (
    *NOT_FOR_A_LIST,
    "PySide6",
    "cryptography",
    "sqlcipher3",
    "platformdirs",
    "app.settings",
    "app.store",
    "app.services",
    "app.viewmodels",
    "app.cli.verb",
)
NOT_FOR_STATUS = (
    *(name for name in NOT_FOR_A_LIST if name not in ("secretstorage", "jeepney")),
    "PySide6",
    "app.viewmodels",
    "app.cli.record_verbs",
    "app.cli.transfer",
)


def _surplus(modules: list[str], denied: tuple[str, ...]) -> list[str]:
    return [name for name in modules if any(name == each or name.startswith(each + ".") for each in denied)]


def _run(*command: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_the_first_list_is_painted_before_anything_else_is_loaded(laptop: Profile) -> None:
    with open_session(laptop) as session:  # of an older record the list tells month and year
        session.call(
            lambda store: store.db.execute('UPDATE "record_customer" SET _changed_ms = ?', (OLD_MS,))
        )
    done = _run(
        sys.executable, "-m", "tests.ui.first_list", laptop.folder, env={"QT_QPA_PLATFORM": "offscreen"}
    )
    found = json.loads(done.stdout)
    assert found["rows"] > 0
    assert "app.ui.list_pane" in found["modules"]
    assert not _surplus(found["modules"], NOT_FOR_A_LIST)
    assert "QWidget" in found["classes"]
    assert not set(QT_NOT_FOR_A_LIST) & set(found["classes"])
    assert "feature" not in found["import"]  # PySide's own reads the source of each module first


def _loaded_by(*arguments: str) -> list[str]:
    """What `fieldkeep` has loaded at its end."""
    done = _run(sys.executable, "-X", "importtime", "-m", "app", *arguments)
    said = [line.rpartition("|") for line in done.stderr.splitlines() if line.startswith("import time:")]
    return [name.strip() for _times, _bar, name in said if name.strip() != "imported package"]


def test_help_loads_no_more_than_it_says() -> None:
    loaded = _loaded_by("--help")
    assert "argparse" in loaded
    assert not _surplus(loaded, NOT_FOR_HELP)


@pytest.mark.parametrize(("verb", "room"), [("status", "status_verb"), ("lock", "device_verbs")])
def test_a_short_command_loads_its_own_parts_alone(verb: str, room: str, laptop: Profile) -> None:
    loaded = _loaded_by("--profile", str(laptop.folder), verb)
    assert f"app.cli.{room}" in loaded
    assert not _surplus(loaded, NOT_FOR_STATUS)
