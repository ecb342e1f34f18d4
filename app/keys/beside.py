"""Reads the keyring at a start in a process of its own, beside the one that loads the window.

To speak with the Secret Service takes a tenth of a start, and in one process one thread computes at a time. So a small
interpreter is begun first thing, closed to others as this process is (harden.py). It answers through a pair of sockets
that it inherited, and only with what a lasting, unlocked keyring has: it asks nobody for a passphrase, and whatever
else there is to say (no such entry, locked, away) it leaves to the keyring's own way in `backends.py`, which is taken
after it as if it had never been asked. It ends when the opening is over, when nobody has asked for a while, or with
the process that began it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from typing import Final

from app.keys import spawned

_PATIENCE_S: Final = 3.0  # for one answer; then the keyring is asked from here
_KEPT_S: Final = 3.0  # as long as nobody asks; from there on, whoever asks does so from here
_ANSWER_MAX: Final = 256  # bytes

_turn = threading.Lock()
_asked: Asked | None = None


class Asked:
    """The process, from here."""

    def __init__(self) -> None:
        """Raises OSError where none can be begun."""
        self._line, end = socket.socketpair()
        self._line.settimeout(_PATIENCE_S)
        self._answers = self._line.makefile("rb")
        with end:
            self._process = spawned.spawn(__name__, end)

    def get(self, service: str, name: str) -> str | None:
        """The value of an entry, None where it is not known there. Raises OSError when the process does not answer."""
        self._line.sendall(f"{service}\n{name}\n".encode())
        answer = self._answers.readline(_ANSWER_MAX)
        if not answer.endswith(b"\n"):
            raise OSError("cut off")
        return answer[1:-1].decode("ascii") if answer.startswith(b"+") else None

    def close(self) -> None:
        """End the process."""
        self._answers.close()
        self._line.close()
        spawned.end(self._process)


def begin() -> None:
    """Begin it, where the keyring is the Secret Service and a Python of our own can be started."""
    global _asked
    if not sys.platform.startswith("linux") or getattr(sys, "frozen", False):
        return
    with _turn, contextlib.suppress(OSError):
        if _asked is None:
            _asked = Asked()


def get(service: str, name: str) -> str | None:
    """The value of an entry, None where the keyring itself has to be asked."""
    global _asked
    with _turn:
        asked = _asked
        if asked is None:
            return None
        try:
            return asked.get(service, name)
        except (OSError, ValueError):
            _asked = None
            asked.close()
            return None


def end() -> None:
    """End it, if there is one."""
    global _asked
    with _turn:
        asked, _asked = _asked, None
        if asked is not None:
            asked.close()


def serve() -> None:
    """In the process: answer until nobody asks any more."""
    from app.keys import backends, harden

    harden.harden()
    with socket.socket(fileno=0) as line, line.makefile("rb") as asked, contextlib.suppress(OSError):
        line.settimeout(_KEPT_S)
        service = backends.SecretService(_PATIENCE_S)
        with contextlib.suppress(Exception):  # what is wrong is found out once more, where it can be told
            service.ready()
        while name := _words(asked.readline(), asked.readline()):
            found = None
            with contextlib.suppress(Exception):
                found = service.there(*name)
            line.sendall(b"-\n" if found is None else b"+" + found.encode("ascii") + b"\n")
    os._exit(0)


def _words(service: bytes, name: bytes) -> tuple[str, str] | None:
    if not service.endswith(b"\n") or not name.endswith(b"\n"):
        return None
    return service[:-1].decode(), name[:-1].decode()
