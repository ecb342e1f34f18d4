"""Finds records by what a person types: names that begin so first, then every other field, by the rule of words.py.

The index answers a little more than the rule allows (pairs of characters may stand apart), so each record is
read and checked before it counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.store import lists
from app.store.reader import Reader
from app.store.records import Record, record_of
from app.store.schema import Shape
from app.store.words import Query, asked, fold_key, matched_fields, query
from sync.protocol.fields import Find
from sync.protocol.kinds import Kind

PIECE: Final = 64  # rows read and checked at once
_LAST: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Hit:
    """A found record and the fields that hold what was asked for, best first."""

    record: Record
    fields: tuple[str, ...]


def find(store: Reader, text: str, *, kinds: Sequence[Kind] | None = None, limit: int = 50) -> list[Hit]:
    """Kept records that match `text`: those whose name begins so, by name, then the others, newest first."""
    question = query(text)
    if question.empty or limit < 1:
        return []
    shapes = [store.shapes[kind.name] for kind in kinds] if kinds is not None else list(store.shapes.values())
    found: dict[bytes, Hit] = {}
    for tier in (_by_name, _by_words, _by_notes):
        for shape in shapes:
            for hit in tier(store, shape, question, text):
                found.setdefault(hit.record.id, hit)
                if len(found) >= limit:
                    return list(found.values())
    return list(found.values())


def _by_name(store: Reader, shape: Shape, question: Query, text: str) -> Iterator[Hit]:
    """Names that begin with the whole of what was typed."""
    begin = fold_key(text)
    if shape.kind.by_name[shape.kind.title].find is not Find.NAME or not begin:
        return
    after = (begin, 0)
    while True:
        rows = store.db.all(
            f"{shape.select} WHERE _deleted = 0 AND (_key, _rowid) > (?, ?) AND _key < ?"
            " ORDER BY _key, _rowid LIMIT ?",
            (*after, begin + _LAST, PIECE),
        )
        for row in rows:
            record = record_of(shape, shape.stored(row))
            fields = matched_fields(shape.kind, record.values, question)
            if fields:
                yield Hit(record, tuple(fields))
            after = (shape.key(record.values), row[0])
        if len(rows) < PIECE:
            return


def _by_words(store: Reader, shape: Shape, question: Query, _text: str) -> Iterator[Hit]:
    """Every term, or the phone number, in the index of names, words and numbers."""
    if shape.has_find:
        table = shape.find
        sql = f'SELECT rowid FROM "{table}" WHERE "{table}" MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?'
        yield from _checked(store, shape, question, sql, (asked(question),))


def _by_notes(store: Reader, shape: Shape, question: Query, _text: str) -> Iterator[Hit]:
    """Terms of which at least one stands in the notes; the others there or anywhere else."""
    if not shape.has_notes:
        return
    one = f'SELECT rowid FROM "{shape.notes}" WHERE "{shape.notes}" MATCH ?'
    if shape.has_find:
        one += f' UNION SELECT rowid FROM "{shape.find}" WHERE "{shape.find}" MATCH ?'
    each = [asked(Query((term,))) for term in question.terms]
    # One term alone in the other index was found already; so the notes must hold one, and that bounds the work.
    some = f'SELECT rowid FROM "{shape.notes}" WHERE "{shape.notes}" MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?'
    if len(each) == 1:
        yield from _checked(store, shape, question, some, (each[0],))
        return
    asked_all = " AND ".join(f"+rowid IN ({one})" for _term in each)
    values = [term for term in each for _index in range(2 if shape.has_find else 1)]
    sql = (
        f'SELECT rowid FROM "{shape.notes}" WHERE "{shape.notes}" MATCH ? AND {asked_all}'
        " AND rowid < ? ORDER BY rowid DESC LIMIT ?"
    )
    yield from _checked(store, shape, question, sql, (" OR ".join(each), *values))


def _checked(
    store: Reader, shape: Shape, question: Query, sql: str, values: tuple[str, ...]
) -> Iterator[Hit]:
    """The rows that a question of the index gives, newest first, without those that the rule does not let pass."""
    before = 2**63 - 1
    while True:
        rowids = [rowid for (rowid,) in store.db.all(sql, (*values, before, PIECE))]
        for record in lists.by_rowids(store, shape.kind, rowids):
            fields = matched_fields(shape.kind, record.values, question)
            if fields and not record.deleted:
                yield Hit(record, tuple(fields))
        if len(rowids) < PIECE:
            return
        before = rowids[-1]
