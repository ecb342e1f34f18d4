"""Finds records by what a person types, by the rule of words.py: names first, then words, sounds and notes.

The index answers a little more than the rule allows (pairs of characters may stand apart, see tokens.py), so each
record is read and checked before it counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from app.store import readings
from app.store.reader import Reader
from app.store.records import Record, record_of
from app.store.rows import marks
from app.store.schema import Shape
from app.store.tokens import NEWEST, Index, Said, leap
from app.store.words import Query, asked_phone, fold_key, matched_fields, query
from sync.protocol.fields import Find
from sync.protocol.kinds import Kind

TURN: Final = 5  # records of one kind before those of the next have their turn
PIECE: Final = 32  # rows read and checked at once, when those of the first turn were not enough
_SAMPLE: Final = 32  # rows after which it shows whether the quick way gives too many that do not match
_WASTE: Final = 4  # rows read for one that matches, at most
_FEW: Final = 64  # rows that are read rather than looked for in other streams
_LAST: Final = "\U0010ffff"

Streams = list[list[tuple[str, str]]]
Ways = dict[str, Said]  # indexes that may hold a term, and how each is asked for it


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
        self._given: set[int] = set()
        self._ways: list[Ways] = [{} for _term in question.terms]

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
                    yield from self._hit(row)
                if len(rows) < size:
                    return
                rows, size = pieces.send(PIECE), PIECE

    def by_words(self) -> Generator[Hit, None, None]:
        """Every term, or the phone number, in the index of names, words and numbers."""
        shape, question = self._shape, self._question
        if not shape.has_find:
            return
        index = Index(self._db, shape.find, beginnings=True)
        found = [index.say(term) for term in question.terms]
        self._ways = [{} if each is None else {shape.find: each} for each in found]
        there = [each for each in found if each is not None]
        quick, exact = [], []
        if len(there) == len(found):
            quick.append("(" + " AND ".join(each.quick or each.exact for each in there) + ")")
            exact.append("(" + " AND ".join(each.exact for each in there) + ")")
        if question.phone and question.terms != (question.phone,):
            quick.append(f"({asked_phone(question.phone)})")
            exact.append(quick[-1])
        if quick:
            yield from self._checked(
                [[(shape.find, " OR ".join(quick))]], [[(shape.find, " OR ".join(exact))]]
            )

    def by_sounds(self) -> Generator[Hit, None, None]:
        """Terms of which at least one is how a name sounds; the others so too, or in the index of words."""
        shape, ways = self._shape, self._ways
        if not shape.has_sounds or not self._question.sounds:
            return
        heard: list[Ways] = [{} for _term in ways]
        for at, term in enumerate(self._question.terms):
            if term in self._question.sounds:
                asked = readings.asked(term)
                heard[at] = {shape.sounds: Said(asked, asked)}
        either = self._ways = [words | sounds for words, sounds in zip(ways, heard, strict=True)]
        for at, sounds in enumerate(heard):
            # The first of them that is no word: so nothing that the index of words gave is asked for again.
            each = [*ways[:at], sounds, *either[at + 1 :]]
            if all(each):
                streams = self._streams(each)
                yield from self._checked(streams, streams, among=shape.sounds)

    def by_notes(self) -> Generator[Hit, None, None]:
        """Terms of which at least one stands in the notes; the others there or anywhere else."""
        shape = self._shape
        if not shape.has_notes:
            return
        index = Index(self._db, shape.notes, beginnings=False)
        noted = [index.say(term) for term in self._question.terms]
        each = [
            ways if said is None else {**ways, shape.notes: said}
            for ways, said in zip(self._ways, noted, strict=True)
        ]
        if not all(each) or not any(noted):
            return
        exact = self._streams(each)
        # A beginning that very many words of the notes have is told by the rows that the other terms lead to.
        few = [ways for ways, said in zip(each, noted, strict=True) if said is None or said.quick is not None]
        yield from self._checked(self._streams(few, quick=True) or exact, exact)

    def _streams(self, terms: Sequence[Ways], *, quick: bool = False) -> Streams:
        """Each term in any of its indexes; those that stand in one index alone are asked of it together."""
        together: dict[str, list[str]] = {}
        streams: Streams = []
        for ways in terms:
            said = [(index, f"({(quick and each.quick) or each.exact})") for index, each in ways.items()]
            if len(said) == 1:
                together.setdefault(said[0][0], []).append(said[0][1])
            else:
                streams.append(said)
        return [[(index, " AND ".join(each))] for index, each in together.items()] + streams

    def _checked(self, quick: Streams, exact: Streams, *, among: str = "") -> Iterator[Hit]:
        """The rows that both indexes lead to, newest first, without those that the rule does not let pass."""
        below, read, passed, size = NEWEST, 0, 0, TURN
        for streams in (quick, exact):
            with contextlib.closing(self._leading(streams, below, among)) as rowids:
                while some := list(islice(rowids, size)):
                    size = PIECE
                    new = [rowid for rowid in some if rowid not in self._given]
                    for row in self._rows(new):
                        for hit in self._hit(row):
                            passed += 1
                            yield hit
                    read, below = read + len(new), some[-1] - 1
                    if streams != exact and read >= _SAMPLE and passed * _WASTE < read:
                        break
                else:
                    return

    def _leading(self, streams: Streams, below: int, among: str) -> Generator[int, None, None]:
        """Rowids that stand in every stream, falling; where one of them has but a few, those."""
        if len(streams) > 1:
            for stream in streams:
                with contextlib.closing(leap(self._db, [stream], below, among)) as rowids:
                    some = list(islice(rowids, _FEW + 1))
                if len(some) <= _FEW:
                    yield from some
                    return
        yield from leap(self._db, streams, below, among)

    def _rows(self, rowids: Sequence[int]) -> list[tuple[object, ...]]:
        sql = f"{self._shape.select} WHERE _deleted = 0 AND _rowid IN ({marks(len(rowids))}) ORDER BY _rowid DESC"
        return self._db.all(sql, tuple(rowids)) if rowids else []

    def _hit(self, row: tuple[object, ...]) -> Iterator[Hit]:
        """The row as a hit, when the rule lets it pass."""
        stored = self._shape.stored(row)
        fields = matched_fields(self._shape.kind, stored.values, self._question)
        if fields and stored.rowid not in self._given:
            self._given.add(stored.rowid)
            yield Hit(record_of(self._shape, stored), tuple(fields))


_TIERS: Final = (
    _Search.by_whole_name, _Search.by_name, _Search.by_words, _Search.by_sounds, _Search.by_notes
)  # fmt: skip
