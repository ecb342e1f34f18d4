"""From a file to tables of texts: delimiter or sheets, heading row, ragged rows, limits.

Row numbers are those of a spreadsheet: the first row of the file is 1, blank rows count.
"""

from __future__ import annotations

import csv
import io
import itertools
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from app.services.exchange import headless, sheets
from app.services.exchange.encoding import SURE, Decoded, decode
from app.services.exchange.report import Finding, Level
from app.services.exchange.unreadable import (
    COLUMNS_MAX,
    FILE_MAX,
    ROWS_MAX,
    EmptyFile,
    Unreadable,
    too_many_rows,
)
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

ROW_BREAKS: Final = 50  # a row of more lines than this is more likely a quotation mark gone astray

DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE_ROWS: Final = 200
_SAMPLE_TEXT: Final = 256 * 1024
_HEADING_WITHIN: Final = 20  # rows that may stand above the headings
_END: Final = "\x00end of the table"  # NULs are taken out of the text, so no cell holds this
_NOT_TEXT: Final = (
    (b"PK\x03\x04", ".ods, .numbers, .odt, .docx, .pptx, .zip"),
    (b"\xd0\xcf\x11\xe0", ".xls, .doc, .ppt, .msg"),
    (b"\x1f\x8b", ".gz"),
    (b"%PDF", ".pdf"),
    (b"SQLite format 3\x00", ".db"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A file as read, or one `sheet` of several in it. `rows` pairs the row number with as many cells as there are
    headings; `name` tells the kind.
    """

    name: str
    encoding: str
    confidence: float
    delimiter: str
    headings: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    findings: tuple[Finding, ...] = ()
    left_out: int = 0  # rows that could not be laid under the headings
    sheet: str = ""


@dataclass(slots=True)
class _Sieve:
    """Rows on their way under the headings, and what was noticed about them."""

    width: int
    rows: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    long: list[int] = field(default_factory=list)  # numbers of rows with cells beyond the headings: left out
    short: list[int] = field(default_factory=list)

    def take(self, number: int, cells: list[str]) -> None:
        """Lay one row under the headings."""
        if len(cells) > self.width and any(cell.strip() for cell in cells[self.width :]):
            self.long.append(number)
            return
        if len(cells) < self.width:
            self.short.append(number)
            cells = cells + [""] * (self.width - len(cells))
        self.rows.append((number, tuple(cells[: self.width])))

    def findings(self) -> Iterator[Finding]:
        """What was noticed, one finding for all rows alike."""
        if self.long:
            problem = _("More cells than headings: a delimiter may stand in a cell without quotation marks.")
            yield Finding(problem, row=self.long[0], times=len(self.long), rows=tuple(self.long))
        if self.short:
            note = _("Fewer cells than headings: the missing ones were read as empty.")
            yield Finding(note, Level.NOTE, self.short[0], times=len(self.short), rows=tuple(self.short))


def read_all(path: Path, *, headings: bool | None = None, only: Sequence[str] = ()) -> list[Table]:
    """The tables in a file: one, or those of the sheets of a workbook, all that are shown or those named `only`.

    `headings` says whether there is a row of them; None leaves it to the content. Raises Unreadable.
    """
    try:
        _refuse_by_size(path)
        if not sheets.is_workbook(path):
            return [read_bytes(path.read_bytes(), path.name, headings=headings)]
        if not path.stat().st_size:
            raise _empty()
        found = sheets.read_sheets(path, only)
    except OSError as error:
        raise Unreadable(
            _("The file could not be read."), _("Check that it is there and that you may open it.")
        ) from error
    if not found:
        raise _empty()
    tables = []
    for sheet, records in found:
        name = f"{sheet}{path.suffix}" if sheets.hints_at(sheet) else path.name
        table = _table(name, records, headings=headings)
        tables.append(replace(table, sheet=sheet if len(found) > 1 else ""))
    return tables


def read(path: Path) -> Table:
    """The table in a file, of a workbook the first. Raises Unreadable."""
    return read_all(path)[0]


def _refuse_by_size(path: Path) -> None:
    there = path.stat()
    if not stat.S_ISREG(there.st_mode):
        raise Unreadable(_("This is not a file."), _("Choose a file of your own disk."))
    if there.st_size > FILE_MAX:
        raise Unreadable(
            _("The file is too large: {size} MB.").format(size=there.st_size >> 20),
            _("Cut it into files of at most {limit} MB.").format(limit=FILE_MAX >> 20),
        )


def read_bytes(data: bytes, name: str, *, headings: bool | None = None) -> Table:
    """The table in the bytes of a file. Raises Unreadable."""
    _refuse_other_formats(data)
    decoded = decode(data)
    findings = list(_about_text(decoded))
    text = decoded.text.removeprefix("\ufeff").replace("\x00", "")
    delimiter, text, rows_before = _delimiter(text)
    table = _table(name, _records(text, delimiter, rows_before), headings=headings)
    return replace(
        table, encoding=decoded.encoding, confidence=decoded.confidence, delimiter=delimiter,
        findings=(*findings, *table.findings),
    )  # fmt: skip


def _table(name: str, records: list[tuple[int, list[str]]], *, headings: bool | None) -> Table:
    """Rows that are not blank as a table: the first of them are its headings, or names are made for its columns."""
    at = _heading(records)
    number, cells = records[at]
    findings: list[Finding] = []
    without = (
        not headless.has_headings([row for _number, row in records[at:]])
        if headings is None
        else not headings
    )
    if without:
        at -= 1
        cells = headless.made_headings([row for _number, row in records])
        findings.append(headless.told(cells, asked=headings is not None))
    while len(cells) > COLUMNS_MAX and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) > COLUMNS_MAX:
        raise Unreadable(
            _("Too many columns: {count}.").format(count=len(cells)),
            _("At most {limit} columns are read.").format(limit=COLUMNS_MAX),
            row=number,
        )
    if at > 0:
        note = ngettext("{n} row above the headings left out.", "{n} rows above the headings left out.", at)
        findings.append(Finding(note.format(n=at), level=Level.NOTE, row=number))
    sieve = _Sieve(len(cells))
    for number, row in itertools.islice(records, at + 1, None):
        sieve.take(number, row)
    findings += sieve.findings()
    names = tuple(" ".join(cell.split()) for cell in cells)
    return Table(name, "xlsx", 1.0, "", names, tuple(sieve.rows), tuple(findings), len(sieve.long))


def _empty() -> Unreadable:
    return EmptyFile(_("The file is empty."), _("Choose a file with a row of headings and rows below it."))


def _refuse_other_formats(data: bytes) -> None:
    """Raise Unreadable for what is plainly no text."""
    for mark, endings in _NOT_TEXT:
        if data.startswith(mark):
            raise Unreadable(
                _("This is no CSV file and no .xlsx workbook, it is one of: {endings}.").format(
                    endings=endings
                ),
                _("Open it in a spreadsheet and save it as CSV (UTF-8)."),
            )
    if data[:1024].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<table")):
        raise Unreadable(
            _("This is a web page or XML, no CSV and no .xlsx workbook."),
            _("Open it in a spreadsheet and save it as CSV (UTF-8)."),
        )
    if not data.strip():
        raise _empty()


def _about_text(decoded: Decoded) -> Iterator[Finding]:
    """What is to be said about how the bytes became text; raises Unreadable for what is no text at all."""
    sample = decoded.text[:_SAMPLE_TEXT]
    controls = sum(c < " " and c not in "\t\r\n\x00\x0b\x0c\x1a\x1b" for c in sample)
    if controls > 0.02 * len(sample) + 2:
        raise Unreadable(_("This is no text file."), _("Save the table as CSV (UTF-8) and choose that file."))
    if decoded.confidence < SURE:
        note = _("The encoding is a guess ({encoding}): look at names with accents before you import.")
        yield Finding(note.format(encoding=decoded.encoding), level=Level.NOTE)
    if decoded.broken:
        note = ngettext(
            "{n} character could not be read and became “�”.",
            "{n} characters could not be read and became “�”.",
            decoded.broken,
        )
        yield Finding(note.format(n=decoded.broken))
    nuls = decoded.text.count("\x00")
    if nuls:
        note = ngettext("{n} zero byte taken out.", "{n} zero bytes taken out.", nuls)
        yield Finding(note.format(n=nuls), level=Level.NOTE)


def _delimiter(text: str) -> tuple[str, str, int]:
    """The delimiter, the text below a `sep=` row, and how many rows that took."""
    first = text[:8].splitlines()[:1]
    if first and first[0].lower().startswith("sep=") and len(first[0]) == 5 and first[0][4] in DELIMITERS:
        rest = text[5:]
        return first[0][4], rest[2:] if rest.startswith("\r\n") else rest[1:], 1
    return max(DELIMITERS, key=lambda delimiter: _fits(text[:_SAMPLE_TEXT], delimiter)), text, 0


def _fits(sample: str, delimiter: str) -> float:
    """How evenly a delimiter cuts the rows: the share of rows of the commonest width, 0 for one column."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        widths = [
            len(row) for row in itertools.islice(reader, _SAMPLE_ROWS) if any(cell.strip() for cell in row)
        ]
    except csv.Error:
        return 0.0
    if len(sample) == _SAMPLE_TEXT and 1 < len(widths) < _SAMPLE_ROWS:
        del widths[-1]  # cut by the end of the sample
    wide = [(count, width) for width, count in Counter(widths).items() if 1 < width <= COLUMNS_MAX]
    if not wide:
        return 0.0
    count, width = max(wide)
    return count / len(widths) * (1 + min(width, 40) / 1000)


def _records(text: str, delimiter: str, before: int) -> list[tuple[int, list[str]]]:
    """Each row that is not blank, with its number.

    Raises Unreadable for an empty file, an open quotation mark, and beyond the limits.
    """
    lines = itertools.chain(io.StringIO(text, newline=""), (_END,))
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    records: list[tuple[int, list[str]]] = []
    number, line = before, 0
    try:
        for number, row in enumerate(reader, before + 1):
            if row and row[-1].endswith(_END) and row != [_END]:
                raise _open_quotation(records[-1][0] + 1 if records else number)
            if reader.line_num - line > ROW_BREAKS:
                raise _open_quotation(number)
            if number > ROWS_MAX:
                raise too_many_rows(ROWS_MAX)
            line = reader.line_num
            if any(cell.strip() for cell in row):
                records.append((number, row))
    except csv.Error as error:  # a cell beyond the size that the csv module allows
        raise _open_quotation(number + 1) from error
    del records[-1:]  # the mark of the end
    if not records:
        raise _empty()
    return records


def _open_quotation(row: int) -> Unreadable:
    return Unreadable(
        _("Row {row}: a cell is too large, or its quotation mark is never closed.").format(row=row),
        _("Close the quotation mark, or take it away, and choose the file again."),
        row=row,
    )


def _heading(records: list[tuple[int, list[str]]]) -> int:
    """Where the headings are: titles above a table fill one cell, so the first row of two cells or more."""
    for at, (_number, row) in enumerate(records[:_HEADING_WITHIN]):
        if sum(bool(cell.strip()) for cell in row) >= 2:
            return at
    return 0
