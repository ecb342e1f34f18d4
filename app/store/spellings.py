"""How words are also written: ä, ö and ü as ae, oe and ue, and words in Cyrillic or Greek in Latin letters.

The rule, for names and words, not for notes.

- ä, ö, ü, å and ø of a word are also ae, oe, ue, aa and oe, all of a word or none: a term that was typed with such a
  letter is also looked for so (`müller` finds Mueller), and a term of five letters or more that holds such a pair is
  also found in a word with such a letter (`mueller` finds Müller). ß is ss by folding.
- A term of three Latin letters or more is also found in a word that begins with letters of Cyrillic or Greek, when
  these, each written in one of the ways of the table, begin with it: `moskva` finds Москва. The table has the ways of
  passports (ICAO, GOST R 52535.1), of BGN/PCGN, of Ukraine, Bulgaria and Serbia, and of ELOT 743 for Greek, with what
  people also write: j and i for y, x for кс, w for в. Letters with marks, as ISO 9 has them, count without these.

No word of the index is made for it. A term is asked by the beginnings of words that the index has and that are so
written: step by step along its own list of words, so that letters that no word has there are soon left.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Final

LEAST: Final = (
    5  # letters of a term with a pair: shorter ones would lead to very many rows without such a letter
)
PAIRS: Final = 4  # pairs of a term that are asked for in both ways; of a longer one its beginning is
SPOKEN: Final = 3  # Latin letters of a term that words in other alphabets are found by

_MARKED: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}
_WITH_MARK: Final = re.compile("[äöüåøÄÖÜÅØ]")
_ANY_MARK: Final = re.compile("[äöüåøÄÖÜÅØ\u0308\u030a]")  # those that stand apart, too
_BARE: Final = {"ae": "a", "oe": "o", "ue": "u", "aa": "a"}
_PAIR: Final = re.compile("ae|oe|ue|aa")
_TERM: Final = re.compile(f"[a-z]{{{SPOKEN},}}")
# Letters of Cyrillic and Greek, as folded text has them.
OTHER_FIRST, OTHER_LAST = "\u0370", "\u0530"
OTHER: Final = re.compile(f"[{OTHER_FIRST}-\u052f]")

# Folded letters, one or two of them, and how they are written in Latin ones. ё is е here, й is и, ї is і, ў is у.
_SPELLED: Final = {
    unit: tuple(said.replace("-", "").split(" "))
    for line in """
    а a|б b|в v w|г g h|ґ g|ғ g gh|д d|е e ye je yo jo io|є ye ie je e|ж zh j z|з z|ѕ dz|и i y j|і i yi ji|ј j y
    к k c|қ k q|л l|љ lj|м m|н n|њ nj|ң ng n|о o|ө o|п p|р r|с s|т t|у u w|ү u|ұ u|ф f ph|х kh h x ch|һ h
    ц ts c tz cz|ч ch c tch|ћ c|ш sh s sch|щ shch sch sht sc st s|ъ - a|ы y i|ь -|э e|ю yu iu ju|я ya ia ja|ә a ae
    ђ dj d|џ dz dj|кс x ks|ий y|ия ia ya ija|ія ia
    α a|β v b|γ g y gh|δ d dh|ε e|ζ z|η i e h|θ th|ι i|κ k c|λ l|μ m|ν n|ξ x ks|ο o|π p|ρ r|σ s|τ t|υ y u i v f
    φ f ph|χ ch h x kh|ψ ps|ω o w|ου u|αι e|μπ b|ντ d|γγ ng|γκ g|γξ nx|γχ nch|τζ j
    """.replace("\n", "|").split("|")
    if line.strip()
    for unit, _space, said in [line.strip().partition(" ")]
}  # fmt: skip


def _by_letter() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """What is written with a Latin letter first, and under "" what is written with none."""
    found: dict[str, list[tuple[str, str]]] = {}
    for unit, each in _SPELLED.items():
        for said in each:
            found.setdefault(said[:1], []).append((unit, said))
    return {letter: tuple(units) for letter, units in found.items()}


_WRITTEN: Final = _by_letter()
# The letters of other alphabets with which a word may begin that is written with a Latin letter first.
_FIRST: Final = {
    letter: frozenset(unit[0] for unit, _said in (*units, *_WRITTEN[""]))
    for letter, units in _WRITTEN.items()
}


def with_pairs(text: str) -> str:
    """A text with pairs in place of ä, ö, ü, å and ø; "" where it has none of these."""
    if text.isascii() or not _ANY_MARK.search(text):
        return ""
    text = unicodedata.normalize("NFC", text)
    if not _WITH_MARK.search(text):
        return ""
    return _WITH_MARK.sub(lambda found: _MARKED[found[0].lower()], text)


def has_pair(term: str) -> bool:
    """Whether a folded term may stand for a word with ä and its kin."""
    return len(term) >= LEAST and _PAIR.search(term) is not None


def bare(term: str) -> list[str]:
    """The folded words, or their beginnings, for which a term with pairs may stand: each of its pairs as it is, or as
    its first letter alone.
    """
    pairs = [found.start() for found in re.finditer("(?=ae|oe|ue|aa)", term)]
    if len(pairs) > PAIRS:
        term = term[: pairs[PAIRS]]  # what begins so begins with less, too
    found: list[str] = []

    def go(at: int, so_far: str) -> None:
        if at >= len(term):
            found.append(so_far)
            return
        go(at + 1, so_far + term[at])
        if short := _BARE.get(term[at : at + 2]):
            go(at + 2, so_far + short)

    go(0, "")
    return [each for each in dict.fromkeys(found) if each != term or len(pairs) > PAIRS]


def is_spoken(term: str) -> bool:
    """Whether a term may stand for a word in another alphabet."""
    return _TERM.fullmatch(term) is not None


def reach(word: str, term: str) -> int:
    """How many letters of a folded word from its first on a term stands for; 0 where it does not begin so written."""
    if word[:1] not in _FIRST.get(term[0], ()):
        return 0
    typed: dict[int, set[int]] = {0: {0}}  # by letters of the word: those of the term that they may stand for
    for at in range(len(word)):
        for gone in typed.pop(at, ()):
            for length in (1, 2):
                for said in _SPELLED.get(word[at : at + length], ()):
                    if said and said.startswith(term[gone:]):
                        return at + length
                    if term.startswith(said, gone):
                        typed.setdefault(at + length, set()).add(gone + len(said))
        if not typed:
            break
    return 0


def beginnings(term: str, there: Callable[[str], bool]) -> list[str]:
    """The shortest beginnings of words in other alphabets that a term stands for, of those that there are."""
    found: set[str] = set()
    seen = {("", 0)}
    left = [("", 0)]
    while left:
        begin, gone = left.pop()
        for unit, said in _next(term[gone]):
            ends = said and said.startswith(term[gone:])
            if not ends and not term.startswith(said, gone):
                continue
            step = (begin + unit, gone + len(said))
            if step in seen or not there(step[0]):
                continue
            seen.add(step)
            if ends:
                found.add(step[0])
            else:
                left.append(step)
    return sorted(each for each in found if not any(each[:length] in found for length in range(1, len(each))))


def _next(letter: str) -> Iterator[tuple[str, str]]:
    yield from _WRITTEN.get(letter, ())
    yield from _WRITTEN[""]
