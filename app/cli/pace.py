"""One quiet line on a terminal that says how far a long verb is, gone when it is done; nothing for a script."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Final

from app.services.exchange.progress import Progress, sentence

_EVERY_S: Final = 0.2
_CLEAR: Final = "\r\x1b[K"


@contextlib.contextmanager
def shown(progress: Progress, *, wanted: bool) -> Iterator[None]:
    """Show it on standard error while the block runs, where that is a terminal."""
    if not (wanted and sys.stderr.isatty()):
        yield
        return
    ended = threading.Event()

    def show() -> None:
        while not ended.wait(_EVERY_S):
            if (far := progress.far()) is not None:
                sys.stderr.write(_CLEAR + sentence(far))
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
