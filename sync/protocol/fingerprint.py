"""The fingerprint of an organisation in words that two people can compare, whatever their language: lusab-babad-gutih.

Five letters stand for sixteen bits of the root's digest, consonant and vowel in turn, so that they can be read out.
Five such words are eighty bits: nobody makes another root that begins with the same ones.
"""

from __future__ import annotations

from typing import Final

WORDS: Final = 5
_CONSONANTS: Final = "bdfghjklmnprstvz"
_VOWELS: Final = "aiou"
_PARTS: Final = ((12, _CONSONANTS), (10, _VOWELS), (6, _CONSONANTS), (4, _VOWELS), (0, _CONSONANTS))


def words_of(digest: str) -> str:
    """The words of a root with this digest (hex)."""
    numbers = (int(digest[4 * n : 4 * n + 4], 16) for n in range(WORDS))
    return "-".join(
        "".join(letters[number >> by & len(letters) - 1] for by, letters in _PARTS) for number in numbers
    )
