"""How the search index of a kind is asked for a term: as a word, as it sounds, or in the notes.

The index gives rowids newest first and reads no further than they are wanted, as long as a term is asked by whole
tokens. Asked for the beginnings of tokens it would gather all their rows before it gives the first. So a term is
asked by the tokens that begin so where there are few of them, and else by something a little wider than the rule, or
by nothing: the other terms lead to the rows, and the rows tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from app.store import phones, spellings
from app.store.db import Database
from app.store.pieces import BEGINNING, PIECE, parted, pieces
from app.store.words import NOTE_MARK, Query, paired

MANY: Final = 40  # tokens that a term is asked by
MANY_PIECES: Final = 128  # of numbers: they hold few rows each
END_MARKED: Final = 2  # characters of an unfinished piece of one digit, with its mark
MOST: Final = 1_000  # beginnings of words with one letter in common
_LAST: Final = "\U0010ffff"


class Said(msgspec.Struct, frozen=True):
    """A term in the index's own words: `exact` of its rule or hardly wider, `quick` maybe much; no `quick` where the
    other terms have to lead."""

    exact: Callable[[], str]
    quick: str | None


class Index:
    """The search index of a kind."""

    def __init__(self, db: Database, name: str) -> None:
        self._db = db
        self._name = name
        self._has_other: bool | None = None

    def word(self, term: str, question: Query) -> Said | None:
        """A term of a question among names, words and numbers, however they are written, or anywhere in a phone number;
        None when no row holds it.
        """
        ways = [way for form in self._forms(term, question) if (way := self._word(form)) is not None]
        if phones.is_run(term):
            ways.append(_plain(phones.asked(phones.digits(term))))
        if len(ways) < 2:
            return ways[0] if ways else None
        quick = None if any(way.quick is None for way in ways) else _either(way.quick for way in ways)
        return Said(lambda: _either(way.exact() for way in ways), quick)

    def _forms(self, term: str, question: Query) -> list[str]:
        """A term, and the beginnings of words that the index has for it when it is written otherwise."""
        own = question.forms(term)
        found = [*own, *(bare for form in own if spellings.has_pair(form) for bare in spellings.bare(form))]
        if term in question.spoken and self._other():
            found += spellings.beginnings(term, lambda begin: self._next(begin, begin + _LAST) is not None)
        return found

    def _other(self) -> bool:
        """Whether any word is in another alphabet."""
        if self._has_other is None:
            self._has_other = self._next(spellings.OTHER_FIRST, spellings.OTHER_LAST) is not None
        return self._has_other

    def note(self, term: str) -> Said | None:
        """A term in the notes; None when no row holds it there."""
        if paired(term) and len(term) > 1:
            return self._pairs([NOTE_MARK + one + other for one, other in pairwise(term)])
        begin = NOTE_MARK + term
        tokens = self._begun(begin, MANY)
        if not tokens:
            return None
        return _plain(_any(tokens)) if len(tokens) <= MANY else Said(lambda: f'"{begin}" *', None)

    def _word(self, term: str) -> Said | None:
        if paired(term):
            if len(term) > 1:
                return self._pairs([one + other for one, other in pairwise(term)])
            return _plain(f'"{term}"') if self._there(term) else None
        letters, tail = parted(term)
        if not tail:
            return self._begin(letters)
        return self._number(letters, tail)

    def _pairs(self, pairs: Sequence[str]) -> Said | None:
        if not self._there(pairs[0]):
            return None
        # Every other pair holds every character: half the work, and those apart are told by the row.
        quick = _all(dict.fromkeys((*pairs[::2], pairs[-1])))
        return Said(lambda: _all(pairs), quick)

    def _begin(self, letters: str) -> Said | None:
        """A term with whose letters some word begins."""
        if len(letters) < BEGINNING:
            return self._few_letters(letters)
        if len(letters) == BEGINNING:
            return _plain(f'"{letters}"') if self._there(letters) else None
        tokens = self._begun(letters, MANY)
        if not tokens:
            return None
        if len(tokens) <= MANY:
            return _plain(_any(tokens))
        return Said(lambda: f'"{letters}" *', f'"{letters[:BEGINNING]}"')

    def _few_letters(self, letters: str) -> Said | None:
        """One or two letters: the beginnings of words that they are part of."""
        tokens = self._begun(letters, MANY, skip=BEGINNING)
        if not tokens:
            return None
        if len(tokens) <= MANY:
            return _plain(_any(tokens))
        return Said(lambda: _any(self._begun(letters, MOST, skip=BEGINNING)), None)

    def _number(self, letters: str, tail: str) -> Said | None:
        """A term with a digit: its letters before that as a word of their own, and the pieces of the rest."""
        said = [letters] if letters else []
        if letters and not self._there(letters):
            return None
        parts = pieces(letters, tail)
        end = parts.pop() if len(tail) % PIECE and len(parts) * PIECE >= len(tail) else ""
        said += parts
        if any(not self._there(part) for part in parts):
            return None
        if not end:
            return _plain(_all(said))
        tokens = self._begun(end, MANY_PIECES)
        if not tokens:
            return None
        if len(tokens) > MANY_PIECES:  # letters behind a digit
            begun = f'"{end}" *'
            whole = f"({' AND '.join([*_quoted(said), begun])})"
            return Said(lambda: whole, _all(said) if said else None)
        exact = f"({' AND '.join([*_quoted(said), _any(tokens)])})"
        if len(end) > END_MARKED:
            return _plain(exact)
        # One digit stands for many tokens, and the rows that the others lead to are soon read.
        return Said(lambda: exact, _all(said) if said else None)

    def _there(self, token: str) -> bool:
        return self._next(token, token + "\x01") is not None

    def _next(self, begin: str, end: str) -> str | None:
        sql = f"SELECT term FROM {self._db.tokens(self._name)} WHERE term >= ? AND term < ? LIMIT 1"
        row = self._db.first(sql, (begin, end))
        return None if row is None else str(row[0])

    def _begun(self, begin: str, most: int, *, skip: int = 0) -> list[str]:
        """Tokens that begin so, rising; `most` and one at most. Each is one step down the index, whatever it holds.

        With `skip`, of those that have so many letters in common the first alone.
        """
        found: list[str] = []
        at: str | None = begin
        while len(found) <= most and at is not None:
            token = self._next(at, begin + _LAST)
            if token is None:
                break
            if skip and len(token) >= skip:
                token = token[:skip]
                at = token + _LAST
            else:
                at = token + "\x01"
            found.append(token)
        return found


def _plain(said: str) -> Said:
    return Said(lambda: said, said)


def _quoted(tokens: Iterable[str]) -> list[str]:
    return [f'"{token}"' for token in tokens]


def _either(ways: Iterable[str | None]) -> str:
    return "(" + " OR ".join(f"({way})" for way in ways) + ")"


def _any(tokens: Iterable[str]) -> str:
    return "(" + " OR ".join(_quoted(tokens)) + ")"


def _all(tokens: Iterable[str]) -> str:
    return "(" + " AND ".join(_quoted(tokens)) + ")"
