"""Which letters of a text a search found."""

from __future__ import annotations

from collections.abc import Sequence

from app.store import readings, words

# First and one-past-last character of a found part, counted in characters of the string.
Mark = tuple[int, int]


def find_marks(text: str, query: str, *, name: bool = False) -> tuple[Mark, ...]:
    """The parts of `text` that hold a word of `query`, in order and without overlap; case and accents tell nothing.

    Of a `name`, the Chinese characters too for which a word was typed as they sound.
    """
    folded, origin = _folded(text)
    found: list[Mark] = []
    for word in words.fold(query).split():
        at = folded.find(word)
        while at >= 0:
            found.append((origin[at], origin[at + len(word) - 1] + 1))
            at = folded.find(word, at + len(word))
    # Search has read the table before it finds a name by its sound; to paint, no file is read.
    if name and not folded.isascii() and readings.known():
        for term in words.terms(words.fold(query)):
            found += [(origin[at], origin[end - 1] + 1) for at, end in readings.spans(folded, term)]
    return _joined(sorted(found))


def _folded(text: str) -> tuple[str, Sequence[int]]:
    whole = words.fold(text)
    if len(whole) == len(text) and whole == text.lower():  # most texts, and each row that is painted has some
        return whole, range(len(text))
    # Folding may change how long a text is ("ß" becomes "ss"), so each folded letter remembers where it came from.
    letters: list[str] = []
    origin: list[int] = []
    for at, letter in enumerate(text):
        for part in words.fold(letter):
            letters.append(part)
            origin.append(at)
    return "".join(letters), origin


def _joined(marks: list[Mark]) -> tuple[Mark, ...]:
    joined: list[Mark] = []
    for start, end in marks:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
