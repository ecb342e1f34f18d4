"""How long a PIN or passphrase holds against somebody who has copied this device's keyring and files.

Reckoned by zxcvbn, which knows what people choose: words, names, dates, keys beside one another. It cuts what it looks
at into texts that nobody can overwrite, so it runs in a process of its own, which goes with them; nothing but a number
comes back. Where no such process can be begun, nothing is said.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from typing import Final

from app.keys import spawned
from app.keys.secret import SecretBytes, wipe_buffer

TRIES_A_SECOND: Final = 700  # Argon2id takes 148 ms here: a hundred such computers, at nothing else
LOOKED_AT: Final = 72  # letters; what is behind them only makes it better
OBVIOUS: Final = 1_000  # tries in which it is found: no PIN
_BITS_MAX: Final = 2**62
_PATIENCE_S: Final = 5.0


class Meter:
    """The process, from here. Asked by one thread at a time."""

    def __init__(self) -> None:
        self._line: socket.socket | None = None
        self._process = 0
        if sys.platform == "win32" or getattr(sys, "frozen", False):
            return
        with contextlib.suppress(OSError):
            self._begin()

    def tries(self, pin: SecretBytes) -> int | None:
        """In how many tries it is likely found; None where that is not known."""
        line = self._line
        if line is None:
            return None
        try:
            line.sendall(len(pin).to_bytes(2, "big"))
            line.sendall(pin.view)
            answer = line.recv(8, socket.MSG_WAITALL)
        except OSError:
            answer = b""
        if len(answer) != 8:
            self.close()
            return None
        return int.from_bytes(answer, "big")

    def close(self) -> None:
        """End the process."""
        line, self._line = self._line, None
        if line is not None:
            line.close()
            spawned.end(self._process)

    def _begin(self) -> None:
        line, end = socket.socketpair()
        line.settimeout(_PATIENCE_S)
        with end:
            try:
                self._process = spawned.spawn(__name__, end)
            except BaseException:
                line.close()
                raise
        self._line = line


def tries_of(text: str) -> int:
    """In how many tries this is likely found. In a process that ends soon."""
    from zxcvbn import zxcvbn

    return min(_BITS_MAX, int(zxcvbn(text[:LOOKED_AT])["guesses"])) if text else 0


def serve() -> None:
    """In the process: answer until nobody asks any more."""
    from app.keys.harden import harden

    harden()
    with socket.socket(fileno=0) as line, contextlib.suppress(OSError, UnicodeDecodeError):
        while len(head := line.recv(2, socket.MSG_WAITALL)) == 2:
            asked = bytearray(int.from_bytes(head, "big"))
            if asked and line.recv_into(asked, len(asked), socket.MSG_WAITALL) != len(asked):
                break
            line.sendall(tries_of(asked.decode()).to_bytes(8, "big"))
            wipe_buffer(asked)
    os._exit(0)
