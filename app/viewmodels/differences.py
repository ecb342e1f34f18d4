"""Where two values that stand side by side differ: the words of one that the other does not have."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

Span = tuple[int, int]  # begin and length, in characters

_LONGEST: Final = 4_000  # characters of both: what is longer is read, and not compared by words
_PIECES: Final = re.compile(r"\w+|[^\w\s]")


def spans(text: str, other: str) -> tuple[Span, ...]:
    """Stretches of `text` that `other` does not have; none where they have nothing in common, as all of it differs."""
    if len(text) + len(other) > _LONGEST:
        return ()
    here, there = list(_PIECES.finditer(text)), [each.group() for each in _PIECES.finditer(other)]
    matcher = SequenceMatcher(None, [each.group() for each in here], there, autojunk=False)
    found, common = [], False
    for tag, first, last, _begin, _end in matcher.get_opcodes():
        if tag == "equal":
            common = True
        elif last > first:
            begin = here[first].start()
            found.append((begin, here[last - 1].end() - begin))
    return tuple(found) if common else ()
