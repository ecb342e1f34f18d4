"""How search sees text: words of alphabets whole, unspaced scripts by pairs, phone numbers by runs of three digits.

The rule, in full. Text is folded: compatibility forms, case and accents fall away. A query is cut into terms
and every term must be found in the record, in whichever searched field:

- a word of an alphabet, or a number: some word begins with it;
- a run of an unspaced script (Chinese, Japanese, Korean, Thai, ...): it stands somewhere inside such a run;
- a term of three digits or more is also found anywhere inside a phone number's digits;
- a term of letters is also found in a name (the title of a record) in Chinese characters that sound so: readings.py.

A query that is one phone number as people write them is also found when its digits, all together, stand inside
a phone number's digits: without the zeros it begins with, and without the country's number behind + or 00, where five
digits are left; so it does not matter which of the two was written as at home and which as from abroad.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from operator import add
from typing import Final

from app.store import readings
from sync.protocol.fields import Find, Notes, Person, Text, Value
from sync.protocol.kinds import Kind
from sync.protocol.quiet import Quiet

DIGIT_RUN: Final = 3
# Private use: a run of a phone number never looks like a word. As long as the longest beginning that the index keeps
# together: so all runs have those beginnings in common, which takes hardly any room.
PHONE_MARK: Final = "\ue000" * 3
TERMS_MAX: Final = 16
QUERY_MAX: Final = 200

_UNSPACED: Final = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029"
    "\u3031-\u3035\u3038-\u303c\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
# Most texts: folding changes nothing of them but their case, and two ranges tell their terms; ten times as fast.
_SIMPLE: Final = re.compile("[\x00-\x7f\u3001\u3002\u300a-\u300d\u4e00-\u9fff]*")
_SIMPLE_TERM: Final = re.compile("[0-9A-Za-z]+|[\u4e00-\u9fff]+")
# What is folded by the tables of Unicode: all but ASCII, each run with the character that its first may join.
_ODD: Final = re.compile("[\x00-\x7f]?[^\x00-\x7f]+")
_WORD: Final = re.compile("[0-9a-z]+")
_NO_DIGIT: Final = {code: None for code in range(128) if not chr(code).isdecimal()}
_RUN: Final = re.compile(f"(?=([0-9]{{{DIGIT_RUN}}}))")
_PHONE: Final = re.compile(r"[\d\s+()./\u2010-\u2015\u2212-]+")
# What countries begin with from abroad, by ITU-T E.164: those of one or two digits, all others of three.
_COUNTRY: Final = re.compile("1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[2-9][0-9][0-9]")
_KNOWN: Final = 8_192  # pieces of text whose tokens are kept in mind, and of names whose sounds are
_PIECE: Final = 12  # characters of a piece that is worth it
_SHORT: Final = 4  # characters that tell nothing of a person, so that they may be kept in memory
_LINE: Final = 5  # digits that tell a line, where a number is looked for without its beginning
_LETTERS: Final = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",
}  # fmt: skip
_OWN_TEXT: Final = (Text, Notes, Person)
_LETTER: Final = re.compile(f"[{''.join(_LETTERS)}]")


@cache
def _term() -> re.Pattern[str]:
    """Terms of any script. Its table takes a while to compile, and the first list of most people has no use for it."""
    return re.compile(rf"[{_UNSPACED}]+|(?:[^\W_{_UNSPACED}]+|[\u0900-\u0dff]+)+")


@cache
def _paired() -> re.Pattern[str]:
    return re.compile(rf"[{_UNSPACED}]")


def fold(text: str) -> str:
    """Text without case, accents and compatibility forms; the voicing of kana and the letters of Hangul stay."""
    if text.isascii() or _SIMPLE.fullmatch(text):
        return text.lower()
    # ASCII is never the second of two characters that are joined, so a text may be cut before each of them.
    lower = text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
    return _ODD.sub(_folded, lower)


def _folded(found: re.Match[str]) -> str:
    text = found[0]
    return _fold_short(text) if len(text) <= _SHORT else _fold_any(text)


def _fold_any(text: str) -> str:
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    bare = _LETTER.sub(lambda found: _LETTERS[found[0]], _ACCENTS.sub("", apart))
    return unicodedata.normalize("NFKC", bare).casefold()


_fold_short = lru_cache(1024)(_fold_any)  # texts come back to the same few letters with accents


def fold_key(text: str) -> str:
    """A title as lists order it: folded, with single spaces."""
    return " ".join(fold(text).split())


def terms(text: str) -> list[str]:
    """The words and unspaced runs of a folded text, in order."""
    return (_SIMPLE_TERM if _SIMPLE.fullmatch(text) else _term()).findall(text)


def digits(text: str) -> str:
    """The digits of a phone number, whatever script they are written in."""
    if text.isascii():
        return text.translate(_NO_DIGIT)
    return "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())


def paired(term: str) -> bool:
    """Whether a term is a run of an unspaced script."""
    return bool(_paired().match(term))


class Known:
    """What pieces of text were cut into, since most words come again and again. For whoever cuts many."""

    __slots__ = ("pieces", "sounds")

    def __init__(self) -> None:
        self.pieces: dict[str, str] = {}
        self.sounds: dict[str, str] = {}


def _tokens(text: str, known: Known) -> str:
    """What the index holds of a text, some of it maybe twice. No term goes across white space."""
    pieces = known.pieces
    found: list[str] = []
    rest: list[str] = []
    for piece in text.split():
        cut = pieces.get(piece)
        if cut is None:
            if len(piece) > _PIECE or (len(piece) > DIGIT_RUN and piece[-1].isdecimal()):
                rest.append(piece)  # addresses, numbers, sentences without spaces: hardly any comes again
                continue
            if len(pieces) >= _KNOWN:
                pieces.clear()
            pieces[piece] = cut = _cut(piece)
        if cut:
            found.append(cut)
    if rest and (cut := _cut(" ".join(rest))):
        found.append(cut)
    return " ".join(found)


def _cut(text: str) -> str:
    folded = fold(text)
    if folded.isascii():
        return " ".join(_WORD.findall(folded))
    simple = _SIMPLE.fullmatch(folded) is not None
    found: list[str] = []
    for term in (_SIMPLE_TERM if simple else _term()).findall(folded):
        if term.isascii() or not (simple or paired(term)):
            found.append(term)
        else:
            found += map(add, term, term[1:])
            found.append(term[-1])
    return " ".join(found)


def _phone_tokens(text: str) -> list[str]:
    return [PHONE_MARK + run for run in _RUN.findall(digits(text))]


# A field: its name, how it is searched, what gives its texts; None where the value is its one text.
Searched = tuple[str, Find, Callable[[Value], Iterable[str]] | None]


def searched(kind: Kind) -> tuple[Searched, ...]:
    """The fields of a kind that search sees."""
    return tuple(
        (field.name, field.find, None if type(field.type) in _OWN_TEXT else field.type.words)
        for field in kind.fields
        if field.find is not Find.NO
    )


def texts_of(
    fields: Iterable[Searched], values: Mapping[str, Value], known: Known | None = None
) -> tuple[str, str]:
    """The index texts of a record: of its names, words and phones, and of its notes; tokens parted by spaces,
    some of them maybe twice.
    """
    known = known or Known()
    short: list[str] = []
    long: list[str] = []
    phones: list[str] = []
    for name, how, words in fields:
        value = values.get(name)
        if value is None:
            continue
        into = long if how is Find.NOTES else phones if how is Find.DIGITS else short
        if words is None:
            into.append(value)
        else:
            into.extend(words(value))
    return _joined(short, phones, known), _joined(long, (), known)


def texts_from(
    short: Sequence[str], phones: Sequence[str], long: Sequence[str], names: Iterable[Value], known: Known
) -> tuple[str, str, str]:
    """The index texts of a record from its names and words, phones and notes, and the names alone for their sounds."""
    return _joined(short, phones, known), _joined(long, (), known), sounds_in(names, known)


def _joined(texts: Sequence[str], phones: Sequence[str], known: Known) -> str:
    found = _tokens("\n".join(texts), known) if texts else ""
    if not phones:
        return found
    runs = [token for phone in phones for token in _phone_tokens(phone)]
    if found:
        runs.append(found)
    return " ".join(runs)


def sounds_of(fields: Iterable[Searched], values: Mapping[str, Value], known: Known | None = None) -> str:
    """How the name of a record may be typed, for the index of sounds; "" where no Chinese character is in it."""
    return sounds_in([values.get(name) for name, how, _words in fields if how is Find.NAME], known or Known())


def sounds_in(names: Iterable[Value], known: Known) -> str:
    """How any of these names may be typed, some of it maybe twice."""
    texts = "\n".join([text for text in names if isinstance(text, str) and not text.isascii()])
    if not texts:
        return ""
    if len(known.sounds) > _KNOWN:
        known.sounds.clear()
    return " ".join(readings.tokens(fold(texts), known.sounds))


class Query(Quiet, frozen=True):
    """A cut query: its terms, the digits of the phone number it may be ("" when it is none), terms of sounds."""

    terms: tuple[str, ...]
    phone: str = ""
    sounds: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not self.terms


def query(text: str) -> Query:
    """What a person typed, cut into terms; more than a person types is left out."""
    text = text[:QUERY_MAX]
    folded = fold(text)
    found = tuple(dict.fromkeys(terms(folded)))[:TERMS_MAX]
    return Query(found, _phone(folded), tuple(term for term in found if readings.asked(term)))


def _phone(text: str) -> str:
    """The digits that a phone number holds when it is the one typed; "" when none was typed."""
    run = digits(text) if _PHONE.fullmatch(text) else ""
    if len(run) < DIGIT_RUN:
        return ""
    parts = [run, run.lstrip("0")]
    if (run.startswith("00") or "+" in text) and (country := _COUNTRY.match(parts[-1])):
        parts.append(parts[-1][country.end() :].lstrip("0"))
    return next((part for part in reversed(parts) if len(part) >= _LINE), run)


def asked(question: Query) -> str:
    """The query in the index's own words: a little wider than the rule, `matches` tells the rest."""
    said = " AND ".join(_asked_term(term) for term in question.terms)
    if question.phone and question.terms != (question.phone,):
        return f"({said}) OR ({asked_phone(question.phone)})"
    return said


def _asked_term(term: str) -> str:
    if paired(term):
        if len(term) == 1:
            return f'"{term}" *'
        return "(" + " AND ".join(f'"{term[at : at + 2]}"' for at in range(len(term) - 1)) + ")"
    if is_number(term):
        return f'("{term}" * OR ({asked_phone(digits(term))}))'
    return f'"{term}" *'


def asked_phone(run: str) -> str:
    """The digits of a phone number in the index's own words: a little wider, for runs of them may stand apart."""
    return " AND ".join(f'"{token}"' for token in _phone_tokens(run))


def matched_fields(kind: Kind, values: Mapping[str, Value], question: Query) -> list[str]:
    """The fields in which the terms were found, those with most of them first; empty when the rule does not hold."""
    hits: dict[str, set[str]] = {}
    wanted = question.terms
    missing = set(wanted)
    numbers = [(term, digits(term)) for term in wanted if is_number(term)]
    by_phone = False
    for name, how, words in _searched(kind):
        value = values.get(name)
        if value is None or (how is Find.DIGITS and not numbers and not question.phone):
            continue
        for text in (value,) if words is None else words(value):
            if how is Find.DIGITS:
                run = digits(text)
                got = [term for term, number in numbers if number in run]
                if question.phone and question.phone in run:
                    by_phone = True
                    got = list(wanted)
            else:
                got = _terms_in(text, wanted, question.sounds if how is Find.NAME else ())
            if got:
                hits.setdefault(name, set()).update(got)
                missing.difference_update(got)
    if missing and not by_phone:
        return []
    return sorted(hits, key=lambda name: -len(hits[name]))


def is_number(term: str) -> bool:
    """Whether a term is also looked for inside phone numbers."""
    return len(term) >= DIGIT_RUN and term.isdecimal()


_SEARCHED: Final[dict[str, tuple[Kind, tuple[Searched, ...]]]] = {}


def _searched(kind: Kind) -> tuple[Searched, ...]:
    """`searched`, told once for each kind: it is asked for every row."""
    known = _SEARCHED.get(kind.name)
    if known is None or known[0] is not kind:
        known = _SEARCHED[kind.name] = (kind, searched(kind))
    return known[1]


def _terms_in(text: str, wanted: Iterable[str], sounds: Sequence[str] = ()) -> list[str]:
    folded = fold(text)
    found = [] if folded.isascii() else [term for term in sounds if readings.heard(folded, term)]
    there: list[str] | None = None
    for term in wanted:
        if term not in folded or term in found:  # most rows' most fields: no word needs to be cut
            continue
        if not paired(term) and not folded.startswith(term):
            there = terms(folded) if there is None else there
            if not any(word.startswith(term) for word in there):
                continue
        found.append(term)
    return found
