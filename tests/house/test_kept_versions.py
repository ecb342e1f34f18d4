"""Every released version is kept, small, and as it was released; whoever changes a form after that is told."""

from __future__ import annotations

import re
from pathlib import Path

from sync.protocol import version
from tests.conftest import ROOT
from tests.versions.kept import ARCHIVE, LARGEST, PLACE, forms_of_today, recordings

HOW = "python packaging/keyring_session.py -- python -m tests.versions.record"


def released(changelog: str) -> list[str]:
    """The versions that a changelog says were released, newest first."""
    return re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.MULTILINE)


def unkept(versions: list[str], kept: set[str]) -> list[str]:
    """What is to be said of released versions that nobody recorded."""
    return [
        f"{each} was released and is not kept: on its tree run {HOW} {each}"
        for each in versions
        if each not in kept
    ]


def drifted(app_version: str, forms: dict[str, int], as_released: dict[str, dict[str, int]]) -> list[str]:
    """What is to be said where forms have changed and the version is still that of a release."""
    was = as_released.get(app_version)
    return [
        f"{name} is {number} and was {was[name]} in {app_version}, which is released: raise APP_VERSION"
        for name, number in forms.items()
        if was is not None and was[name] != number
    ]


def test_every_released_version_is_kept() -> None:
    versions = released((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert unkept(versions, {each.name for each in recordings()}) == []


def test_what_was_released_is_not_changed_under_its_name() -> None:
    versions = released((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    as_released = {each.name: each.forms for each in recordings() if each.name in versions}
    assert drifted(version.APP_VERSION, forms_of_today(), as_released) == []


def test_a_release_without_a_recording_and_a_form_changed_after_it_are_told() -> None:
    changelog = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2027-02-01\n\n## [0.1.0] - 2026-12-20\n"
    assert released(changelog) == ["0.2.0", "0.1.0"]
    (said,) = unkept(released(changelog), {"0.1.0", "0.1.0-alpha.3"})
    assert said.endswith(f"{HOW} 0.2.0")
    forms = {"store": 7, "server": 6, "protocol": 1, "schema": 1}
    assert len(drifted("0.2.0", forms, {"0.2.0": {**forms, "store": 6}})) == 1
    assert drifted("0.3.0", forms, {"0.2.0": {**forms, "store": 6}}) == []
    assert drifted("0.2.0", forms, {"0.2.0": forms}) == []


def test_at_least_two_earlier_forms_are_kept_and_none_is_large() -> None:
    forms = {(each.store, each.server) for each in recordings()}
    assert len(forms - {(forms_of_today()["store"], forms_of_today()["server"])}) >= 2
    assert {each.name: size for each in recordings() if (size := _size(each.place)) >= LARGEST} == {}
    assert {path.parent.name for path in PLACE.glob(f"*/{ARCHIVE}")} == {each.name for each in recordings()}


def _size(place: Path) -> int:
    return sum(path.stat().st_size for path in place.iterdir())
