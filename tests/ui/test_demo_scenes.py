"""The demo's driver opens the real window on a real display, and what it shoots shows the window."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from app.paths import Profile
from app.services.opening import open_session
from tests.conftest import ROOT

pytestmark = pytest.mark.xvfb


def _colours(picture: Path) -> int:
    image = QImage(str(picture))
    return len({image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)})


def _play(profile: Profile, outdir: Path, scene: str, display: dict[str, str]) -> None:
    drive = ROOT / "packaging" / "demo" / "drive.py"
    command = [sys.executable, str(drive), str(profile.folder), str(outdir), scene]
    done = subprocess.run(
        command, env={**os.environ, **display}, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip()


def test_list_and_search_are_shot_on_a_display(laptop: Profile, tmp_path: Path, xvfb: dict[str, str]) -> None:
    _play(laptop, tmp_path, "open", xvfb)
    pictures = {
        name: tmp_path / f"{name}.png" for name in ("list-light", "list-dark", "search-light", "search-dark")
    }
    assert all(_colours(picture) > 50 for picture in pictures.values())
    light, dark = (QImage(str(pictures[name])).pixelColor(5, 400) for name in ("list-light", "list-dark"))
    assert light.lightness() > 200
    assert dark.lightness() < 60


def test_the_lock_page_is_shot_on_a_display(laptop: Profile, tmp_path: Path, xvfb: dict[str, str]) -> None:
    with open_session(laptop) as session:
        session.lock()
    _play(laptop, tmp_path, "lock", xvfb)
    assert all(_colours(tmp_path / f"lock-{look}.png") > 12 for look in ("light", "dark"))
