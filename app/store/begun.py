"""What a person had begun and a crash or a lock broke off before anything of it came in: told when they are back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.store.reader import Reader
from app.store.store import Store
from sync.protocol.codec import pack, unpack

_IMPORT: Final = "import"


def keep_import(store: Store, files: Sequence[Path]) -> None:
    """These files are being brought in."""
    with store.db.write() as db:
        body = pack([os.fsencode(file.absolute()) for file in files])  # a name of a file need not be a text
        db.execute("INSERT OR REPLACE INTO begun (what, body) VALUES (?, ?)", (_IMPORT, body))


def forget_import(store: Store) -> None:
    """Nobody waits for them any more: they came in, or somebody knows that they did not."""
    if imports(store):
        with store.db.write() as db:
            db.execute("DELETE FROM begun WHERE what = ?", (_IMPORT,))


def imports(store: Reader) -> list[Path]:
    """The files of an import that was broken off; none where none was."""
    row = store.db.first("SELECT body FROM begun WHERE what = ?", (_IMPORT,))
    return [] if row is None else [Path(os.fsdecode(file)) for file in unpack(row[0])]
