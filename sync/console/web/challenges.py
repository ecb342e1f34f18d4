"""Challenges for signing in: this server knows its own again without keeping any, and takes each once.

Whoever asks for many costs the others nothing: only what was answered rightly is remembered, for its two minutes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct
import threading
from collections import OrderedDict
from typing import Final

LIFE_MS: Final = 2 * 60_000
_HEAD: Final = struct.Struct(">Q16s")
_MARK: Final = 20


class Challenges:
    """The challenges of one server, under a key of its own."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._lock = threading.Lock()
        self._used: OrderedDict[bytes, int] = OrderedDict()

    def give(self, now: int) -> bytes:
        """A new one."""
        head = _HEAD.pack(now, os.urandom(16))
        return head + self._mark(head)

    def is_ours(self, challenge: bytes, now: int) -> bool:
        """Whether it is of this server, of these minutes, and was not used."""
        head, mark = challenge[: _HEAD.size], challenge[_HEAD.size :]
        if len(head) != _HEAD.size or not hmac.compare_digest(mark, self._mark(head)):
            return False
        made, _random = _HEAD.unpack(head)
        with self._lock:
            return 0 <= now - made <= LIFE_MS and challenge not in self._used

    def use(self, challenge: bytes, now: int) -> bool:
        """Use it up; False when somebody was quicker."""
        with self._lock:
            while self._used and next(iter(self._used.values())) < now - LIFE_MS:
                self._used.popitem(last=False)
            if challenge in self._used:
                return False
            self._used[challenge] = now
            return True

    def _mark(self, head: bytes) -> bytes:
        return hashlib.blake2b(head, key=self._key, digest_size=_MARK).digest()


def written(challenge: bytes) -> str:
    """Bytes in a form or an address."""
    return base64.urlsafe_b64encode(challenge).decode().rstrip("=")


def read(text: str) -> bytes:
    """What a form says; b"" where it is none."""
    try:
        return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
