"""What search must find: its written rule as a plain scan over a record's values, in other words than the program's."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from app.store import words
from sync.protocol.fields import Field, Find
from sync.protocol.kinds import Kind
from tests.store.sounding import typed_for
from tests.store.spelled import has_pair, in_latin, phone_runs, with_pairs

# Every character is classed by its Unicode name.
UNSPACED = (
    "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "BOPOMOFO",
)  # fmt: skip


def _class(char: str) -> str:
    """ "p" for unspaced scripts, "w" for alphabets and numbers, "" for what parts words."""
    name = unicodedata.name(char, "")
    if unicodedata.category(char)[0] in "PSZC":
        return ""
    if name.startswith(UNSPACED):
        return "p"
    indic = unicodedata.category(char)[0] == "M" and name.startswith("DEVANAGARI")
    return "w" if char.isalnum() or indic else ""


@functools.lru_cache(maxsize=8192)
def _cut(text: str) -> list[str]:
    """Runs of one class."""
    found: list[str] = []
    last = ""
    for char in words.fold(text):
        now = _class(char)
        if now and now == last:
            found[-1] += char
        elif now:
            found.append(char)
        last = now
    return found


def _number(text: str) -> str:
    return "".join(str(unicodedata.digit(c)) for c in text if c.isdecimal())


def scan(kind: Kind, values: dict[str, Any], asked: str) -> bool:
    """The written rule, read off every searched value in turn."""
    return scan_fields([field for field in kind.fields if field.find is not Find.NO], values, asked)


def scan_fields(fields: Sequence[Field], values: dict[str, Any], asked: str) -> bool:
    """The same of some fields."""
    terms = _cut(asked)
    texts = [t for f in fields if f.find is not Find.DIGITS for t in f.type.words(values.get(f.name))]
    runs = [run for text in texts for run in _cut(text)]
    numbers = [_number(t) for f in fields if f.find is Find.DIGITS for t in f.type.words(values.get(f.name))]
    names = [values[f.name] for f in fields if f.find is Find.NAME]
    typed = typed_for(words.fold(names[0])) if names else set()
    unnoted = [
        t for f in fields if f.find in (Find.NAME, Find.WORDS) for t in f.type.words(values.get(f.name))
    ]
    own = [run for text in unnoted for run in _cut(text)]
    in_pairs = [run for text in unnoted for run in _cut(with_pairs(text))]
    also = dict(zip(terms, _cut(with_pairs(asked) or asked), strict=True))

    def found(term: str) -> bool:
        if _class(term[0]) == "p":
            return any(term in run for run in runs)
        by_number = term.isdecimal() and len(term) >= 3 and any(_number(term) in number for number in numbers)
        return by_number or term in typed or any(run.startswith(term) for run in runs) or otherwise(term)

    def otherwise(term: str) -> bool:
        if re.fullmatch("[a-z]{3,}", term) and any(
            way.startswith(term) for run in own for way in in_latin(run)
        ):
            return True
        forms = {term, also[term]}
        pairs = any(run.startswith(form) for form in forms if has_pair(form) for run in in_pairs)
        return pairs or any(run.startswith(form) for form in forms for run in own)

    as_phone = any(run in number for run in phone_runs(asked) for number in numbers)
    return bool(terms) and (all(found(term) for term in terms) or as_phone)
