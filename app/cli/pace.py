"""One quiet line on a terminal that says how far a long verb is, gone when it is done; nothing for a script."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Final

from app.services.exchange.progress import Progress, sentence

_FIRST_S: Final = 0.05
_EVERY_S: Final = 0.2
_CLEAR: Final = "\r\x1b[K"


def shown(progress: Progress, *, wanted: bool) -> AbstractContextManager[None]:
    """Show it on standard error while the block runs, where that is a terminal."""

    def said() -> str:
        far = progress.far()
        return sentence(far) if far is not None else ""

    return line(said, wanted=wanted)


@contextlib.contextmanager
def line(said: Callable[[], str], *, wanted: bool) -> Iterator[None]:
    """The same for whatever is said at the moment; nothing yet while that is empty."""
    if not (wanted and sys.stderr.isatty()):
        yield
        return
    ended = threading.Event()

    def show() -> None:
        pause = _FIRST_S
        while not ended.wait(pause):
            pause = _EVERY_S
            if text := said():
                sys.stderr.write(_CLEAR + text)
                sys.stderr.flush()

    thread = threading.Thread(target=show, name="fieldkeep-pace", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()
