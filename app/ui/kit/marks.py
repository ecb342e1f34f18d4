"""Which letters of a text a search found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.store import phones, readings, spellings, words

# First and one-past-last character of a found part, counted in characters of the string.
Mark = tuple[int, int]
_LETTER = re.compile("(?s).[\u0300-\u036f]*")  # with its marks, where these stand apart


def find_marks(text: str, query: str, *, name: bool = False) -> tuple[Mark, ...]:
    """The parts of `text` that hold a word of `query`, in order and without overlap; case and accents tell nothing.

    Words count as search takes them: written with ae for ä, in Latin letters for those of another alphabet, and a phone
    number in any notation. Of a `name`, the Chinese characters too for which a word was typed as they sound.
    """
    if (number := phones.marked(text, query)) is not None:
        return (number,)
    folded, origin = _folded(text)
    found: list[Mark] = []
    for word in words.fold(query).split():
        found += _places(folded, origin, word)
    if not text.isascii() or not query.isascii():  # else a word is written in one way alone
        found += _written(text, folded, origin, query)
    # Search has read the table before it finds a name by its sound; to paint, no file is read.
    if name and not folded.isascii() and readings.known():
        for term in words.terms(words.fold(query)):
            found += [(origin[at], origin[end - 1] + 1) for at, end in readings.spans(folded, term)]
    return _joined(sorted(found))


def _written(text: str, folded: str, origin: Sequence[int], query: str) -> Iterator[Mark]:
    """The words that are also written as one of the query's is."""
    question = words.query(query, sounds=False)
    for other in filter(None, question.also):
        yield from _places(folded, origin, other)
    if question.with_pairs and spellings.with_pairs(text):
        spelled, places = _folded(text, pairs=True)
        for term in question.with_pairs:
            yield from _places(spelled, places, term)
    if question.spoken and spellings.OTHER.search(folded):
        for at, word in words.placed(folded):
            for term in question.spoken:
                if length := spellings.reach(word, term):
                    yield origin[at], origin[at + length - 1] + 1


def _places(folded: str, origin: Sequence[int], word: str) -> Iterator[Mark]:
    at = folded.find(word)
    while at >= 0:
        yield origin[at], origin[at + len(word) - 1] + 1
        at = folded.find(word, at + len(word))


def _folded(text: str, *, pairs: bool = False) -> tuple[str, Sequence[int]]:
    """A folded text and where each letter of it came from; with `pairs`, ä and its kin as they are also written."""
    whole = words.fold(text)
    # Most texts, and each row that is painted has some.
    if not pairs and len(whole) == len(text) and whole == text.lower():
        return whole, range(len(text))
    # Folding may change how long a text is ("ß" becomes "ss"), so each folded letter remembers where it came from.
    letters: list[str] = []
    origin: list[int] = []
    for letter in _LETTER.finditer(text) if pairs else re.finditer("(?s).", text):
        said = spellings.with_pairs(letter[0]) if pairs else ""
        for part in words.fold(said or letter[0]):
            letters.append(part)
            origin.append(letter.start())
    return "".join(letters), origin


def _joined(marks: list[Mark]) -> tuple[Mark, ...]:
    joined: list[Mark] = []
    for start, end in marks:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
