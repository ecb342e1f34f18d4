"""The one place where the rooms are joined: what must happen before the first store is opened; no Qt."""

from __future__ import annotations

import contextlib
import io
import signal
import socket
import sys
from typing import TYPE_CHECKING

from app import log
from app.keys.harden import harden
from app.paths import Profile
from sync.protocol import texts

if TYPE_CHECKING:
    from app.settings import Settings


def prepare() -> None:
    """Make this process safe to hold secrets, and let it speak. Touches no file."""
    harden()
    log.take_uncaught()
    texts.use(None)
    # Names come in every script, whatever the terminal's own idea of letters. What comes in and is no UTF-8 is
    # refused, since a name with a replacement in it would be kept like that.
    for stream, errors in ((sys.stdin, "strict"), (sys.stdout, "replace"), (sys.stderr, "replace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)


def take_profile(profile: Profile) -> Settings:
    """The settings of a profile; language and log follow it. A profile that is not enrolled grows no log."""
    from app import settings  # who asks for help has no profile yet

    chosen = settings.load(profile)
    if chosen["language"] != "auto":
        texts.use(chosen["language"])
    if profile.device.exists() and not profile.wipe_intent.exists():
        # A full disk must not keep anybody from their customers.
        with contextlib.suppress(OSError):
            log.set_up(profile.log)
    return chosen


def asked_to_end() -> socket.socket | None:
    """From here on a terminal or the system that asks this process to end is heard at the socket, where there is one.

    To be called before anything is opened: a process that is asked meanwhile ends as any other, with all let go.
    """
    if sys.platform == "win32":
        return None
    # While Qt waits no Python runs, so a handler alone would not be called before the next event.
    woken, waking = socket.socketpair()
    for end in (woken, waking):
        end.setblocking(False)
    signal.set_wakeup_fd(waking.detach())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: None)
    return woken
