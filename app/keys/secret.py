"""Bytes that nobody may print, copy or pickle, and that can be wiped.

Wiping clears our own buffer. Python may have left copies where a value had to be an immutable `str` or `bytes` (the
keyring's values, for one); those end with the process, and nothing here claims otherwise.
"""

from __future__ import annotations

import hmac
import secrets
from types import TracebackType
from typing import Final, NoReturn

_DIGITS: Final = b"0123456789abcdef"


class SecretBytes:
    """A secret in a buffer of its own.

    A bytearray is taken over as it is, so that no second copy stays behind; bytes and memoryview are copied. As a
    context manager it wipes itself at the end of the block. After `wipe` every use raises ValueError: a
    buffer of zeros must never pass for a key.
    """

    __slots__ = ("_data", "_wiped")

    def __init__(self, data: bytearray | bytes | memoryview) -> None:
        self._data = data if isinstance(data, bytearray) else bytearray(data)
        self._wiped = False

    @classmethod
    def random(cls, length: int) -> SecretBytes:
        """`length` bytes from the system's random source."""
        return cls(secrets.token_bytes(length))

    @property
    def view(self) -> memoryview:
        """The bytes for use, read-only and without a copy; zeros once the secret is wiped, so do not keep it.

        Raises ValueError after `wipe`.
        """
        self._living()
        return memoryview(self._data).toreadonly()

    @property
    def wiped(self) -> bool:
        """Whether the bytes are gone."""
        return self._wiped

    @property
    def letters(self) -> int:
        """How many letters it has as text in UTF-8, counted without making a text of it. Raises ValueError."""
        return sum(byte & 0xC0 != 0x80 for byte in self.view)

    def to_hex(self) -> bytearray:
        """The bytes as lower-case hex, in a buffer that the caller wipes (`wipe_buffer`). Raises ValueError."""
        self._living()
        digits = bytearray(2 * len(self._data))
        for at, byte in enumerate(self._data):
            digits[2 * at] = _DIGITS[byte >> 4]
            digits[2 * at + 1] = _DIGITS[byte & 15]
        return digits

    def same(self, other: SecretBytes | bytes | memoryview) -> bool:
        """Whether both hold the same bytes, compared in constant time. Raises ValueError when wiped."""
        theirs = other.view if isinstance(other, SecretBytes) else other
        return hmac.compare_digest(self.view, theirs)

    def wipe(self) -> None:
        """Overwrite the bytes; a second call does nothing."""
        wipe_buffer(self._data)
        self._wiped = True

    def _living(self) -> None:
        if self._wiped:
            raise ValueError("this secret was wiped")

    def __len__(self) -> int:
        return len(self._data)

    def __enter__(self) -> SecretBytes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wipe()

    def __repr__(self) -> str:
        return "<redacted>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "<redacted>"

    def __copy__(self) -> NoReturn:
        raise TypeError("a secret is not copied")

    def __deepcopy__(self, memo: dict[int, object]) -> NoReturn:
        raise TypeError("a secret is not copied")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled")


def wipe_buffer(buffer: bytearray) -> None:
    """Overwrite a buffer that held a secret, in place."""
    buffer[:] = bytes(len(buffer))
