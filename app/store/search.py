"""Finds records by what a person types, by the rule of words.py: names first, then words, sounds and notes.

The index answers a little more than the rule allows (pairs of characters may stand apart, see tokens.py), so each
record is read and checked before it counts. What is not in the index yet (indexing.py) is found by its name alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from app.store import phones, readings
from app.store.reader import Reader
from app.store.records import Record, record_of
from app.store.rows import marks
from app.store.schema import Shape
from app.store.tokens import Index, Said
from app.store.words import Query, fold_key, matched_fields, query
from sync.protocol.fields import Find
from sync.protocol.kinds import Kind

TURN: Final = 5  # records of one kind before those of the next have their turn
PIECE: Final = 32  # rows read and checked at once, when those of the first turn were not enough
_SAMPLE: Final = 32  # rows after which it shows whether the quick way gives too many that do not match
_WASTE: Final = 4  # rows read for one that matches, at most
_LAST: Final = "\U0010ffff"
_NEWEST: Final = 2**63 - 1

Ways = list[Said]  # in which a term is asked for, each of which is enough


class Hit(msgspec.Struct, frozen=True):
    """A found record and the fields that hold what was asked for, best first."""

    record: Record
    fields: tuple[str, ...]


def find(
    store: Reader, text: str, *, kinds: Sequence[Kind] | None = None, limit: int = 50, glance: bool = False
) -> list[Hit]:
    """Kept records that match `text`: names that are just this; names that begin so, by name; others by words and
    numbers; by sounds; by notes.

    The others come newest first within their kind, and of every kind a few come before the next few of the first.
    With `glance`, notes are left for later once anything was found.
    """
    question = query(text)
    if question.empty or limit < 1:
        return []
    kept = store.counts()
    names = [kind.name for kind in kinds] if kinds is not None else list(store.shapes)
    searches = [_Search(store, store.shapes[name], question, text) for name in names if kept[name]]
    found: list[Hit] = []
    for tier in _TIERS:
        if len(found) >= limit or (glance and found and tier is _Search.by_notes):
            break
        with contextlib.ExitStack() as open_:
            streams = [open_.enter_context(contextlib.closing(tier(search))) for search in searches]
            found += islice(_by_turns(streams), limit - len(found))
    return found


def _by_turns(streams: Sequence[Iterator[Hit]]) -> Iterator[Hit]:
    """A few of each, as long as there are any: a thousand deals shall not stand before the product they name."""
    while streams:
        left = []
        for stream in streams:
            some = list(islice(stream, TURN))
            yield from some
            if len(some) == TURN:
                left.append(stream)
        streams = left


class _Search:
    """One question to one kind; what an earlier tier has given, a later one does not give again."""

    def __init__(self, store: Reader, shape: Shape, question: Query, text: str) -> None:
        self._db = store.db
        self._shape = shape
        self._question = question
        self._text = text
        self._read: set[int] = set()  # rows: what the rule says of one, it says at each tier
        self._index = Index(store.db, shape.index)
        self._words: list[Ways] = [[] for _term in question.terms]
        self._sounds: list[Ways] = [[] for _term in question.terms]

    def by_whole_name(self) -> Generator[Hit, None, None]:
        """Names that are what was typed, but for case, accents and spaces."""
        begin = fold_key(self._text)
        yield from self._named("_key = ?", (begin,) if begin else ())

    def by_name(self) -> Generator[Hit, None, None]:
        """Names that begin with the whole of what was typed."""
        begin = fold_key(self._text)
        yield from self._named("_key >= ? AND _key < ?", (begin, begin + _LAST) if begin else ())

    def _named(self, condition: str, values: tuple[str, ...]) -> Iterator[Hit]:
        shape = self._shape
        if shape.kind.by_name[shape.kind.title].find is not Find.NAME or not values:
            return
        sql = f"{shape.select} WHERE _deleted = 0 AND {condition} ORDER BY _key, _rowid"
        with contextlib.closing(self._db.pieces(sql, values, size=TURN)) as pieces:
            rows, size = next(pieces), TURN
            while True:
                for row in rows:
                    if row[0] not in self._read and (hit := self._hit(row)) is not None:
                        yield hit
                    self._read.add(row[0])
                if len(rows) < size:
                    return
                rows, size = pieces.send(PIECE), PIECE

    def by_words(self) -> Generator[Hit, None, None]:
        """Every term, or the phone number, among names, words and numbers."""
        question = self._question
        said = [self._index.word(term, question) for term in question.terms]
        self._words = [[] if each is None else [each] for each in said]
        phone = phones.any_asked(tuple(run for run in question.phones if question.terms != (run,)))
        if all(self._words):
            yield from self._checked(self._words, phone)
        elif phone:
            yield from self._checked([[_just(phone)]])

    def by_sounds(self) -> Generator[Hit, None, None]:
        """Terms of which at least one is how a name sounds; the others so too, or among words."""
        if not self._question.sounds:
            return
        for at, term in enumerate(self._question.terms):
            if term in self._question.sounds:
                self._sounds[at] = [_just(readings.asked(term))]
        either = [words + sounds for words, sounds in zip(self._words, self._sounds, strict=True)]
        for at, sounds in enumerate(self._sounds):
            # The first of them that is no word: so nothing that was found by words is asked for again.
            each = [*self._words[:at], sounds, *either[at + 1 :]]
            if all(each):
                yield from self._checked(each)

    def by_notes(self) -> Generator[Hit, None, None]:
        """Terms of which at least one stands in the notes; the others there or anywhere else."""
        noted = [self._index.note(term) for term in self._question.terms]
        if not any(noted):
            return
        each = [
            [*words, *sounds, *([said] if said is not None else [])]
            for words, sounds, said in zip(self._words, self._sounds, noted, strict=True)
        ]
        if all(each):
            yield from self._checked(each)

    def _checked(self, terms: Sequence[Ways], phone: str = "") -> Iterator[Hit]:
        """The rows that the index leads to, newest first, without those that the rule does not let pass.

        First by the quick ways, and when these lead to too many other rows, on by the exact ones.
        """
        quick = " AND ".join(said for ways in terms if (said := _quick(ways)))
        exact = False
        below, read, passed, size = _NEWEST, 0, 0, TURN
        if not quick:
            exact, quick = True, _exact(terms)
        while quick:
            asked = f"({quick}) OR ({phone})" if phone else quick
            with contextlib.closing(self._rowids(asked, below)) as rowids:
                while some := list(islice(rowids, size)):
                    size = PIECE
                    new = [rowid for rowid in some if rowid not in self._read]
                    self._read.update(new)
                    for row in self._rows(new):
                        if (hit := self._hit(row)) is not None:
                            passed += 1
                            yield hit
                    read, below = read + len(new), some[-1] - 1
                    if not exact and read >= _SAMPLE and passed * _WASTE < read:
                        break
                else:
                    return
            exact, quick = True, _exact(terms)

    def _rowids(self, asked: str, below: int) -> Generator[int, None, None]:
        name = self._shape.index
        sql = f'SELECT rowid FROM "{name}" WHERE "{name}" MATCH ? AND rowid <= ? ORDER BY rowid DESC'
        with contextlib.closing(self._db.pieces(sql, (asked, below), size=TURN)) as pieces:
            some, size = next(pieces), TURN
            while True:
                for (rowid,) in some:
                    yield rowid
                if len(some) < size:
                    return
                size = PIECE
                some = pieces.send(size)

    def _rows(self, rowids: Sequence[int]) -> list[tuple[object, ...]]:
        sql = f"{self._shape.select} WHERE _deleted = 0 AND _rowid IN ({marks(len(rowids))}) ORDER BY _rowid DESC"
        return self._db.all(sql, tuple(rowids)) if rowids else []

    def _hit(self, row: tuple[object, ...]) -> Hit | None:
        """The row as a hit, when the rule lets it pass."""
        stored = self._shape.stored(row)
        fields = matched_fields(self._shape.kind, stored.values, self._question)
        return Hit(record_of(self._shape, stored), tuple(fields)) if fields else None


def _just(said: str) -> Said:
    return Said(lambda: said, said)


def _quick(ways: Ways) -> str:
    """The quick way to ask for a term; "" where it has to be told by the rows that others lead to."""
    said = [each.quick for each in ways]
    return "" if None in said else f"({' OR '.join(f'({each})' for each in said)})"


def _exact(terms: Sequence[Ways]) -> str:
    return " AND ".join(f"({' OR '.join(f'({said.exact()})' for said in ways)})" for ways in terms)


_TIERS: Final = (
    _Search.by_whole_name, _Search.by_name, _Search.by_words, _Search.by_sounds, _Search.by_notes
)  # fmt: skip
