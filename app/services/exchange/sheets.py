"""Reads the sheets of an .xlsx workbook as rows of texts, within bounds: what a sheet shows counts, not its formulas.

A zip may unfold to very much, and a sheet may name one cell in each of a million rows far to the right: what parts
unfold to is known before they are read, and cells are counted while they are.
"""

from __future__ import annotations

import datetime as dt
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from app.services.exchange.unreadable import ROWS_MAX, Unreadable, too_many_rows
from sync.protocol.texts import gettext as _

UNPACKED_MAX: Final = 512 * 1024 * 1024  # bytes of all parts of a workbook
CELLS_MAX: Final = 30_000_000  # of all sheets, with the empty ones between
_MARK: Final = b"PK\x03\x04"
_STRICT: Final = (
    b"http://purl.oclc.org/ooxml"  # another set of names for the same, in which nothing would be found
)
_CONTENTS: Final = "[Content_Types].xml"
_PLAIN_SHEET: Final = re.compile(
    r"(?:sheet|tabelle|feuil|hoja|foglio|planilha|лист|工作表|シート)\s?\d*", re.IGNORECASE
)
_ZEROS: Final = re.compile("0{2,}")
_THREE_PLACES: Final = re.compile(r"-?\d{1,3}\.\d{3}")
# What the reader of workbooks, the zip and the XML raise for files that are not what they seem.
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError,
    EOFError, NotImplementedError, RuntimeError, OverflowError, AssertionError,
)  # fmt: skip

Rows = list[tuple[int, list[str]]]


def is_workbook(path: Path) -> bool:
    """Whether a file is such a workbook, by its content. Raises OSError."""
    with path.open("rb") as file:
        if file.read(len(_MARK)) != _MARK:
            return False
    try:
        with zipfile.ZipFile(path) as parts:
            names = parts.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return _CONTENTS in names and any(name.startswith("xl/") for name in names)


def read_sheets(path: Path, wanted: Sequence[str] = ()) -> list[tuple[str, Rows]]:
    """Every sheet that is not hidden and not empty, or those named, by its name: rows that are not blank, with their
    numbers. Raises Unreadable, OSError.
    """
    try:
        _look_into(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and drawings, which nobody needs here
            return _read(path, wanted)
    except _BROKEN as error:
        raise Unreadable(
            _("The workbook could not be read."), _("Open it in a spreadsheet and save it as CSV (UTF-8).")
        ) from error


def hints_at(sheet: str) -> bool:
    """Whether the name of a sheet was chosen by somebody, so that it may say what stands there."""
    return _PLAIN_SHEET.fullmatch(sheet.strip()) is None


def _look_into(path: Path) -> None:
    """Raise Unreadable for a workbook that unfolds to too much, or whose parts define texts of their own."""
    with zipfile.ZipFile(path) as parts:
        # What a part says of its size is all that is ever read of it.
        if sum(part.file_size for part in parts.infolist()) > UNPACKED_MAX:
            raise _too_large()
        for part in parts.infolist():
            if part.filename.endswith((".xml", ".rels")):
                with parts.open(part) as file:
                    begin = file.read(1024)
                begin = begin.replace(b"\x00", b"")
                if b"<!DOCTYPE" in begin or (part.filename == "xl/workbook.xml" and _STRICT in begin):
                    raise Unreadable(
                        _("The workbook could not be read."),
                        _("Open it in a spreadsheet and save it as CSV (UTF-8)."),
                    )


def _too_large() -> Unreadable:
    return Unreadable(
        _("The workbook is too large."), _("Keep the sheets to import, and cut these into parts.")
    )


def _read(path: Path, wanted: Sequence[str]) -> list[tuple[str, Rows]]:
    import openpyxl  # of no use to whoever imports a file of another kind

    book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    try:
        named = {each.casefold() for each in wanted}
        sheets = [
            sheet
            for sheet in book.worksheets
            if (sheet.title.casefold() in named if named else sheet.sheet_state == "visible")
        ]
        if wanted and len(sheets) < len(named):
            raise Unreadable(
                _("The workbook has no sheet of this name."),
                _("Its sheets: {sheets}").format(sheets=", ".join(book.sheetnames)[:200]),
            )
        cells = 0
        found: list[tuple[str, Rows]] = []
        for sheet in sheets:
            sheet.reset_dimensions()  # what programs write of them is often wrong
            rows: Rows = []
            for number, row in enumerate(sheet.iter_rows(), 1):
                cells += len(row) + 1
                if cells > CELLS_MAX:
                    raise _too_large()
                texts = list(_texts(row))
                if any(texts):
                    rows.append((number, texts))
                if len(rows) > ROWS_MAX:
                    raise too_many_rows(ROWS_MAX)
            if rows:
                found.append((sheet.title, rows))
        return found
    finally:
        book.close()


def _texts(row: Sequence[Any]) -> Iterator[str]:
    last = max((at for at, cell in enumerate(row) if cell.value is not None), default=-1)
    for cell in row[: last + 1]:
        yield "" if cell.value is None else _text(cell)


def _text(cell: Any) -> str:
    """What a cell shows, written so that it can be read in one way only."""
    value, shown = cell.value, str(cell.number_format or "")
    if cell.data_type == "e":
        return "#N/A"  # no value, whatever the fault of the formula
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        if "%" in shown:
            return f"{_number(round(value * 100, 10))}%"
        return _number(value).zfill(len(shown)) if _ZEROS.fullmatch(shown) else _number(value)
    if isinstance(value, dt.datetime):
        whole = value.time() == dt.time.min
        return value.date().isoformat() if whole else value.isoformat(" ", "seconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return value.isoformat("seconds")
    return str(value)


def _number(value: float) -> str:
    """A number with a point before its fraction and the digits that a spreadsheet shows."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    text = format(Decimal(f"{value:.15g}"), "f")
    # Three places alone would be read as thousands.
    return f"{text}0" if _THREE_PLACES.fullmatch(text) else text
