"""An X display of its own for programs that show windows."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
from collections.abc import Iterator
from typing import Final

_START_S: Final = 20
_SCREEN: Final = "1920x1200x24"


@contextlib.contextmanager
def display() -> Iterator[dict[str, str]]:
    """Start one for as long as the block lasts; gives what a program's environment needs to show its windows there.

    Raises RuntimeError when it does not start.
    """
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp"]
    try:
        try:
            process = subprocess.Popen(
                command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        finally:
            os.close(writing)
        try:
            readable, _, _ = select.select([reading], [], [], _START_S)
            number = os.read(reading, 16).decode().strip() if readable else ""
            if not number:
                raise RuntimeError("Xvfb did not start; `make setup` says which packages to install")
            yield {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
        finally:
            process.terminate()
            process.wait(10)
    finally:
        os.close(reading)
