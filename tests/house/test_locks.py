"""What is installed is what was looked at: parts have hashes, no index is named, every licence fits."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tests.house.tree import ROOT

LOCKS = ("runtime.lock", "dev.lock")

# Licences under which a part may ship with an Apache-2.0 program.
ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0",
    "Unlicense", "Zlib",
}  # fmt: skip

# Used as libraries that can be exchanged, which is what the LGPL asks for: Qt, and what speaks to PostgreSQL.
LESSER = {
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "pyside6-essentials": "LGPL-3.0-only",
    "shiboken6": "LGPL-3.0-only",
}

# Parts whose metadata name no licence, or that are for another system and not installed here: read by hand.
READ_BY_HAND = {"sqlcipher3": "Zlib", "pywin32-ctypes": "BSD-3-Clause", "tzdata": "Apache-2.0"}

# How older metadata spell what SPDX names.
SPDX = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "BSD": "BSD-3-Clause",
    "Apache License, Version 2.0": "Apache-2.0",
}


def _entries(lock: str) -> dict[str, str]:
    """Part and version, and the lines that belong to it."""
    text = (ROOT / "packaging" / "locks" / lock).read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    return {block.split(" ")[0]: block for block in blocks if block.strip() and not block.startswith("#")}


def _licences(part: str) -> set[str]:
    """The licences of which one may be chosen for `part`."""
    if part in READ_BY_HAND:
        return {READ_BY_HAND[part]}
    about = metadata.metadata(part)
    stated = next((about[field] for field in ("License-Expression", "License") if field in about), "")
    if not stated or len(stated) > 100:  # nothing, or the whole text of the licence
        classifiers = about.get_all("Classifier") or []
        stated = " OR ".join(c.rsplit(" :: ", 1)[-1] for c in classifiers if c.startswith("License ::"))
    return {SPDX.get(each.strip(), each.strip()) for each in stated.split(" OR ")}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_part_is_pinned_with_hashes(lock: str) -> None:
    entries = _entries(lock)
    assert len(entries) > 30
    loose = [part for part, block in entries.items() if "==" not in part or "--hash=sha256:" not in block]
    assert not loose


@pytest.mark.parametrize("lock", LOCKS)
def test_no_index_is_named(lock: str) -> None:
    text = (ROOT / "packaging" / "locks" / lock).read_text(encoding="utf-8")
    named = re.findall(r"^.*(?:://|--(?:extra-)?index|--find-links|--trusted).*$", text, flags=re.MULTILINE)
    assert not named


def test_the_tools_are_locked_to_the_parts_that_ship() -> None:
    runtime, dev = set(_entries("runtime.lock")), set(_entries("dev.lock"))
    assert runtime <= dev


def test_the_lock_holds_every_declared_part() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = {entry.split("==")[0] for entry in _entries("runtime.lock")}
    declared = {re.split(r"[><=;\s]", line)[0] for line in project["dependencies"]}
    assert declared <= locked


def test_every_part_that_ships_may_ship() -> None:
    refused = {}
    for entry in _entries("runtime.lock"):
        part = entry.split("==")[0]
        choices = _licences(part)
        # Where a part is under several licences at once, all of them have to fit.
        fits = any(set(choice.split(" AND ")) <= ALLOWED for choice in choices)
        if not fits and LESSER.get(part) not in choices:
            refused[part] = choices
    assert not refused


def test_the_installed_parts_are_the_locked_ones() -> None:
    stale = {}
    for entry in _entries("dev.lock"):
        part, version = entry.split("==")
        try:
            here = metadata.version(part)
        except metadata.PackageNotFoundError:
            continue  # for another system or an older Python
        if here != version:
            stale[part] = here
    assert not stale, f"run `make setup`: {stale}"


def test_the_licence_is_in_the_tree() -> None:
    assert "Apache License" in Path(ROOT / "LICENSE").read_text(encoding="utf-8")
