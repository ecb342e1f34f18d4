"""Words within one kind: all records that search's rule finds, by ranges of rowids and without an order.

search.py gives the best few of all kinds. A list that is narrowed needs every match, and a selection acts on all.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from app.store import indexing, phones, readings, spellings
from app.store.reader import Reader
from app.store.rows import CHUNK, marks
from app.store.schema import Shape
from app.store.tokens import Index
from app.store.words import Query, matched_fields, paired

_PAIR = 2


def found(store: Reader, shape: Shape, question: Query, first: int, last: int) -> array[int]:
    """Rowids from `first` to `last` of records that match, rising; deleted ones have no words."""
    if question.empty:
        return array("q")
    missing = indexing.below(store.db, shape)
    if first < missing:  # the index does not hold them yet: they are read
        rows = store.db.all(
            f'SELECT _rowid FROM "{shape.table}" WHERE _deleted = 0 AND _rowid >= ? AND _rowid <= ? ORDER BY _rowid',
            (first, last),
        )
        return holding(store, shape, question, array("q", (rowid for (rowid,) in rows)))
    asked = _asked(Index(store.db, shape.index), question)
    if not asked:
        return array("q")
    rows = store.db.all(
        f'SELECT rowid FROM "{shape.index}" WHERE "{shape.index}" MATCH ? AND rowid >= ? AND rowid <= ? ORDER BY rowid',
        (asked, first, last),
    )
    likely = array("q", (rowid for (rowid,) in rows))
    return likely if _is_exact(question) else holding(store, shape, question, likely)


def holding(store: Reader, shape: Shape, question: Query, rowids: Sequence[int]) -> array[int]:
    """Those of these rowids whose record the rule finds, in their order."""
    kept = array("q")
    for at in range(0, len(rowids), CHUNK):
        some = rowids[at : at + CHUNK]
        rows = store.db.all(f"{shape.select} WHERE _rowid IN ({marks(len(some))})", some)
        there = {row[0] for row in rows if matched_fields(shape.kind, shape.stored(row).values, question)}
        kept.extend(rowid for rowid in some if rowid in there)
    return kept


def _asked(index: Index, question: Query) -> str:
    """The question in the index's own words: a little wider than the rule; "" where no row holds it."""
    each: list[str] = []
    for term in question.terms:
        said = [way.exact() for way in (index.word(term, question), index.note(term)) if way is not None]
        if term in question.sounds:
            said.append(readings.asked(term))
        each.append(" OR ".join(f"({way})" for way in said))
    phone = phones.any_asked(question.phones)
    words = " AND ".join(f"({said})" for said in each) if all(each) else ""
    return " OR ".join(f"({said})" for said in (words, phone) if said)


def _is_exact(question: Query) -> bool:
    """Whether the index alone tells: longer unspaced runs, numbers, sounds and pairs for ä it knows by their pieces."""
    return not question.sounds and all(
        len(term) <= _PAIR
        if paired(term)
        else term.isalpha() and not any(spellings.has_pair(form) for form in question.forms(term))
        for term in question.terms
    )
