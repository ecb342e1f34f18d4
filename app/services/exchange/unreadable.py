"""What is said of a file that cannot be read, and the bounds beyond which none is."""

from __future__ import annotations

from typing import Final

from app.errors import AppError
from sync.protocol.texts import gettext as _

FILE_MAX: Final = 128 * 1024 * 1024  # bytes
ROWS_MAX: Final = 1_000_000
COLUMNS_MAX: Final = 512


class Unreadable(AppError):
    """A file that is no table of texts, or one beyond our limits; `row` is 0 where no row is to blame."""

    def __init__(self, title: str, hint: str = "", *, row: int = 0) -> None:
        super().__init__(title, hint)
        self.row = row


class EmptyFile(Unreadable):
    """One with nothing in it: named by itself it was meant, in a folder it is passed over."""


def too_many_rows(limit: int) -> Unreadable:
    """A table has more rows than are read."""
    return Unreadable(
        _("Too many rows: more than {limit}.").format(limit=limit), _("Cut the file into parts.")
    )
