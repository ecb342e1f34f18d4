"""Which encoding a file is written in: cheap rules of our own first, a general detector where they do not decide.

The rules, in order: a byte order mark; the zero bytes of UTF-16; strict UTF-8; UTF-8 with a few broken places;
pairs of high bytes as simplified Chinese writes them; lone high bytes as Western Europe writes them.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

import charset_normalizer

SAMPLE_BYTES: Final = 256 * 1024
GUESS_BYTES: Final = 32 * 1024  # the general detector is slow
SURE: Final = 0.8  # below this the report says that the encoding is a guess

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]|[\x81-\xfe][0-9][\x81-\xfe][0-9]")
# Letters with accents and the signs that stand among them; a lone byte inside a word is none of these in cp1250.
_WESTERN = re.compile(rb"[\xc0-\xd6\xd8-\xf6\xf8-\xff\x8a\x8c\x8e\x9a\x9c\x9e\x9f\xaa\xba]")
_WESTERN_SIGNS = re.compile(
    rb"[\x80\x82\x84\x85\x91-\x97\x99\xa0\xa1\xa3\xa7\xa9\xab\xae\xb0\xb2\xb4\xb7\xbb\xbd\xbf]"
)
_IN_A_WORD = re.compile(rb"(?<=[A-Za-z])[\x80-\xff](?=[A-Za-z])")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text; `confidence` runs from 0 to 1, `broken` counts places that no rule could read."""

    text: str
    encoding: str
    confidence: float
    broken: int = 0


def decode(data: bytes) -> Decoded:
    """The text of a file in whatever encoding it is; never raises, at worst with replacement marks."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding, 1.0, bom=True)
    wide = _wide(data)
    if wide is not None:
        return _decoded(data, wide, 0.95)
    try:
        return Decoded(data.decode("utf-8"), "utf-8", 1.0)
    except UnicodeDecodeError:
        pass
    marred = _marred_utf8(data)
    if marred is not None:
        return marred
    sample = data[:SAMPLE_BYTES]
    for encoding, confidence in (_chinese(sample), _western(sample), _guess(sample)):
        if confidence >= SURE:
            return _decoded(data, encoding, confidence)
    return _decoded(data, *max(_western(sample), _guess(sample), key=lambda found: found[1]))


def _decoded(data: bytes, encoding: str, confidence: float, *, bom: bool = False) -> Decoded:
    name = encoding + ("-bom" if bom else "")
    try:
        return Decoded(
            data.decode(encoding), name, confidence
        )  # a mark that somebody wrote is no broken place
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
    return Decoded(text, name, confidence, text.count("\ufffd"))


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: the high halves of line breaks, commas and digits are zero bytes on one side."""
    sample = data[: SAMPLE_BYTES // 2 * 2]
    if len(sample) < 4 or len(data) % 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    encoding, zeros, stray = ("utf-16-le", odd, even) if odd > even else ("utf-16-be", even, odd)
    if zeros == 0 or stray * 20 > zeros:
        return None
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return None
    # Plain text with a few stray NULs is no UTF-16: there, every second byte is zero or a line break is found.
    plain = _HIGH.search(sample) is None
    if zeros * 4 >= len(sample) // 2 or (not plain and ("\n" in text or "\r" in text)):
        return encoding
    return None


def _marred_utf8(data: bytes) -> Decoded | None:
    """UTF-8 in which a few places are broken, such as a text cut by a byte limit."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    beyond_ascii = len(data.translate(None, bytes(range(128))))
    return Decoded(text, "utf-8", 0.85, broken) if beyond_ascii > 60 * broken else None


def _chinese(sample: bytes) -> tuple[str, float]:
    """GB18030 and the sure measure of it: its everyday characters are pairs of two high bytes."""
    runs = _HIGH_RUN.findall(sample)
    high = sum(len(run) for run in runs)
    pairs = [pair for pair in _PAIR.findall(sample) if len(pair) == 2]
    if not pairs or len(sample.decode("gb18030", "ignore").encode("gb18030")) < len(sample) - 1:
        return "gb18030", 0.0
    everyday = sum(0xB0 <= first <= 0xF7 and second >= 0xA1 for first, second in pairs)
    signs = sum(0xA1 <= first <= 0xA3 and second >= 0xA1 for first, second in pairs)
    kana = sum(first in (0xA4, 0xA5) for first, _second in pairs)
    level_1 = sum(0xB0 <= first <= 0xD7 for first, _second in pairs)
    late = sum(0xC9 <= first <= 0xD7 for first, _second in pairs)  # Korean has no syllable there
    last = sum(0xD0 <= first <= 0xD7 for first, _second in pairs)  # rare in Japanese
    lone = sum(len(run) == 1 for run in runs)
    chinese = (
        (everyday + signs) >= 0.9 * len(pairs)
        and 2 * len(pairs) >= 0.9 * high
        and lone <= 0.05 * len(runs)
        and kana <= 0.03 * len(pairs)
        and level_1 >= 0.75 * everyday
        and (len(pairs) < 30 or (late >= 0.15 * len(pairs) and last >= 0.1 * len(pairs)))
    )
    if not chinese:
        return "gb18030", 0.0
    return "gb18030", 0.95 if len(pairs) >= 30 else 0.85


def _western(sample: bytes) -> tuple[str, float]:
    """Windows' Western encoding and the sure measure of it: lone accented letters among plain ones."""
    high = _HIGH.findall(sample)
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return "cp1252", 0.2
    known = len(_WESTERN.findall(sample)) + len(_WESTERN_SIGNS.findall(sample))
    inside = _IN_A_WORD.findall(sample)
    odd = sum(_WESTERN.match(each) is None for each in inside)
    long_runs = sum(len(run) for run in _HIGH_RUN.findall(sample) if len(run) > 2)
    if known >= 0.95 * len(high) and odd == 0 and long_runs <= 0.1 * len(high):
        return "cp1252", 0.9
    return "cp1252", 0.4


def _guess(sample: bytes) -> tuple[str, float]:
    """What the general detector says of the lines that hold high bytes."""
    lines = [line for line in sample.splitlines(keepends=True) if _HIGH.search(line)]
    found = charset_normalizer.from_bytes(b"".join(lines)[:GUESS_BYTES]).best()
    if found is None:
        return "cp1252", 0.1
    return found.encoding, 0.6 + 0.2 * (1 - min(1.0, found.chaos * 5))
