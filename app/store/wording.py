"""Conditions on the words of one field, asked of the search index first: it leads to few rows, and these are read.

Words in a field are found by the rule of search: where a word begins so, anywhere in a run of an unspaced script,
anywhere in a phone number's digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from app.store import indexing, readings
from app.store.reader import Reader
from app.store.schema import Shape
from app.store.tokens import Index
from app.store.words import DIGIT_RUN, Query, asked_phone, digits, fold, paired, query
from sync.protocol.fields import Field, Find

FEW: Final = 2_000  # rows that are read one by one rather than met along an order

Span = tuple[int, int]  # rowids
Said = tuple[str, list[Any]]


def has(shape: Shape, field: Field, text: str) -> Said:
    """Whether every word of a text is in a field, told by the row."""
    return f"""holding('{shape.kind.name}', '{field.name}', "{shape.table}"."{field.name}", ?)""", [text]


def through_index(store: Reader, shape: Shape, field: Field, text: str, span: Span | None) -> Said | None:
    """A condition that leads to all rows with every word of a text in a field, and to some more; None where none does.

    With `span`, to those of these rowids.
    """
    if field.find is Find.NO or indexing.below(store.db, shape):
        return None
    asked = _asked(Index(store.db, shape.index), field, query(text))
    if not asked:
        return None if asked is None else ("0", [])
    within = f'SELECT rowid FROM "{shape.index}" WHERE "{shape.index}" MATCH ?'
    if span is not None:
        return f'"{shape.table}"._rowid IN ({within} AND rowid >= ? AND rowid <= ?)', [asked, *span]
    some = store.db.one(f"SELECT count(*) FROM ({within} LIMIT {FEW + 1})", (asked,))[0]
    # Very many of them would be read and sorted before the first page is there: met along its order they are looked up.
    lead = "" if some <= FEW else "+"
    return f'{lead}"{shape.table}"._rowid IN ({within})', [asked]


def is_run(text: str) -> bool:
    """Whether a text is one run of an unspaced script: wherever it stands, search finds it."""
    found = query(text).terms
    return len(found) == 1 and found[0] == fold(text) and paired(found[0])


def _asked(index: Index, field: Field, question: Query) -> str | None:
    """The words in the index's own words; "" where no row has them, None where the index cannot be asked."""
    if field.find is Find.DIGITS:
        runs = [question.phone] if question.phone else [digits(term) for term in question.terms]
        runs = [run for run in runs if len(run) >= DIGIT_RUN]
        return " AND ".join(f"({asked_phone(run)})" for run in runs) or None
    if question.empty:
        return None
    each = list(_terms(index, field, question))
    return " AND ".join(f"({said})" for said in each) if all(each) else ""


def _terms(index: Index, field: Field, question: Query) -> Iterator[str]:
    for term in question.terms:
        way = index.note(term) if field.find is Find.NOTES else index.word(term)
        said = [] if way is None else [way.exact()]
        if field.find is Find.NAME and term in question.sounds:
            said.append(readings.asked(term))
        yield " OR ".join(f"({each})" for each in said)
