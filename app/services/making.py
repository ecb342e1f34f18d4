"""The program that makes a ready part: `python -m app.services.making`, asked over its pipe by whoever serves devices.

It is the part of the desktop that a server needs, in a process of its own: the form of a store is known here alone.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from app.keys.harden import harden
from app.store import ready as parts
from sync.protocol import ready
from sync.protocol.ready import Fed, Making

NICE: Final = 10  # whoever exchanges comes first


def main() -> int:
    """Make one part; the exit code."""
    harden()
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICE)
    gc.disable()  # its rows are many and hold no circles
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):  # whatever prints must not end up among the messages
        os.dup2(nothing, number)
    making = ready.heard(asked, Making)
    key = asked.read(ready.KEY_BYTES)
    into = Path(making.folder) / f"{making.part.hex()}.part"
    with tempfile.TemporaryDirectory(dir=making.folder) as folder:
        made = parts.make(Path(folder), _pages(asked), key, making.part, into)
    ready.send(answers, made)
    return 0


def _pages(asked: IO[bytes]) -> Iterator[Fed]:
    more = True
    while more:
        page = ready.heard(asked, Fed)
        more = page.more
        yield page


if __name__ == "__main__":
    sys.exit(main())
