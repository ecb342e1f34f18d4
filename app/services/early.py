"""Opens a profile while the window's own parts are still being loaded.

Most of an opening is waiting: for the keyring, for the disk. It is begun before the window's library is loaded, in a
thread of its own, and goes its usual way (hearing.py), with the same checks and the same limits of time; what came of
it, a session or why there is none, is taken once, by the first who asks.
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future

from app import settings
from app.keys import beside
from app.paths import Profile
from app.services.hearing import open_heard
from app.services.session import ACTIVE, Session
from app.settings import Settings
from sync.protocol.errors import KnownError


class Early:
    """An opening under way."""

    def __init__(self, profile: Profile) -> None:
        self._found: Future[tuple[Settings, Session]] = Future()
        threading.Thread(target=self._open, args=(profile,), name="fieldkeep-early", daemon=True).start()

    def take(self) -> tuple[Settings, Session]:
        """The settings and the session, once they are there; to be called once. Raises as `open_heard` does."""
        return self._found.result()

    def _open(self, profile: Profile) -> None:
        try:
            self._found.set_result(_opened(profile))
        except BaseException as problem:  # noqa: BLE001 - it is raised again where the session is asked for
            self._found.set_exception(problem)
        finally:
            beside.end()


def _opened(profile: Profile) -> tuple[Settings, Session]:
    session = open_heard(profile, say_offline=False)
    if session.stage == ACTIVE:
        # What stands in the way is told to whoever reads the first list.
        with contextlib.suppress(KnownError):
            session.call(lambda _store: None)
    return settings.load(profile), session
