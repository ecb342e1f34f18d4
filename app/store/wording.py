"""Conditions on the words of one field, asked of the search index first: it leads to few rows, and these are read.

Words in a field are found by the rule of search: where a word begins so, anywhere in a run of an unspaced script,
anywhere in a phone number's digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from app.store import indexing, phones, readings
from app.store.filters import Asks, Condition
from app.store.reader import Reader
from app.store.schema import Shape
from app.store.tokens import Index
from app.store.words import Query, fold, paired, query
from sync.protocol.fields import Field, Find, Several

FEW: Final = 2_000  # rows that are read one by one rather than met along an order

Span = tuple[int, int]  # rowids
Said = tuple[str, list[Any]]


def has(shape: Shape, field: Field, text: str, part: str = "") -> Said:
    """Whether every word of a text is in a field, or in a part of it, told by the row."""
    held = f"""'{shape.kind.name}', '{field.name}', "{shape.table}"."{field.name}\""""
    return (f"holding({held}, ?, ?)", [text, part]) if part else (f"holding({held}, ?)", [text])


def of_part(shape: Shape, field: Field, condition: Condition) -> Said:
    """A condition on one part of a field, told by the row: on a part of an address, or on values of one label."""
    if condition.test is Asks.HAS:
        return has(shape, field, condition.values[0], condition.part)
    several = isinstance(field.type, Several)
    is_part = "json_extract(e.value, '$.label') = ?" if several else "e.key = ?"
    parts = f'SELECT 1 FROM json_each("{shape.table}"."{field.name}") e WHERE {is_part}'
    if condition.test is Asks.EMPTY:
        return f"NOT EXISTS ({parts})", [condition.part]
    value = "json_extract(e.value, '$.value')" if several else "e.value"
    return f"EXISTS ({parts} AND folded({value}) = ?)", [condition.part, fold(condition.values[0])]


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
        if question.phones:
            return phones.any_asked(question.phones)
        runs = [phones.digits(term) for term in question.terms]
        return " AND ".join(f"({phones.asked(run)})" for run in runs if len(run) >= phones.DIGIT_RUN) or None
    if question.empty:
        return None
    each = list(_terms(index, field, question))
    return " AND ".join(f"({said})" for said in each) if all(each) else ""


def _terms(index: Index, field: Field, question: Query) -> Iterator[str]:
    for term in question.terms:
        way = index.note(term) if field.find is Find.NOTES else index.word(term, question)
        said = [] if way is None else [way.exact()]
        if field.find is Find.NAME and term in question.sounds:
            said.append(readings.asked(term))
        yield " OR ".join(f"({each})" for each in said)
