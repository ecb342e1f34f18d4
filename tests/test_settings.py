"""Settings: the choice made, the default where there is none, IT's word where policy fixes one."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from app import settings
from app.errors import AppError, NoSpace, WrongUse
from app.paths import Profile
from app.settings import SETTINGS, Settings


def test_the_defaults_are_choices_themselves(tmp_path: Path) -> None:
    found = settings.load(Profile(tmp_path))
    assert dict(found) == {name: setting.default for name, setting in SETTINGS.items()}
    assert all(setting.check(setting.default) == setting.default for setting in SETTINGS.values())


def test_what_was_chosen_comes_back(tmp_path: Path) -> None:
    profile = Profile(tmp_path)
    chosen = (
        settings.load(profile)
        .changed("theme", "dark")
        .changed("language", "zh_CN")
        .changed("currency", "cny")
    )
    settings.save(profile, chosen)
    found = settings.load(profile)
    assert (found["theme"], found["language"], found["currency"]) == ("dark", "zh_CN", "CNY")
    assert stat.S_IMODE(profile.settings.stat().st_mode) == 0o600
    assert json.loads(profile.settings.read_bytes()) == {
        "theme": "dark",
        "language": "zh_CN",
        "currency": "CNY",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "pink"),
        ("theme", 5),
        ("language", None),
        ("currency", "Dollar"),
        ("currency", ""),
        ("size", "1"),
    ],
)
def test_what_is_no_choice_is_refused(name: str, value: object) -> None:
    with pytest.raises(WrongUse) as caught:
        Settings().changed(name, value)
    assert caught.value.hint


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 70_000, b"{" + b" " * 70_000 + b"}"]
)
def test_a_damaged_file_gives_the_defaults(tmp_path: Path, data: bytes) -> None:
    profile = Profile(tmp_path)
    profile.settings.write_bytes(data)
    assert dict(settings.load(profile)) == dict(Settings())


def test_a_choice_of_a_newer_version_gives_the_default_and_is_kept(tmp_path: Path) -> None:
    profile = Profile(tmp_path)
    profile.settings.write_text('{"theme":"sepia","density":"dense"}')
    found = settings.load(profile)
    assert found["theme"] == "system"
    settings.save(profile, found.changed("currency", "EUR"))
    assert json.loads(profile.settings.read_bytes()) == {
        "theme": "sepia",
        "density": "dense",
        "currency": "EUR",
    }


def test_it_fixes_what_the_table_lets_it_fix(tmp_path: Path) -> None:
    profile = Profile(tmp_path)
    settings.save(profile, Settings().changed("currency", "CNY").changed("theme", "dark"))
    found = settings.load(profile, {"currency": "EUR", "theme": "light", "size": "1"})
    assert (found["currency"], found["theme"]) == ("EUR", "dark")
    assert found.is_fixed("currency")
    assert not found.is_fixed("theme")
    with pytest.raises(AppError, match="fixed"):
        found.changed("currency", "USD")
    settings.save(profile, found.changed("theme", "light"))
    assert settings.load(profile)["currency"] == "CNY"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = Profile(tmp_path)
    settings.save(profile, Settings().changed("theme", "dark"))

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(NoSpace):
            settings.save(profile, Settings())
    assert settings.load(profile)["theme"] == "dark"
