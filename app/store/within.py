"""Words within one kind: all records that search's rule finds, by ranges of rowids and without an order.

search.py gives the best few of all kinds. A list that is narrowed needs every match, and a selection acts on all.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

from app.store import readings
from app.store.reader import Reader
from app.store.rows import CHUNK, marks
from app.store.schema import Shape
from app.store.words import DIGIT_RUN, Query, asked, matched_fields, paired

_PAIR: Final = 2


def found(store: Reader, shape: Shape, question: Query, first: int, last: int) -> array[int]:
    """Rowids from `first` to `last` of records that match, rising; deleted ones have no words."""
    if question.empty:
        return array("q")
    each = [_holding_term(store, shape, Query((term,)), first, last) for term in question.terms]
    likely = set.intersection(*each)
    sure = likely if _is_exact(question) else set()
    if question.phone and shape.has_find:
        likely |= _in_index(store, shape.find, asked(question), first, last)
    if question.sounds and shape.has_sounds:
        for at, term in enumerate(question.terms):
            if term in question.sounds:
                each[at] = each[at] | _in_index(store, shape.sounds, readings.asked(term), first, last)
        likely |= set.intersection(*each)
    held = holding(store, shape, question, array("q", sorted(likely - sure)))
    return array("q", sorted(sure.union(held)))


def holding(store: Reader, shape: Shape, question: Query, rowids: Sequence[int]) -> array[int]:
    """Those of these rowids whose record the rule finds, in their order."""
    kept = array("q")
    for at in range(0, len(rowids), CHUNK):
        some = rowids[at : at + CHUNK]
        rows = store.db.all(f"{shape.select} WHERE _rowid IN ({marks(len(some))})", some)
        there = {row[0] for row in rows if matched_fields(shape.kind, shape.stored(row).values, question)}
        kept.extend(rowid for rowid in some if rowid in there)
    return kept


def _holding_term(store: Reader, shape: Shape, term: Query, first: int, last: int) -> set[int]:
    """A term may stand in either index."""
    likely: set[int] = set()
    for index, there in ((shape.find, shape.has_find), (shape.notes, shape.has_notes)):
        if there:
            likely |= _in_index(store, index, asked(term), first, last)
    return likely


def _in_index(store: Reader, index: str, terms: str, first: int, last: int) -> set[int]:
    rows = store.db.all(
        f'SELECT rowid FROM "{index}" WHERE "{index}" MATCH ? AND rowid >= ? AND rowid <= ?',
        (terms, first, last),
    )
    return {rowid for (rowid,) in rows}


def _is_exact(question: Query) -> bool:
    """Whether the index of words alone tells: longer unspaced runs and runs of digits it knows by their pieces."""
    return all(
        len(term) <= _PAIR if paired(term) else len(term) < DIGIT_RUN or not term.isdecimal()
        for term in question.terms
    )
