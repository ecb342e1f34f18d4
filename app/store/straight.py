"""Ordinary rows by the straight road: from a server's cells to columns and search words in one pass.

Most of what a server sends is ordinary: new here, or a kept row on which nothing waits, and every cell is one that this
version knows. A row of which that is not so goes the general road (schema.Shape.split, rows.write), and both roads lay
the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

from app.store import keyed, rows, tallies
from app.store.db import Database
from app.store.schema import HOLDS, NUMBER, OURS, WIDE, Shape, columns_of, is_element
from app.store.words import text_from
from sync.protocol.fields import Address, Field, FieldType, Find, Tags, Value

_Words = Callable[[Value], Iterable[str]]
_Columns = Callable[[Value], tuple[Any, ...]]
Texts = tuple[list[str], list[str], list[str]]  # names and words, phones, notes

_OURS: Final = {name: at for at, (name, _sql) in enumerate(OURS)}
_KEY: Final = _OURS["_key"]
_MS: Final = _OURS["_changed_ms"]
_TOLD: Final = frozenset(_OURS[name] for name in ("_ver", "_changed_ms", "_changed_by"))
# Places in what `select` reads, which begins with the rowid.
VER: Final = 1 + _OURS["_ver"]
DELETED: Final = 1 + _OURS["_deleted"]
_WAITING: Final = 1 + _OURS["_waiting"]
_EXT: Final = 1 + _OURS["_ext"]


class New(NamedTuple):
    """A record as the server has it; `raw` is its row as it is here, None for one that is not."""

    id: bytes
    ver: int
    conflicts: int
    changed_ms: int
    changed_by: str
    cells: Mapping[str, Any]
    raw: tuple[Any, ...] | None = None


class Road:
    """The straight road of one kind: where each cell goes, read off the table of kinds once."""

    def __init__(self, shape: Shape) -> None:
        self.shape: Final = shape
        self._title: Final = shape.place(shape.kind.title)
        kind = shape.kind
        self.named: Final = tuple(shape.place(f.name) for f in kind.searched(Find.NAME))
        self.searched: Final = frozenset(shape.place(f.name) for f in kind.fields if f.find is not Find.NO)
        self.called: Final = frozenset(shape.place(n) for n in (kind.title, NUMBER) if n in kind.by_name)
        self.shown: Final = frozenset(
            (_OURS["_conflicts"], *range(len(OURS), len(OURS) + len(shape.columns)))
        )
        self._json: Final = {
            shape.place(f.name): f.type.from_columns
            for f, _width in shape.fields
            if f.type.several or isinstance(f.type, Address)
        }
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

    def lay(self, new: New) -> tuple[list[Any], Texts] | None:
        """The columns of a record, and what is searched in it; None for one of the general road."""
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
        texts: Texts = ([], [], [])
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
        return row, texts

    def same(self, at: int, one: Any, other: Any) -> bool:
        """Whether two texts of a column say the same: of JSON the order of its names does not count."""
        if at not in self._json or one is None or other is None:
            return False
        return bool(self._json[at]((one,)) == self._json[at]((other,)))


def _tag(tag: str, value: Any) -> str | None:
    return tag if value is True else None


def _element(id_: str, value: Any) -> dict[str, Any] | None:
    return {"id": id_, **value} if type(value) is dict and is_element(value) else None


def takes(raw: tuple[Any, ...] | None) -> bool:
    """Whether a row, as `select` read it, is none or an ordinary one: kept, called something, and nothing waits."""
    return raw is None or (not (raw[DELETED] or raw[_WAITING] or raw[_EXT]) and bool(raw[_KEY + 1]))


def lay_in(db: Database, road: Road, some: Sequence[New]) -> tuple[list[bytes], list[New]]:
    """Put rows in with search words, count and totals; the ids of those that look different now, and those of the
    general road, of which nothing was done. In a transaction.
    """
    shape = road.shape
    laying = _Laying(road, db.one(f'SELECT coalesce(max(_rowid), 0) + 1 FROM "{shape.table}"')[0])
    others: list[New] = []
    for each in some:
        laid = road.lay(each)
        if laid is None:
            others.append(each)
        elif each.raw is None:
            laying.add(each, *laid)
        else:
            laying.change(each.raw, *laid)
    laying.write(db)
    return laying.different, others


class _Laying:
    """What is to be written, gathered by statement."""

    def __init__(self, road: Road, free: int) -> None:
        self._road = road
        self._free = free
        self.different: list[bytes] = []
        self._inserts: list[list[Any]] = []
        self._updates: dict[tuple[int, ...], list[list[Any]]] = {}
        self._gone: list[tallies.Row] = []
        self._come: list[tallies.Row] = []
        self._called = 0
        self._told: list[int] = []
        self._put: list[tuple[int, str]] = []
        self._taken: list[tuple[int]] = []

    def add(self, new: New, row: list[Any], texts: Texts) -> None:
        """A row that is not here yet."""
        rowid = self._free + len(self._inserts)
        self._inserts.append([rowid, *row])
        self._come.append(row)
        self._called += 1
        self.different.append(new.id)
        if text := self._text(row, texts):
            self._put.append((rowid, text))

    def change(self, raw: tuple[Any, ...], row: list[Any], texts: Texts) -> None:
        """A row that is here and may be another one now."""
        road, rowid, before = self._road, raw[0], raw[1:]
        if not row[_MS]:  # nobody said when it was changed
            row[_MS : _MS + 2] = before[_MS : _MS + 2]
        places = tuple([at for at, value in enumerate(row) if value != before[at]])
        differs = {at for at in places if at in road.shown and not road.same(at, before[at], row[at])}
        if differs:
            self.different.append(row[0])
        elif not _TOLD.intersection(places):
            return
        self._updates.setdefault(places, []).append([*[row[at] for at in places], rowid])
        self._called += not differs.isdisjoint(road.called)
        if not road.shape.telling.isdisjoint(places):
            self._told.append(rowid)
        if not road.shape.tallied.isdisjoint(places):
            self._gone.append(before)
            self._come.append(row)
        if not differs.isdisjoint(road.searched):
            text = self._text(row, texts)
            if text:
                self._put.append((rowid, text))
            else:
                self._taken.append((rowid,))

    def _text(self, row: list[Any], texts: Texts) -> str:
        """What search finds a row by."""
        return text_from(*texts, [row[at] for at in self._road.named], self._road.shape.known)

    def write(self, db: Database) -> None:
        """All of it."""
        shape = self._road.shape
        if self._inserts:
            db.executemany(shape.insert, self._inserts)
            keyed.note_new(db, shape, self._free, len(self._inserts))
            db.execute(
                "UPDATE counts SET kept = kept + ? WHERE kind = ?", (len(self._inserts), shape.kind.name)
            )
        for places, some in self._updates.items():
            some.sort(key=itemgetter(-1))  # by rowid: pages of the table in their order
            db.executemany(shape.update(places), some)
        keyed.note(db, shape, self._told)
        rows.write_words(db, shape.index, self._put, self._taken)
        tallies.move(db, shape.tallies, self._gone, self._come, leaving=False)
        shape.turns += self._called


def _searched(field: Field) -> int | None:
    """Which of the gathered texts a field's go to: words, phones or notes; None where nobody looks for them."""
    return {Find.NO: None, Find.NOTES: 2, Find.DIGITS: 1}.get(field.find, 0)
