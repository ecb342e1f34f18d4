"""What others do on the same work: installed beside the build from a lock of their own, never part of what ships."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PLACE: Final = ROOT / "build" / "bench" / "peers"
LOCK: Final = ROOT / "packaging" / "locks" / "peers.lock"
LIMIT_S: Final = 900


def python() -> Path:
    """The Python that has them; made when it is not there yet. Raises CalledProcessError when it cannot be."""
    found = PLACE / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not found.is_file():
        venv.create(PLACE, with_pip=True)
        pip = [str(found), "-m", "pip", "--disable-pip-version-check", "-q", "install", "--no-deps"]
        what = ["--require-hashes", "--only-binary=:all:", "-r", str(LOCK)]
        subprocess.run([*pip, *what], check=True, stdin=subprocess.DEVNULL)
    return found


def anki(records: int, changes: int, pulled: int) -> dict[str, float]:
    """Seconds that Anki takes: initial, upload, pull, poll."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(__file__).with_name("anki_peer.py")
        command = [str(python()), str(script), folder, str(records), str(changes), str(pulled)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=LIMIT_S)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
