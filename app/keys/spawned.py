"""A small Python process on the other end of a line, which is told nothing by arguments but the folders of modules."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Final

_BEGIN: Final = "import sys; sys.path[:0] = sys.argv[1:]; from {module} import serve; serve()"


def spawn(module: str, end: socket.socket) -> int:
    """Begin one that runs `serve` of a module, its end of the line as descriptor 0; its number. Raises OSError.

    No secret is ever among arguments or in the environment.
    """
    places = [str(Path(__file__).resolve().parents[2]), *(each for each in sys.path if each)]
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", "-c", _BEGIN.format(module=module), *places],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, end.fileno(), 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ],
    )


def end(process: int) -> None:
    """End it, if it has not ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, 0)
