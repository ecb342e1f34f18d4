"""How Chinese names sound: readings of characters without tones, and names found by what is typed for them.

The rule. A term of letters is found in a name at any Chinese character: as the readings of characters that stand
side by side (`shanghai`), the last of them maybe unfinished (`zhangw`), or as their first letters (`shhy`). Each
reading of a character counts; ü is typed v or u. Other scripts and signs part characters.

The table is read when it is first needed, never at start. A name has few tokens: each reading, each two readings side
by side, and the first letters of each three, or of the last two, behind a mark that no reading begins with.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise, product
from typing import Final

import msgspec

from app import resources

TABLE: Final = "readings.txt"
FIRST: Final = 0x4E00
LAST: Final = 0x9FFF
MARK: Final = "2"  # before first letters, and between two readings
SOUND: Final = "\ue002"  # before every token in the index: no sound looks like a word
THREE: Final = 3  # first letters in one token

_RUN: Final = re.compile("[\u4e00-\u9fff]+")
_TERM: Final = re.compile("[a-z]+")
_WAYS: Final = 16  # in which a term is asked for; one that can be cut in more is asked by its beginning
_LETTERS: Final = 32  # of a term that are asked for
_LONGEST: Final = 6  # letters of a reading


class _Table(msgspec.Struct, frozen=True):
    of: array[int]  # by character: its place in `groups`
    groups: list[tuple[str, ...]]  # readings that some characters have, in one order
    letters: list[str]  # with which those of a group begin
    rising: list[str]  # every reading
    syllables: frozenset[str]
    initials: frozenset[str]


_read: _Table | None = None


def known() -> bool:
    """Whether the table has been read: who may not wait for a disk asks this first."""
    return _read is not None


def of(char: str) -> tuple[str, ...]:
    """The readings of a character, none where it has no known one."""
    at = ord(char) - FIRST
    return _table().groups[_table().of[at]] if 0 <= at <= LAST - FIRST else ()


def tokens(name: str, known: dict[str, str] | None = None) -> list[str]:
    """What the index holds of a folded name, behind the mark of sounds: tokens parted by spaces and items; some of it
    maybe twice.

    `known` takes in what each three characters side by side give: names have most of them in common.
    """
    known = {} if known is None else known
    found: list[str] = []
    for run in _RUN.findall(name):
        for at in range(len(run)):
            three = run[at : at + 3]
            said = known.get(three)
            if said is None:
                said = known[three] = " ".join([SOUND + token for token in _said(three)])
            if said:
                found.append(said)
    return found


def _said(chars: str) -> list[str]:
    """The tokens that begin at the first of three characters, or of the last ones of a run."""
    table = _table()
    places = [table.of[ord(char) - FIRST] for char in chars]
    each = table.groups[places[0]]
    found = list(each)
    if len(places) > 1:
        found += [one + MARK + other for one, other in product(each, table.groups[places[1]])]
        letters = [table.letters[place] for place in places]
        # A character of no known reading ends what can be typed, and so does the end.
        long = len(places) > 2 and bool(letters[2])
        found += [MARK + "".join(some) for some in product(*letters[: THREE if long else 2])]
    return found


def asked(term: str) -> str:
    """A term in the words of the index, maybe a little wider than the rule; "" where no name sounds so."""
    if not _TERM.fullmatch(term):
        return ""
    said = [_asked_way(whole, rest) for whole, rest in _cut(term)]
    if len(term) > 1 and _table().initials.issuperset(term):
        said.append(_asked_letters(term))
    return " OR ".join(said)


def _asked_way(whole: list[str], rest: str) -> str:
    """Readings side by side, and one that begins with the rest."""
    before = whole[-1] + MARK if whole else ""
    last = " OR ".join(f'"{SOUND}{before}{reading}"' for reading in _begun(rest))
    pairs = dict.fromkeys(one + MARK + other for one, other in pairwise(whole))
    return "(" + " AND ".join([*(f'"{SOUND}{pair}"' for pair in pairs), f"({last})"]) + ")"


def _asked_letters(term: str) -> str:
    if len(term) < THREE:
        ends = ["", *sorted(_table().initials)]
        return "(" + " OR ".join(f'"{SOUND}{MARK}{term}{end}"' for end in ends) + ")"
    threes = dict.fromkeys(term[at : at + THREE] for at in range(len(term) - THREE + 1))
    return "(" + " AND ".join(f'"{SOUND}{MARK}{letters}"' for letters in threes) + ")"


def heard(name: str, term: str) -> bool:
    """Whether a folded name sounds like a term, by the rule."""
    return any(True for _span in spans(name, term))


def spans(name: str, term: str) -> Iterator[tuple[int, int]]:
    """Where a folded name sounds like a term: first and one-past-last character, by the rule. The term is not empty."""
    table, first = _table(), term[0]
    for run in _RUN.finditer(name):
        places = [table.of[ord(char) - FIRST] for char in run[0]]
        starts = [at for at, place in enumerate(places) if first in table.letters[place]]
        read = [table.groups[place] for place in places] if starts else []
        for at in starts:
            length = max(_by_readings(read, at, term), _by_first_letters(read, at, term))
            if length:
                yield run.start() + at, run.start() + at + length


def _by_readings(read: list[tuple[str, ...]], at: int, term: str) -> int:
    """How many characters from `at` on a term stands for, read out; 0 where it does not."""
    typed = {0}  # letters of the term that the characters so far may stand for
    for length, each in enumerate(read[at:], 1):
        if any(reading.startswith(term[gone:]) for gone in typed for reading in each):
            return length
        typed = {gone + len(reading) for gone in typed for reading in each if term.startswith(reading, gone)}
        if not typed:
            break
    return 0


def _by_first_letters(read: list[tuple[str, ...]], at: int, term: str) -> int:
    there = read[at : at + len(term)]
    fits = len(there) == len(term) and all(
        any(reading[0] == letter for reading in each) for each, letter in zip(there, term, strict=True)
    )
    return len(term) if fits else 0


def _cut(term: str) -> list[tuple[list[str], str]]:
    """Every way to read a term, or the longest beginning of it that has few: whole readings, and one maybe unfinished.

    Whatever sounds like a term sounds like its beginning. None where nothing sounds like it.
    """
    every = _table().syllables
    whole = [1, *([0] * len(term))]  # by letters: the ways to read so many of them as whole readings
    few = 0
    for end in range(1, len(term) + 1):
        starts = [at for at in range(max(0, end - _LONGEST), end) if whole[at]]
        whole[end] = sum(whole[at] for at in starts if term[at:end] in every)
        ways = sum(whole[at] for at in starts if _begun(term[at:end]))
        if not ways:
            return []
        if ways <= _WAYS and end <= _LETTERS:
            few = end

    def back(end: int) -> Iterator[list[str]]:
        if end == 0:
            yield []
        for at in range(max(0, end - _LONGEST), end):
            if whole[at] and term[at:end] in every:
                for before in back(at):
                    yield [*before, term[at:end]]

    return [
        (before, term[at:few])
        for at in range(max(0, few - _LONGEST), few)
        if whole[at] and _begun(term[at:few])
        for before in back(at)
    ]


def _begun(text: str) -> list[str]:
    """The readings that begin so."""
    every = _table().rising
    return every[bisect_left(every, text) : bisect_left(every, text + "~")]


def _table() -> _Table:
    global _read
    if _read is None:
        _read = _made(resources.read_text(TABLE))
    return _read


def _made(text: str) -> _Table:
    places = array("H", bytes(2 * (LAST - FIRST + 1)))
    groups: list[tuple[str, ...]] = [()]
    for line in text.splitlines():
        said, _tab, chars = line.partition("\t")
        if chars:
            for char in chars:
                places[ord(char) - FIRST] = len(groups)
            groups.append(tuple(said.split(" ")))
    every = frozenset(reading for group in groups for reading in group)
    letters = ["".join(dict.fromkeys(reading[0] for reading in group)) for group in groups]
    return _Table(places, groups, letters, sorted(every), every, frozenset(reading[0] for reading in every))
