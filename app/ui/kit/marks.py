"""Which letters of a text a search found; pure."""

from __future__ import annotations

# First and one-past-last character of a found part, counted in characters of the string.
Mark = tuple[int, int]


def find_marks(text: str, query: str) -> tuple[Mark, ...]:
    """The parts of `text` that hold a word of `query`, whatever the case, in order and without overlap."""
    folded, origin = _folded(text)
    found: list[Mark] = []
    for word in query.casefold().split():
        at = folded.find(word)
        while at >= 0:
            found.append((origin[at], origin[at + len(word) - 1] + 1))
            at = folded.find(word, at + len(word))
    return _joined(sorted(found))


def _folded(text: str) -> tuple[str, list[int]]:
    # Folding may lengthen a text ("ß" becomes "ss"), so each folded letter remembers where it came from.
    letters: list[str] = []
    origin: list[int] = []
    for at, letter in enumerate(text):
        for part in letter.casefold():
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
