"""How search sees text: words of alphabets whole, unspaced scripts by pairs, numbers and phones by three digits.

The rule, in full. Text is folded: compatibility forms, case and accents fall away. A query is cut into terms
and every term must be found in the record, in whichever searched field:

- a word of an alphabet, or a number: some word begins with it;
- a run of an unspaced script (Chinese, Japanese, Korean, Thai, ...): it stands somewhere inside such a run;
- a term of three digits or more is also found anywhere inside a phone number's digits;
- a term of letters is also found in a name (the title of a record) in Chinese characters that sound so: readings.py;
- in names and words, a term is also found in words that are written so otherwise: spellings.py.

A query that is one phone number as people write them is also found as a whole, in whatever notation: phones.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from operator import add
from typing import Final

from app.store import phones, readings, spellings
from app.store.phones import digits
from app.store.pieces import BEGINNING, parted, pieces
from sync.protocol.fields import Find, Notes, Person, Text, Value
from sync.protocol.kinds import Kind
from sync.protocol.quiet import Quiet

NOTE_MARK: Final = "\ue001"  # private use: a token of the notes never looks like a word
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
# And those in Cyrillic, of whose letters three have a mark that falls away.
_CYRILLIC: Final = re.compile(
    "[\x00-\x7f\u0401\u0404\u0406\u0407\u0410-\u044f\u0451\u0454\u0456\u0457\u0490\u0491]*"
)
_CYRILLIC_TERM: Final = re.compile("[0-9A-Za-z\u0401-\u0491]+")
_BARE: Final = str.maketrans("йёї", "иеі")
# What is folded by the tables of Unicode: all but ASCII, each run with the character that its first may join.
_ODD: Final = re.compile("[\x00-\x7f]?[^\x00-\x7f]+")
_WORD: Final = re.compile("[0-9a-z]+")
_KNOWN: Final = 8_192  # pieces of text whose tokens are kept in mind, and of names whose sounds are
_LONG: Final = 12  # characters of a piece that is too long to be worth it
_SHORT: Final = 2  # characters that tell nothing of a person, so that they may be kept in memory
# Nor do a few more with accents, between letters without any. Of Korean or of kana they are a whole name.
_SHORT_ACCENTED: Final = re.compile("[\x00-\x7f\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff]{3,4}")
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
    if _CYRILLIC.fullmatch(text):
        return text.lower().translate(_BARE)
    # ASCII is never the second of two characters that are joined, so a text may be cut before each of them.
    lower = text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
    return _ODD.sub(_folded, lower)


def _folded(found: re.Match[str]) -> str:
    text = found[0]
    short = len(text) <= _SHORT or _SHORT_ACCENTED.fullmatch(text)
    return _fold_short(text) if short else _fold_any(text)


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
    if _SIMPLE.fullmatch(text):
        return _SIMPLE_TERM.findall(text)
    return (_CYRILLIC_TERM if _CYRILLIC.fullmatch(text) else _term()).findall(text)


def placed(folded: str) -> Iterator[tuple[int, str]]:
    """The same with the place where each begins."""
    for found in _term().finditer(folded):
        yield found.start(), found[0]


def paired(term: str) -> bool:
    """Whether a term is a run of an unspaced script."""
    return bool(_paired().match(term))


class Known:
    """What pieces of text were cut into, since most words come again and again. For whoever cuts many; it goes with the
    store, since it holds words of its records.
    """

    __slots__ = ("notes", "pieces", "sounds")

    def __init__(self) -> None:
        self.pieces: dict[str, str] = {}
        self.notes: dict[str, str] = {}
        self.sounds: dict[str, str] = {}


def _tokens(text: str, known: dict[str, str], cut: Callable[[str], str]) -> str:
    """What the index holds of a text, some of it maybe twice. No term goes across white space."""
    found: list[str] = []
    rest: list[str] = []
    for piece in text.split():
        said = known.get(piece)
        if said is None:
            if len(piece) > _LONG or (len(piece) > phones.DIGIT_RUN and piece[-1].isdecimal()):
                rest.append(piece)  # addresses, numbers, sentences without spaces: hardly any comes again
                continue
            if len(known) >= _KNOWN:
                known.clear()
            known[piece] = said = cut(piece)
        if said:
            found.append(said)
    if rest and (said := cut(" ".join(rest))):
        found.append(said)
    return " ".join(found)


def _cut_words(text: str) -> str:
    return " ".join([_word_tokens(term) for term in _folded_terms(text)])


def _cut_notes(text: str) -> str:
    return " ".join([_note_tokens(term) for term in _folded_terms(text)])


def _folded_terms(text: str) -> list[str]:
    folded = fold(text)
    return _WORD.findall(folded) if folded.isascii() else terms(folded)


def _word_tokens(term: str) -> str:
    """What the index holds of a term of names, words and numbers.

    Of a word: its beginning, its letters up to the first digit, and the pieces of the rest. Numbers, mailboxes with a
    number and their like are hardly ever written twice: whole, each would be a token of its own, and in the room of
    one of these the index has six that come again.
    """
    if not term.isascii() and paired(term):
        return " ".join([*map(add, term, term[1:]), *term])
    letters, tail = ("", term) if term.isdecimal() else parted(term)
    said = f"{letters} {letters[:BEGINNING]}" if len(letters) > BEGINNING else letters
    if not tail:
        return said
    numbers = " ".join(pieces(letters, tail))
    return f"{said} {numbers}" if letters else numbers


def _note_tokens(term: str) -> str:
    """What the index holds of a term of the notes: words whole."""
    if term.isascii() or not paired(term):
        return NOTE_MARK + term
    return " ".join([NOTE_MARK + pair for pair in (*map(add, term, term[1:]), term[-1])])


# A field: its name, how it is searched, what gives its texts; None where the value is its one text.
Searched = tuple[str, Find, Callable[[Value], Iterable[str]] | None]


def searched(kind: Kind) -> tuple[Searched, ...]:
    """The fields of a kind that search sees."""
    return tuple(
        (field.name, field.find, None if type(field.type) in _OWN_TEXT else field.type.words)
        for field in kind.fields
        if field.find is not Find.NO
    )


def text_of(fields: Iterable[Searched], values: Mapping[str, Value], known: Known | None = None) -> str:
    """The text of a record in the index: its tokens, and those of notes, phones and sounds behind their marks; some of
    them maybe twice.
    """
    short: list[str] = []
    long: list[str] = []
    dialled: list[str] = []
    names: list[Value] = []
    for name, how, words in fields:
        value = values.get(name)
        if value is None:
            continue
        if how is Find.NAME:
            names.append(value)
        into = long if how is Find.NOTES else dialled if how is Find.DIGITS else short
        if words is None:
            into.append(value)
        else:
            into.extend(words(value))
    return text_from(short, dialled, long, names, known or Known())


def text_from(
    short: Sequence[str], dialled: Sequence[str], long: Sequence[str], names: Iterable[Value], known: Known
) -> str:
    """The same from a record's names and words, phones and notes, and from the names once more for their sounds."""
    found = [token for phone in dialled for token in phones.tokens(phone)]
    if short:
        found.append(_tokens("\n".join(short), known.pieces, _cut_words))
    if long:
        found.append(_tokens("\n".join(long), known.notes, _cut_notes))
    said = "\n".join([name for name in names if isinstance(name, str) and not name.isascii()])
    if said:
        if len(known.sounds) > _KNOWN:
            known.sounds.clear()
        found += readings.tokens(fold(said), known.sounds)
    return " ".join([each for each in found if each])


class Query(Quiet, frozen=True):
    """A cut query: its terms, the runs of digits one of which the phone number has that it may be, terms of sounds, and
    how terms are also written: `also` by their places, terms with pairs for ä and its kin, `spoken` in other alphabets.
    """

    terms: tuple[str, ...]
    phones: tuple[str, ...] = ()
    sounds: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    with_pairs: tuple[str, ...] = ()
    spoken: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not self.terms

    def forms(self, term: str) -> tuple[str, ...]:
        """A term, and how it is written otherwise in its own alphabet."""
        if not self.also or not (also := self.also[self.terms.index(term)]):
            return (term,)
        return term, also


def query(text: str, *, sounds: bool = True) -> Query:
    """What a person typed, cut into terms; more than a person types is left out. Without `sounds` no file is read."""
    text = text[:QUERY_MAX]
    folded = fold(text)
    cut = terms(folded)
    found = tuple(dict.fromkeys(cut))[:TERMS_MAX]
    return Query(
        found,
        phones.runs(folded),
        tuple(term for term in found if sounds and readings.asked(term)),
        also := _also(text, cut, found),
        tuple(term for term in (*found, *also) if spellings.has_pair(term)),
        tuple(term for term in found if spellings.is_spoken(term)),
    )


def _also(text: str, cut: Sequence[str], found: Sequence[str]) -> tuple[str, ...]:
    """By terms: how each is written without the ä and its kin it was typed with; "" where it had none."""
    paired_text = spellings.with_pairs(text)
    if not paired_text:
        return ()
    also = dict(zip(cut, terms(fold(paired_text)), strict=True))
    return tuple("" if also[term] == term else also[term] for term in found)


def matched_fields(kind: Kind, values: Mapping[str, Value], question: Query) -> list[str]:
    """The fields in which the terms were found, those with most of them first; empty when the rule does not hold."""
    hits: dict[str, set[str]] = {}
    wanted = question.terms
    missing = set(wanted)
    numbers = [(term, digits(term)) for term in wanted if phones.is_run(term)]
    by_phone = False
    for name, how, words in _searched(kind):
        value = values.get(name)
        if value is None or (how is Find.DIGITS and not numbers and not question.phones):
            continue
        for text in (value,) if words is None else words(value):
            if how is Find.DIGITS:
                run = digits(text)
                got = [term for term, number in numbers if number in run]
                if any(typed in run for typed in question.phones):
                    by_phone = True
                    got = list(wanted)
            else:
                got = _terms_in(text, question, how)
            if got:
                hits.setdefault(name, set()).update(got)
                missing.difference_update(got)
    if missing and not by_phone:
        return []
    return sorted(hits, key=lambda name: -len(hits[name]))


def held_by(how: Find, texts: Iterable[str], question: Query) -> bool:
    """Whether every term is in the texts of one field, which is searched so."""
    if how is Find.DIGITS:
        runs = [digits(text) for text in texts]
        if any(typed in run for typed in question.phones for run in runs):
            return True
        return not question.empty and all(
            phones.is_run(term) and any(digits(term) in run for run in runs) for term in question.terms
        )
    missing = set(question.terms)
    for text in texts:
        missing.difference_update(_terms_in(text, question, how))
    return not missing and not question.empty


_SEARCHED: Final[dict[str, tuple[Kind, tuple[Searched, ...]]]] = {}


def _searched(kind: Kind) -> tuple[Searched, ...]:
    """`searched`, told once for each kind: it is asked for every row."""
    known = _SEARCHED.get(kind.name)
    if known is None or known[0] is not kind:
        known = _SEARCHED[kind.name] = (kind, searched(kind))
    return known[1]


def _terms_in(text: str, question: Query, how: Find) -> list[str]:
    folded = fold(text)
    found: list[str] = []
    if not folded.isascii() and how is Find.NAME:
        found = [term for term in question.sounds if readings.heard(folded, term)]
    there: list[str] | None = None
    for term in question.terms:
        if term not in folded or term in found:  # most rows' most fields: no word needs to be cut
            continue
        if not paired(term) and not folded.startswith(term):
            there = terms(folded) if there is None else there
            if not _begun(there, term):
                continue
        found.append(term)
    # Most rows' most fields again: in ASCII a word is written in one way alone.
    otherwise = not text.isascii() or any(also and also in folded for also in question.also)
    if otherwise and len(found) < len(question.terms) and how is not Find.NOTES:
        found += _written(text, folded, question, found)
    return found


def _written(text: str, folded: str, question: Query, found: Sequence[str]) -> list[str]:
    """The other terms for which a word of a text stands as it is also written."""
    spelled = spellings.with_pairs(text) if question.with_pairs else ""
    in_pairs = fold(spelled) if spelled else ""
    spoken = question.spoken and not folded.isascii() and spellings.OTHER.search(folded)
    if not (question.also or spelled or spoken):
        return []
    left = [term for term in question.terms if term not in found]
    more = [
        term
        for term in left
        for form in question.forms(term)
        if (form != term and form in folded and _begun(terms(folded), form))
        or (form in in_pairs and form in question.with_pairs and _begun(terms(in_pairs), form))
    ]
    if spoken and (asked := [term for term in left if term in question.spoken]):
        there = terms(folded)
        more += [term for term in asked if any(spellings.reach(word, term) for word in there)]
    return more


def _begun(there: Iterable[str], term: str) -> bool:
    return any(word.startswith(term) for word in there)
