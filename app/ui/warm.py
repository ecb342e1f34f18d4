"""Loads in the background what the first list did without, so that the first look at anything else does not wait.

In a thread of its own and of low rank, one part after the other, the likeliest first; the thread of the screen imports
nothing meanwhile and goes on. Whatever is asked for before its turn comes is loaded then and there.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import threading
from typing import Final

from app.viewmodels import words

PAUSE_S: Final = 0.01  # between two parts: whoever waits for the interpreter comes first
PARTS: Final = (
    "app.ui.record_pane",
    "app.ui.selection_bar",
    "app.ui.command_palette",
    "app.viewmodels.palette",
    "app.services.syncing",
    "sync.client.requesting",
    "app.ui.today",
    "app.ui.conflicts",
    "app.ui.totals",
    "app.ui.settings",
    "app.ui.keys_page",
    "app.services.exchange.selected",
    "app.viewmodels.bringing",
    "app.ui.importing",
)


def begin() -> threading.Thread:
    """Begin; the thread ends by itself and holds up no end of the program."""
    thread = threading.Thread(target=_load, name="fieldkeep-warm", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # this thread alone, as Linux counts them
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
    words.warm()
    codecs.lookup("utf-16-le")  # Qt counts letters by it
    pause = threading.Event()
    for part in PARTS:
        __import__(part, fromlist=["*"])  # as the statement does: PySide looks at what comes in that way
        pause.wait(PAUSE_S)
