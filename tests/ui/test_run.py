"""The process itself: it ends when it is asked to, with everything saved and the profile let go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.paths import Profile
from app.services.opening import open_session

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["terminated", "interrupted"])
def test_a_process_that_is_asked_to_end_closes_its_window(
    laptop: Profile, scripts: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [scripts / "fieldkeep", "--profile", str(laptop.folder)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        _until_open(laptop)
        process.send_signal(number)
        code = process.wait(30)
        said = process.stderr.read() if process.stderr is not None else ""
    assert (code, said) == (0, "")
    with open_session(laptop) as session:
        assert session.stage == "active"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a screen")
def test_without_a_screen_it_says_so(tmp_path: Path, scripts: Path) -> None:
    nowhere = {name: value for name, value in os.environ.items() if name not in _SCREENS}
    done = subprocess.run(
        [scripts / "fieldkeep", "--profile", str(tmp_path / "none")],
        env=nowhere, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "There is no screen here; use the command line: fieldkeep --help\n"


def _until_open(laptop: Profile) -> None:
    """Wait until the process holds the profile and has its store open."""
    log = Path("/proc/locks")
    inode = str(laptop.one_opener.stat().st_ino)
    wal = laptop.store.with_name(laptop.store.name + "-wal")
    end = os.times().elapsed + 30
    while not (f":{inode} " in log.read_text() and wal.exists()):
        assert os.times().elapsed < end, "the window did not open"
