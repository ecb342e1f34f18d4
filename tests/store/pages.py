"""Every page of a store as it is under its key: of the file, the free ones too, and of the log beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PAGE: Final = 4096
_SALT: Final = 16  # at the beginning of the first page, in clear
_IV: Final = 16
_TAIL: Final = 80  # of each page: the IV, and a mac of SHA-512
_LOG_HEAD: Final = 32
_FRAME_HEAD: Final = 24


def every(file: Path, key: bytes) -> Iterator[bytes]:
    """The pages of a store's file, then those of its log."""
    data = file.read_bytes()
    for at in range(0, len(data), PAGE):
        yield _plain(data[at : at + PAGE], key, first=at == 0)
    log = file.with_name(f"{file.name}-wal")
    data = log.read_bytes() if log.exists() else b""
    for at in range(_LOG_HEAD, len(data), _FRAME_HEAD + PAGE):
        number = int.from_bytes(data[at : at + 4], "big")
        yield _plain(data[at + _FRAME_HEAD : at + _FRAME_HEAD + PAGE], key, first=number == 1)


def holding(file: Path, key: bytes, *texts: str) -> list[str]:
    """Those of these texts that stand on any page."""
    return [text for text in texts if any(text.encode() in page for page in every(file, key))]


def _plain(page: bytes, key: bytes, *, first: bool) -> bytes:
    begin, end = _SALT if first else 0, PAGE - _TAIL
    opened = Cipher(algorithms.AES(key), modes.CBC(page[end : end + _IV])).decryptor()
    return opened.update(page[begin:end]) + opened.finalize()
