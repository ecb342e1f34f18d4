"""How one search index is asked for a term, and rowids as it gives them: newest first, read only as far as wanted.

An index that is asked for beginnings of words gathers all their rows before it gives the first. So a term is asked
by its whole tokens where there are few that begin so, and by its first letters where there are many: quick, but a
little wider than the rule.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_left
from collections.abc import Generator, Iterable, Sequence
from typing import Any, Final

import msgspec

from app.store.db import Database
from app.store.words import asked_phone, digits, is_number, paired

MANY: Final = 32  # tokens that a term is asked by
PREFIXES: Final = 3  # letters of a beginning of which the index of names and words keeps the rows together
NEWEST: Final = 2**63 - 1
_FIRST: Final = 64  # rowids read at once, to begin with
_MOST: Final = 1024
_NEAR: Final = 2  # pieces read through on the way to a rowid before the index is asked for it anew


class Said(msgspec.Struct, frozen=True):
    """A term in an index's own words: `exact` of its rule, `quick` maybe wider; no `quick` where there is no such."""

    exact: str
    quick: str | None


class Index(msgspec.Struct, frozen=True):
    """A search index: of names, words and numbers with their `beginnings` and phones, or of notes."""

    db: Database
    name: str
    beginnings: bool

    def say(self, term: str) -> Said | None:
        """How to ask for a term; None when no row holds it."""
        if paired(term) and len(term) > 1:
            pairs = [term[at : at + 2] for at in range(len(term) - 1)]
            if not self._there(pairs[0]):
                return None
            # Every other pair holds every character: half the work, and those apart are told by the row.
            return Said(_all(pairs), _all(dict.fromkeys((*pairs[::2], pairs[-1]))))
        said = self._begin(term)
        if not self.beginnings or not is_number(term):
            return said
        phone = f"({asked_phone(digits(term))})"
        if said is None:
            return _plain(phone)
        return Said(f"({said.exact} OR {phone})", f"({said.quick} OR {phone})")

    def _begin(self, term: str) -> Said | None:
        """A term with which some token begins."""
        if self.beginnings and len(term) <= PREFIXES:
            return _plain(f'"{term}" *') if self._there(term, longer=True) else None
        tokens = self._tokens(term)
        if not tokens:
            return None
        if len(tokens) <= MANY:
            return _plain(f"({' OR '.join(_quoted(tokens))})")
        return Said(f'"{term}" *', f'"{term[:PREFIXES]}" *' if self.beginnings else None)

    def _there(self, token: str, *, longer: bool = False) -> bool:
        table = self.db.tokens(self.name)
        end = token + "\U0010ffff" if longer else token + "\x01"
        return (
            self.db.first(f"SELECT term FROM {table} WHERE term >= ? AND term < ? LIMIT 1", (token, end))
            is not None
        )

    def _tokens(self, begin: str) -> list[str]:
        """Tokens that begin so, rising; MANY and one at most. Each is one step down the index, whatever it holds."""
        sql = f"SELECT term FROM {self.db.tokens(self.name)} WHERE term >= ? AND term < ? LIMIT 1"
        found: list[str] = []
        at = begin
        while len(found) <= MANY:
            row = self.db.first(sql, (at, begin + "\U0010ffff"))
            if row is None:
                break
            found.append(row[0])
            at = row[0] + "\x01"
        return found


class Stream:
    """Rowids of one question of an index, falling; with `among`, those alone that are in that index too."""

    def __init__(self, db: Database, index: str, match: str, among: str = "") -> None:
        self._db = db
        self._match = match
        # One step down a small table for each row; as a join it might be gone through from its first row on.
        there = f'(SELECT 1 FROM "{among}_docsize" d WHERE d.id = "{index}".rowid) IS NOT NULL'
        more = f" AND {there}" if among not in ("", index) else ""
        self._sql = (
            f'SELECT rowid FROM "{index}" WHERE "{index}" MATCH ? AND rowid <= ?{more} ORDER BY rowid DESC'
        )
        self._source: Generator[list[tuple[Any, ...]], int | None, None] | None = None
        self._held: list[int] = []  # negative, so that they rise
        self._size = _FIRST
        self._ended = False

    def at_most(self, rowid: int) -> int | None:
        """The largest rowid that is not above this one; never asked for a larger one than before."""
        near = 0
        while not self._held or -self._held[-1] > rowid:
            if self._ended:
                return None
            self._more(rowid, anew=near >= _NEAR)
            near += 1
        return -self._held[bisect_left(self._held, -rowid)]

    def close(self) -> None:
        """Ask no further."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def _more(self, rowid: int, *, anew: bool) -> None:
        if anew:
            self.close()
            self._size = _FIRST
        if self._source is None:
            self._source = self._db.pieces(self._sql, (self._match, rowid), size=self._size)
            some = next(self._source)
        else:
            self._size = min(self._size * 2, _MOST)
            some = self._source.send(self._size)
        self._held = [-row[0] for row in some]
        self._ended = len(some) < self._size


def leap(
    db: Database, streams: Sequence[Sequence[tuple[str, str]]], below: int = NEWEST, among: str = ""
) -> Generator[int, None, None]:
    """Rowids that stand in every stream, falling; a stream is (index, match) pairs, of which one is enough.

    Who knows that they all are in one index, `among`, spares the other streams what is not in it.
    """
    with contextlib.ExitStack() as open_:
        opened = [
            [open_.enter_context(contextlib.closing(Stream(db, *each, among))) for each in stream]
            for stream in streams
        ]
        at, agreed = below, 0
        while True:
            for stream in opened:
                found = max(
                    (rowid for each in stream if (rowid := each.at_most(at)) is not None), default=None
                )
                if found is None:
                    return
                agreed = agreed + 1 if found == at else 1
                at = found
                if agreed >= len(opened):
                    yield at
                    at, agreed = at - 1, 0


def _plain(said: str) -> Said:
    return Said(said, said)


def _quoted(tokens: Iterable[str]) -> list[str]:
    return [f'"{token}"' for token in tokens]


def _all(tokens: Iterable[str]) -> str:
    return "(" + " AND ".join(_quoted(tokens)) + ")"
