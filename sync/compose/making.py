"""Has ready parts made by the desktop's own program, in a process of its own: only it knows the form of a store."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sync.protocol import ready
from sync.protocol.ready import Fed, Made, Making

# Isolated: no folder and no variable of the surroundings decides what is imported beside people's records.
_PROGRAM: Final = (sys.executable, "-I", "-m", "app.services.making")

LIMIT_S: Final = 3_600.0  # of one part, on whatever machine


def make(folder: Path, part: bytes, key: bytes, pages: Iterator[Fed]) -> Made:
    """The part of these pages, made in `folder`. Raises BadFrames, OSError, and what reading the pages raises."""
    process = subprocess.Popen(
        _PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
    limit = threading.Timer(LIMIT_S, process.kill)
    limit.daemon = True
    limit.start()
    try:
        ready.send(process.stdin, Making(str(folder.absolute()), part))
        process.stdin.write(key)
        for page in pages:
            ready.send(process.stdin, page)
        process.stdin.close()  # where pages ended early, it ends as well
        return ready.heard(process.stdout, Made)
    finally:
        limit.cancel()
        process.kill()  # it has said its last word
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                stream.close()
