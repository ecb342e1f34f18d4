"""Records of one kind as a CSV file that spreadsheets open and that import reads back unchanged.

UTF-8 with a mark, commas, one column per field by the table of kinds, headings and choices in English so that a
file means the same in every language. The first column holds our id. An amount has a second column for its
currency, an address one column per part; several values stand on lines of their own, each after its label. A
record that another points to is named by its title where that is plain, else by its id.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import re
import zoneinfo
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

from babel.numbers import get_currency_precision

from app.errors import unwritten
from app.paths import Profile
from app.services.exchange.cells import defuse
from app.services.exchange.columns import LABELLED, MOMENT
from app.services.exchange.ports import Book
from app.services.exchange.relate import Index, index_of
from app.services.exchange.words import our_id
from app.services.unfinished import Unfinished
from sync.protocol import money
from sync.protocol.fields import (
    ADDRESS_PARTS,
    Address,
    Choice,
    Content,
    Field,
    Flag,
    Instant,
    Money,
    Ref,
    Several,
    Tags,
    Value,
)
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS, Kind

_PLAIN: Final = re.compile(r"[^;,\n；，、]+")
_PARTS_TAGS: Final = re.compile(r"[;,，；]")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

Cells = Callable[[Value], list[str]]


def export(profile: Profile, kind: Kind, book: Book, path: Path) -> int:
    """Write the records of a kind to `path`, readable by its person alone; gives back how many they are.

    Raises AppError when the file cannot be written; then there is none.
    """
    data, count = as_csv(kind, book)
    try:
        making = Unfinished(profile, path)
        try:
            with os.fdopen(making.handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            making.put_in_place()
        except OSError:
            making.leave()
            raise
    except OSError as error:
        raise unwritten(error) from error
    return count


def as_csv(kind: Kind, book: Book) -> tuple[bytes, int]:
    """The records of a kind as the bytes of a CSV file, and how many they are."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    shown = without_hidden(kind, book.hidden(kind))
    writer.writerow(headings(kind, shown))
    indexes = {f.type.to: index_of(book, KINDS[f.type.to]) for f in shown if isinstance(f.type, Ref)}
    row = row_of(shown, indexes)
    count = 0
    for record, values in book.records(kind):
        writer.writerow(row(record, values))
        count += 1
    return b"\xef\xbb\xbf" + text.getvalue().encode(), count


def without_hidden(kind: Kind, hidden: Collection[str]) -> tuple[Field, ...]:
    """The fields that go into a file: a mask brought in again elsewhere would be taken for a value."""
    return tuple(field for field in kind.fields if field.name not in hidden)


def row_of(
    fields: Iterable[Field], indexes: Mapping[str, Index]
) -> Callable[[bytes, Mapping[str, Value]], list[str]]:
    """How a record becomes its row; `indexes` know what references point to, by kind."""
    cells = [(field.name, _cells(field, indexes)) for field in fields]
    return lambda record, values: [id_text(record), *_row(cells, values)]


def headings(kind: Kind, fields: Iterable[Field] | None = None) -> list[str]:
    """The row of headings for these fields of a kind, for all of them where none are named."""
    found = [our_id(kind)]
    for field in kind.fields if fields is None else fields:
        if isinstance(field.type, Address):
            found += [f"{field.label} {part}" for part in ADDRESS_PARTS]
        elif isinstance(field.type, Money):
            found += [field.label, f"{field.label} currency"]
        else:
            found.append(field.label)
    return found


def _row(cells: Iterable[tuple[str, Cells]], values: Mapping[str, Value]) -> Iterable[str]:
    for name, write in cells:
        yield from write(values.get(name))


def _cells(field: Field, indexes: Mapping[str, Index]) -> Cells:
    """How a field's value becomes its cells; an empty value gives empty ones."""
    kind = field.type
    if isinstance(kind, Address):
        return lambda value: [defuse((value or {}).get(part, "")) for part in ADDRESS_PARTS]
    if isinstance(kind, Money):
        return lambda value: [_number(value), value["currency"]] if value else ["", ""]
    if isinstance(kind, Ref):
        index = indexes[kind.to]
        return lambda value: [_reference(index, value) if value else ""]
    if isinstance(kind, Choice):
        labels = dict(kind.choices)
        return lambda value: [defuse(str(labels.get(value, value))) if value else ""]
    if isinstance(kind, Flag):
        return lambda value: [{True: "yes", False: "no"}.get(value, "")]
    if isinstance(kind, Several):
        return lambda value: [defuse("\n".join(_element(kind, each) for each in value or ()))]
    if isinstance(kind, Tags):
        return lambda value: [defuse(_tags(value or ()))]
    if isinstance(kind, Content):  # never the key
        return lambda value: [str(value["size"]) if value else ""]
    if isinstance(kind, Instant):
        return lambda value: [_moment(value) if value else ""]
    return lambda value: ["" if value is None else defuse(str(value))]


def _number(amount: Mapping[str, Value]) -> str:
    """An amount with a point before the fraction, and no sign that could be one between thousands."""
    text = f"{money.decimal(amount['minor'], amount['currency']):f}"
    # Three digits after a point read as thousands; a fourth makes plain that they are a fraction.
    return f"{text}0" if get_currency_precision(amount["currency"]) == 3 else text


def _reference(index: Index, record: bytes) -> str:
    """A title that import takes for this record and no other, else the record's id."""
    title = index.titles.get(record)
    if title is not None and index.find(title)[0] == record:
        return defuse(title)
    return id_text(record)


def _element(kind: Several, element: Mapping[str, str]) -> str:
    """One of several values, after its label where it has one or would be read as two without."""
    label, value = element["label"], element["value"]
    plain = _PLAIN.fullmatch(value) and " ::: " not in value and not (kind.of == "email" and " " in value)
    if not label and plain and not LABELLED.fullmatch(value):
        return value
    escaped = label.replace("\\", "\\\\").replace(":", "\\:")
    return f"{escaped}: {value}"


def _tags(tags: Iterable[str]) -> str:
    """Tags on lines of their own; a line break at the end keeps a tag with a comma in one piece."""
    text = "\n".join(tags)
    return f"{text}\n" if "\n" not in text and _PARTS_TAGS.search(text) else text


def _moment(value: Mapping[str, Value]) -> str:
    """A moment with its offset and its zone; one beyond the calendar as its milliseconds."""
    zone = value["zone"]
    try:
        moment = _EPOCH + dt.timedelta(milliseconds=value["at"])
        local = moment.astimezone(_zone(zone))
        offset = local.utcoffset() or dt.timedelta()
        if offset % dt.timedelta(minutes=1):
            local = moment  # an offset with seconds, from before zones were
    except OverflowError:
        return str(value["at"])
    text = local.isoformat(" ", timespec="milliseconds")
    named = f"{text} {zone}"
    return named if MOMENT.fullmatch(named) else text


def _zone(name: str) -> dt.tzinfo:
    """The zone of that name, or UTC where this machine does not know it."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return dt.UTC
