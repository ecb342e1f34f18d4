"""The file of a store page by page, as SQLCipher 4 writes it: read into plain pages, written from plain pages.

A page is 4,096 bytes: 4,016 enciphered by AES-256-CBC, a random IV, and an HMAC-SHA512 over both and its number. The
file begins with 16 random bytes, the salt, in the place of SQLite's own first 16; the key of the HMAC is made of the
store's key and that salt. Plain pages are never in a file: they go to and come from memory.

Many pages are enciphered in one call, as one chain of blocks. Before each page stand 16 random bytes, and what they are
enciphered to is the page's IV: nobody without the key could have foretold it, as of an IV that was drawn by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from app.errors import StoreDamaged
from app.keys.secret import SecretBytes
from app.paths import PRIVATE_FILE
from sync.protocol.texts import gettext as _

PAGE: Final = 4096
PIECE: Final = 512  # pages
_IV: Final = 16
_MAC: Final = 64
USABLE: Final = PAGE - _IV - _MAC
_SALT: Final = 16
_STEP: Final = _IV + USABLE  # of a page while it is enciphered
_MAGIC: Final = b"SQLite format 3\0"
_NUMBER: Final = struct.Struct("<I")


class _Keys:
    """What a file's pages are enciphered and proven with."""

    def __init__(self, key: SecretBytes, salt: bytes) -> None:
        other = bytes(byte ^ 0x3A for byte in salt)
        self.cipher = algorithms.AES(bytes(key.view))
        self.mac = hashlib.pbkdf2_hmac("sha512", key.view, other, 2, 32)


def read(path: Path, key: SecretBytes) -> Iterator[bytes]:
    """The plain pages of a file that nobody has open, PIECE of them at a time, without what SQLCipher adds to each.

    Raises OSError, StoreDamaged.
    """
    with path.open("rb") as file:
        data = file.read(PIECE * PAGE)
        salt, number = data[:_SALT], 1
        keys = _Keys(key, salt)
        while data:
            if len(data) % PAGE:
                raise damaged()
            yield b"".join(
                _plain(keys, number + at // PAGE, data[at : at + PAGE]) for at in range(0, len(data), PAGE)
            )
            number += len(data) // PAGE
            data = file.read(PIECE * PAGE)


def _plain(keys: _Keys, number: int, page: bytes) -> bytes:
    begin = _SALT if number == 1 else 0
    proven, mac = page[begin : USABLE + _IV], page[USABLE + _IV :]
    if not hmac.compare_digest(_mac(keys, number, proven), mac):
        raise damaged()
    decryptor = Cipher(keys.cipher, modes.CBC(page[USABLE : USABLE + _IV])).decryptor()
    return (_MAGIC if number == 1 else b"") + decryptor.update(page[begin:USABLE])


def _mac(keys: _Keys, number: int, proven: bytes) -> bytes:
    return hmac.digest(keys.mac, proven + _NUMBER.pack(number), "sha512")


class Writer:
    """A new file from plain pages, in their order; to be used in a `with` block. Raises OSError, StoreDamaged."""

    def __init__(self, path: Path, key: SecretBytes) -> None:
        self._salt = os.urandom(_SALT)
        self._keys = _Keys(key, self._salt)
        self._number = 0
        # made once: memory that is new to the process costs as much as what is put into it
        self._clear = bytearray(PIECE * _STEP)
        self._enciphered = bytearray(PIECE * _STEP + _IV)
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb", 2**18)

    def put(self, plain: bytes, go_on: Callable[[], None] = lambda: None) -> None:
        """Some more pages; `go_on` may raise before each few of them."""
        if not plain or len(plain) % USABLE or (not self._number and not plain.startswith(_MAGIC)):
            raise damaged()
        go_on()
        rest = memoryview(plain)
        if not self._number:
            self._number = 1
            iv = os.urandom(_IV)
            encryptor = Cipher(self._keys.cipher, modes.CBC(iv)).encryptor()
            proven = encryptor.update(rest[len(_MAGIC) : USABLE]) + iv
            self._file.write(self._salt + proven + _mac(self._keys, 1, proven))
            rest = rest[USABLE:]
        for at in range(0, len(rest), PIECE * USABLE):
            self._put_many(rest[at : at + PIECE * USABLE])

    def _put_many(self, plain: memoryview) -> None:
        count = len(plain) // USABLE
        drawn = os.urandom(_IV * (count + 1))
        clear = self._clear
        for page in range(count):
            at = page * _STEP
            clear[at : at + _IV] = drawn[page * _IV : (page + 1) * _IV]
            clear[at + _IV : at + _STEP] = plain[page * USABLE : (page + 1) * USABLE]
        encryptor = Cipher(self._keys.cipher, modes.CBC(drawn[-_IV:])).encryptor()
        encryptor.update_into(memoryview(clear)[: count * _STEP], self._enciphered)
        blocks = memoryview(self._enciphered)
        pages: list[bytes | memoryview] = []
        for at in range(0, count * _STEP, _STEP):
            self._number += 1
            iv, number = blocks[at : at + _IV], _NUMBER.pack(self._number)
            proven = b"".join((blocks[at + _IV : at + _STEP], iv, number))
            pages += (memoryview(proven)[:_STEP], hmac.digest(self._keys.mac, proven, "sha512"))
        self._file.writelines(pages)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())


def damaged() -> StoreDamaged:
    """The refusal of what came and is no store."""
    return StoreDamaged(
        _("What came to fill the store with does not hold."),
        _("It was not used; the records come page by page."),
    )
