"""The bulk process as the window's process has it: started, asked, and ended at once when the store closes."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Final

from app.errors import Stopped
from app.keys.secret import SecretBytes
from app.paths import Profile
from app.services.bulk import pipe
from app.services.bulk.pipe import Ended, Failed, Far, Reply, Request
from sync.protocol import texts
from sync.protocol.texts import gettext as _

_LOG = logging.getLogger("app.services.bulk")

START_S: Final = 30.0  # until it has to have the store open
SILENCE_S: Final = 60.0  # between two words of one that reads or writes files


class Gone(Stopped):
    """The bulk process is no more: it was ended, or it died. Nothing of what was asked stays, or all of it."""

    def __init__(self) -> None:
        super().__init__(_("This was broken off."), _("Your changes are safe. Try again."))


class BulkProcess:
    """One process with a store of its own. `ask` is for one thread at a time, `stop` and `end` are for any."""

    def __init__(self, profile: Profile) -> None:
        """Begin it; it can be ended from here on, and asked once it is open. Raises Gone when it cannot be begun."""
        self._profile = profile
        self._end_asked = False
        self._writing = threading.Lock()  # two messages are not to be mixed up
        try:
            # Isolated: no folder and no variable of the surroundings decides what is imported beside our secrets.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "app.services.bulk"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, ValueError):
            raise Gone from None
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101 - both are pipes
        self._to, self._from = self._process.stdin, self._process.stdout

    def open(self, key: SecretBytes, recovery: bytes) -> None:
        """Have it open the store. Raises Gone when it does not come up, and what opening the store raises there."""
        try:
            self._send(pipe.Open(os.fsencode(self._profile.folder.absolute()), recovery, texts.language()))
            pipe.send_key(self._to, key)
            self._next(None, START_S)
        except Ended:
            self.end()
            raise Gone from None
        except BaseException:
            self.end()
            raise

    def ask(
        self, request: Request, told: Callable[[Far], None] | None = None, *, silence_s: float = SILENCE_S
    ) -> Reply:
        """The answer; `told` hears meanwhile how far it is. One that says nothing for so long is ended.

        Raises Gone, and what the work raises there.
        """
        try:
            self._send(request)
            return self._next(told, silence_s)
        except Ended:
            if not self._end_asked:
                _LOG.warning("the bulk process ended by itself: %s", str(self._process.poll()))
            self.end()
            raise Gone from None

    @property
    def lives(self) -> bool:
        """Whether it is there."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Have it leave off what it does now."""
        with contextlib.suppress(Ended):
            self._send(pipe.Stop())

    def go_on(self) -> None:
        """Have it commit what was brought in."""
        with contextlib.suppress(Ended):
            self._send(pipe.GoOn())

    def end(self) -> None:
        """End it now, whatever it does: an open transaction is as if it had never been. It is gone on return."""
        self._end_asked = True
        self._process.kill()
        self._process.wait()
        for stream in (self._to, self._from):
            with contextlib.suppress(OSError, ValueError):
                stream.close()

    def _send(self, request: Request) -> None:
        with self._writing:
            pipe.send(self._to, request)

    def _next(self, told: Callable[[Far], None] | None, silence_s: float) -> Reply:
        while isinstance(answer := self._heard(silence_s), Far):
            if told is not None:
                told(answer)
        if isinstance(answer, Failed):
            if answer.fault:
                _LOG.error("fault in the bulk process: %s", answer.fault)
                raise Ended
            raise pipe.error(answer)
        return answer

    def _heard(self, silence_s: float) -> Reply:
        """The next message. A process that was stopped, or hangs, must not hold up saves and the end of the window."""
        limit = threading.Timer(silence_s, self._process.kill)
        limit.daemon = True
        limit.start()
        try:
            return pipe.reply(self._from)
        finally:
            limit.cancel()
