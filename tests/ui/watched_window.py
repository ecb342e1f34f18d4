"""A real window in a process of its own that is locked by the system, and then looks through its own memory.

Reads one JSON document: the profile, and the secrets to look for, masked, so that the search leaves no copies of them.
The PIN is typed key by key, as a person does. Says "open" once the workplace is there; after the lock it prints how
many copies of each secret it found, as bytes and as hex, before the lock and after it.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtTest import QTest

from app.paths import Profile
from app.ui.kit.secret_line import SecretLine
from app.ui.run import Desktop, make_application
from app.viewmodels.notices import Screen

MASK = 0x5A
WAIT_S = 30.0
_HEX = b"0123456789abcdef"


def copies(masked: bytearray) -> list[int]:
    """How often a secret lies in this process's memory: as it is, and in hex."""
    digits = bytearray(
        each ^ MASK for byte in masked for each in (_HEX[(byte ^ MASK) >> 4], _HEX[(byte ^ MASK) & 15])
    )
    table = bytes(byte ^ MASK for byte in range(256))
    found = [0, 0]
    regions = [line.split()[:2] for line in Path("/proc/self/maps").read_text(encoding="ascii").splitlines()]
    with Path("/proc/self/mem").open("rb", buffering=0) as memory:
        for span, rights in regions:
            if not rights.startswith("rw"):
                continue
            start, end = (int(each, 16) for each in span.split("-"))
            try:
                memory.seek(start)
                page = bytearray(memory.read(end - start))
            except (OSError, OverflowError, ValueError):
                continue
            seen = page.translate(table)
            page[:] = bytes(len(page))
            found = [found[0] + seen.count(masked), found[1] + seen.count(digits)]
    return found


def until(condition: Callable[[], object]) -> None:
    """Run the window until something is so."""
    end = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        QCoreApplication.processEvents()


def main() -> None:
    """Open, be locked, look."""
    asked = json.loads(sys.stdin.readline())
    secrets = {name: bytearray.fromhex(value) for name, value in asked["masked"].items()}
    desktop = Desktop(Profile(Path(asked["profile"])), make_application())
    shell = desktop.shell
    desktop.open()
    until(lambda: shell.screen is Screen.LOCK and not shell.busy)
    line = desktop.window.findChild(SecretLine)
    assert isinstance(line, SecretLine)
    for byte in secrets["pin"]:
        QTest.keyClicks(line, chr(byte ^ MASK))
    line.entered.emit()
    until(lambda: shell.screen is Screen.WORK and shell.desk is not None and shell.desk.list.ready)
    desktop.listen()
    until(lambda: desktop.listener is not None and desktop.listener.settled(0))
    before = {name: copies(masked) for name, masked in secrets.items()}
    sys.stdout.write("open\n")
    sys.stdout.flush()
    until(lambda: shell.screen is Screen.LOCK and not shell.busy)
    gc.collect()
    after = {name: copies(masked) for name, masked in secrets.items()}
    sys.stdout.write(json.dumps({"before": before, "after": after}) + "\n")
    sys.stdout.flush()
    done: list[bool] = []
    shell.close(lambda: done.append(True))
    until(lambda: done)
    desktop.close()


if __name__ == "__main__":
    main()
