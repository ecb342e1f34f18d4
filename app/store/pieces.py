"""Words with a digit, and numbers, cut for the index: the letters before the first digit, and pieces of the rest."""

from __future__ import annotations

import re
from typing import Final

BEGINNING: Final = 3  # letters that begin a word are a token of their own: so many words have them in common
PIECE: Final = 3  # characters of a number in one token
# Private use, one for each place of a piece; what is longer is told by the record.
_MARKS: Final = "\ue010\ue011\ue012\ue013\ue014\ue015\ue016\ue017"
_DIGIT: Final = re.compile(r"\d")


def parted(word: str) -> tuple[str, str]:
    """A word of an alphabet as its letters before the first digit, and all that comes from there on."""
    if word.isalpha():
        return word, ""
    found = _DIGIT.search(word)
    return (word, "") if found is None else (word[: found.start()], word[found.start() :])


def pieces(letters: str, tail: str) -> list[str]:
    """A number, or what comes with the first digit behind the letters of a word, as the tokens of its pieces.

    The first of them says how the word begins: else every number of a record might be the one behind these letters.
    """
    most = min(len(tail), PIECE * len(_MARKS))
    found = [_MARKS[at // PIECE] + tail[at : at + PIECE] for at in range(0, most, PIECE)]
    if letters and found:
        found[0] = found[0][0] + letters[:BEGINNING] + found[0][1:]
    return found
