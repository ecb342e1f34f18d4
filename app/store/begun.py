"""What a person had begun and a crash, a lock or a full disk broke off: told when they are back, and not before.

Of an import nothing came in, so its files are all there is to know. An act on many records is done in pieces: how far
it is stands here with each piece, in the piece's own transaction, so it goes on where it was broken off.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.store.reader import Reader
from app.store.store import Store
from sync.protocol.codec import pack, unpack

_IMPORT: Final = "import"
_ACT: Final = "act"
_FAR: Final = "act.far"


def keep_import(store: Store, files: Sequence[Path]) -> None:
    """These files are being brought in."""
    with store.db.write():
        # A name of a file need not be a text.
        _put(store, _IMPORT, pack([os.fsencode(file.absolute()) for file in files]))


def forget_import(store: Store) -> None:
    """Nobody waits for them any more: they came in, or somebody knows that they did not."""
    _forget(store, _IMPORT)


def imports(store: Reader) -> list[Path]:
    """The files of an import that was broken off; none where none was."""
    body = _found(store, _IMPORT)
    return [] if body is None else [Path(os.fsdecode(file)) for file in unpack(body)]


def keep_act(store: Store, asked: bytes, far: bytes) -> None:
    """This act on many records is under way; one that was broken off before it is told no more."""
    with store.db.write():
        _put(store, _ACT, asked)
        _put(store, _FAR, far)


def keep_far(store: Store, far: bytes) -> None:
    """So far it is; within the transaction of its piece."""
    _put(store, _FAR, far)


def forget_act(store: Store) -> None:
    """It came to its end, or somebody knows how far it came."""
    _forget(store, _ACT, _FAR)


def act(store: Reader) -> tuple[bytes, bytes] | None:
    """The act that was broken off and how far it was; None where none was."""
    asked, far = _found(store, _ACT), _found(store, _FAR)
    return None if asked is None or far is None else (asked, far)


def _put(store: Store, what: str, body: bytes) -> None:
    store.db.execute("INSERT OR REPLACE INTO begun (what, body) VALUES (?, ?)", (what, body))


def _found(store: Reader, what: str) -> bytes | None:
    row = store.db.first("SELECT body FROM begun WHERE what = ?", (what,))
    return None if row is None else bytes(row[0])


def _forget(store: Store, *what: str) -> None:
    if any(_found(store, each) is not None for each in what):
        with store.db.write() as db:
            db.executemany("DELETE FROM begun WHERE what = ?", [(each,) for each in what])
