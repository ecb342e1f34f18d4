"""What was typed, written down beside the laptop by whoever typed it: lines of JSON that outlive the process."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any


class Journal:
    """Adds lines to a file."""

    def __init__(self, path: Path, who: str) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._who = who

    def note(self, what: str, **said: Any) -> None:
        """One line; it is with the kernel when this returns, so that SIGKILL does not take it."""
        line = {"t": time.time(), "who": self._who, "what": what, **said}
        os.write(self._handle, json.dumps(line, default=_text).encode() + b"\n")


def lines(path: Path) -> list[dict[str, Any]]:
    """All lines of a journal."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
