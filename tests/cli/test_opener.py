"""Who comes second waits for a command and not for a window, and is told which of them it is."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import pytest

from app.errors import Busy
from app.services import opener
from app.services.opener import Opener

LONG_S = 60.0


def _told(path: Path) -> str:
    with pytest.raises(Busy) as busy:
        Opener(path)
    return busy.value.title


def test_a_command_waits_until_the_other_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "profile.lock"
    monkeypatch.setattr(opener, "_until", time.monotonic() + LONG_S)
    first = Opener(path)
    threading.Timer(0.15, first.close).start()
    with contextlib.closing(Opener(path)):
        monkeypatch.setattr(opener, "_until", time.monotonic())
        assert _told(path) == "Another command is at work on this profile."


def test_nobody_waits_for_a_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "profile.lock"
    monkeypatch.setattr(opener, "_until", None)
    with contextlib.closing(Opener(path)):
        assert _told(path) == "Fieldkeep is open on this profile already."
        monkeypatch.setattr(opener, "_until", time.monotonic() + LONG_S)
        began = time.monotonic()
        assert _told(path) == "Fieldkeep is open on this profile already."
        assert time.monotonic() - began < LONG_S / 2


def test_a_window_waits_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "profile.lock"
    monkeypatch.setattr(opener, "_until", time.monotonic() + LONG_S)
    with contextlib.closing(Opener(path)):
        monkeypatch.setattr(opener, "_until", None)
        assert _told(path) == "Another command is at work on this profile."
    with contextlib.closing(Opener(path)):  # the word of who was here before is gone
        assert path.read_bytes()[1:] == opener.WINDOW
