"""New rows by the straight road: from a server's cells to columns and search words in one pass.

Most of what a server sends is new here and ordinary: nothing was there before, nothing waits on top, every cell is one
that this version knows. A row of which that is not so goes the general road (schema.Shape.split, rows.write), and both
roads lay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from app.store import rows
from app.store.db import Database
from app.store.schema import HOLDS, OURS, WIDE, Shape, columns_of
from app.store.words import texts_from
from sync.protocol.fields import Field, FieldType, Find, Tags, Value

_Words = Callable[[Value], Iterable[str]]
_Columns = Callable[[Value], tuple[Any, ...]]
_KEY: Final = [name for name, _sql in OURS].index("_key")


class New(NamedTuple):
    """A record that is not here yet, as the server has it."""

    id: bytes
    ver: int
    conflicts: int
    changed_ms: int
    changed_by: str
    cells: Mapping[str, Any]


class Road:
    """The straight road of one kind: where each cell goes, read off the table of kinds once."""

    def __init__(self, shape: Shape) -> None:
        self.shape: Final = shape
        self._title: Final = shape.place(shape.kind.title)
        self._named: Final = tuple(shape.place(f.name) for f in shape.kind.searched(Find.NAME))
        # By cell: its place in a row, what it holds there, and where its text is searched.
        self._plain: Final[dict[str, tuple[int, Any, int | None]]] = {}
        self._made: Final[dict[str, tuple[int, Field, int | None, _Words]]] = {}
        self._lists: Final[dict[str, tuple[int, _Columns, int | None, _Words]]] = {}
        self._several: Final = {f.name: isinstance(f.type, Tags) for f in shape.kind.fields if f.type.several}
        for f, width in shape.fields:
            at, into = shape.place(f.name), _searched(f)
            if f.type.several:
                self._lists[f.name] = (at, f.type.to_columns, into, f.type.words)
            elif width == 1 and type(f.type).to_columns is FieldType.to_columns:
                holds, own = HOLDS[f.type.sql[0][1]], type(f.type).words is FieldType.words
                self._plain[f.name] = (at, holds, into if own and holds is str else None)
            else:
                self._made[f.name] = (at, f, into, f.type.words)

    def lay(self, new: New) -> tuple[list[Any], tuple[str, ...]] | None:
        """The columns of a record, and its texts in `searches`; None for one of the general road."""
        shape, plain = self.shape, self._plain
        row: list[Any] = [
            new.id,
            new.ver,
            0,
            0,
            new.conflicts,
            new.changed_ms,
            new.changed_by,
            "",
            None,
            *shape.empty,
        ]
        short: list[str] = []
        phones: list[str] = []
        long: list[str] = []
        texts = (short, phones, long)
        lists: dict[str, list[Any]] = {}
        for cell, value in new.cells.items():
            if (way := plain.get(cell)) is not None:
                at, holds, into = way
                if type(value) is holds and (holds is not int or -WIDE <= value < WIDE):
                    row[at] = value
                    if into is not None:
                        texts[into].append(value)
                elif value is not None:
                    return None
            elif value is None:
                continue
            elif (made := self._made.get(cell)) is not None:
                at, field, into, words = made
                columns = columns_of(field, value)
                if columns is None:
                    return None
                row[at : at + len(columns)] = columns
                if into is not None:
                    texts[into].extend(words(value))
            else:
                name, slash, element = cell.partition("/")
                tags = self._several.get(name)
                if tags is None or not slash:
                    return None
                one = _tag(element, value) if tags else _element(element, value)
                if one is None:
                    return None
                lists.setdefault(name, []).append(one)
        for name, elements in lists.items():
            at, to_columns, into, words = self._lists[name]
            if self._several[name]:
                elements.sort()
            (row[at],) = to_columns(elements)
            if into is not None:
                texts[into].extend(words(elements))
        row[_KEY] = shape.key({shape.kind.title: row[self._title]})
        return row, texts_from(short, phones, long, [row[at] for at in self._named], shape.known)


def _tag(tag: str, value: Any) -> str | None:
    return tag if value is True else None


def _element(id_: str, value: Any) -> dict[str, Any] | None:
    return {"id": id_, **value} if type(value) is dict and type(value.get("value")) is str else None


def lay_in(db: Database, road: Road, new: Sequence[New]) -> list[New]:
    """Put new rows in with search words, count and totals; those of the general road are given back. In a transaction.

    No row of these ids is here.
    """
    shape = road.shape
    (free,) = db.one(f'SELECT coalesce(max(_rowid), 0) + 1 FROM "{shape.table}"')
    inserts: list[list[Any]] = []
    come: list[list[Any]] = []
    words: tuple[list[tuple[int, str]], ...] = tuple([] for _index in shape.searches)
    others: list[New] = []
    for each in new:
        laid = road.lay(each)
        if laid is None:
            others.append(each)
            continue
        row, texts = laid
        rowid = free + len(inserts)
        inserts.append([rowid, *row])
        come.append(row)
        for text, into in zip(texts, words, strict=True):
            if text:
                into.append((rowid, text))
    if inserts:
        db.executemany(shape.insert, inserts)
        for index, some in zip(shape.searches, words, strict=True):
            if some:
                db.executemany(rows.PUT.format(index), some)
        rows.added(db, shape, come)
    return others


def _searched(field: Field) -> int | None:
    """Which of the gathered texts a field's go to: words, phones or notes; None where nobody looks for them."""
    return {Find.NO: None, Find.NOTES: 2, Find.DIGITS: 1}.get(field.find, 0)
