"""What a field and its type are: how values are checked, stored, searched and merged by default."""

from __future__ import annotations

import enum
import math
import re
import unicodedata
from collections.abc import Iterable
from typing import Any, ClassVar, Final

import msgspec

Value = Any  # None, str, int, bool, bytes (references), list and dict of these; checked by FieldType.check
# None, str, int, bool, bytes (references), list and dict of these; checked by FieldType.check

TEXT_MAX: Final = 500
NOTES_MAX: Final = 65_536  # characters
NOTES_BYTES: Final = 96 * 2**10  # in UTF-8: an op holds the text before and after, and stays below 256 KiB
ELEMENTS_MAX: Final = 64
INT_MAX: Final = 2**63 - 1
PLAIN_DEPTH: Final = 16  # levels of a value that is carried without being known

_LINE_BREAKS = re.compile(r"[\r\n\x0b\x0c\x85\u2028\u2029]+")


class Merge(enum.StrEnum):
    """How two edits of one cell meet when neither had seen the other."""

    LATEST = "latest"  # the later clock is shown, the other is kept in a conflict
    HOLD = "hold"  # the server's value stays, the other becomes a conflict
    UNION = "union"  # elements are added and removed one by one
    NOTES = "notes"  # both texts stay, one after the other
    STRICTER = "stricter"  # the value that protects more wins


class Care(enum.IntEnum):
    """How much care a field needs, rising; what must never stand in a log is everything above PUBLIC."""

    PUBLIC = 0
    INTERNAL = 1
    CONFIDENTIAL = 2
    RESTRICTED = 3


class Find(enum.StrEnum):
    """How search sees a field."""

    NO = "no"
    NAME = "name"  # the title: first tier, by prefix
    WORDS = "words"
    DIGITS = "digits"  # phones: any run of three digits or more
    NOTES = "notes"  # long text, a second index


class FieldType(msgspec.Struct, frozen=True):
    """One type of field. `editor` names the widget; `sql` gives column suffix and SQL type per stored column."""

    editor: ClassVar[str] = "line"
    sql: ClassVar[tuple[tuple[str, str], ...]] = (("", "TEXT"),)
    several: ClassVar[bool] = False  # stored as one cell per element
    merge: ClassVar[Merge] = Merge.LATEST

    def check(self, name: str, value: Value) -> Value:
        """The value made exact, or None for empty. Raises FieldProblem."""
        raise NotImplementedError

    def parse(self, name: str, text: str) -> Value:
        """The value that a person typed. Raises FieldProblem."""
        return self.check(name, text)

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        """What the SQL columns hold, one item per entry of `sql`."""
        return (value,)

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        """The value that `to_columns` stored."""
        return columns[0]

    def words(self, value: Value) -> Iterable[str]:
        """The texts that search sees in a value."""
        return (value,) if isinstance(value, str) else ()

    def cells(self, name: str, value: Value) -> dict[str, Value]:
        """The value as cells of a record."""
        return {name: value}

    def told(self, value: Value) -> Value:
        """The value as scripts are told it: without what must not leave the program."""
        return value


class Field(msgspec.Struct, frozen=True):
    """One field of a kind: a line in the table. Everything that shows, stores, sends or finds it reads this."""

    name: str
    label: str
    type: FieldType
    required: bool = False
    merge: Merge | None = None  # None: the type's own rule
    care: Care = Care.INTERNAL
    find: Find = Find.NO
    column: int = 0  # place among the list's columns, 0 for none
    synonyms: str = ""  # headers in other programs' files, parted by "; "
    alias: str = ""  # the word for one value of several: phones.work is also phone.work
    default: Value = None

    @property
    def rule(self) -> Merge:
        """The merge rule in force."""
        return self.merge or self.type.merge


def clean_text(text: str, *, lines: bool = False) -> str:
    """Text every store can hold: no NUL, no lone surrogate, no stray control; one line unless `lines`."""
    if text.isprintable():  # most texts: nothing in them to clean
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not lines:
        text = _LINE_BREAKS.sub(" ", text)
    kept = "".join(
        "\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c
        for c in text
        if c in "\n\t" or unicodedata.category(c) != "Cc"
    )
    return kept.strip()


def notes_room(text: str) -> int:
    """How many characters a long text like this one may have: fewer where its script needs more bytes."""
    size = len(text.encode("utf-8", "replace"))
    return min(NOTES_MAX, NOTES_MAX if size <= NOTES_BYTES else NOTES_BYTES * len(text) // size)


def is_plain(value: Value) -> bool:
    """Whether a value that we do not know is plain data, such as every reader can hold, compare and show."""
    level = [value]
    for _depth in range(PLAIN_DEPTH):
        within: list[Value] = []
        for each in level:
            if isinstance(each, dict):
                if not all(isinstance(key, str) for key in each):
                    return False
                within += each.values()
            elif isinstance(each, list):
                within += each
            elif isinstance(each, float):
                if not math.isfinite(each):
                    return False
            elif each is not None and not isinstance(each, (str, int, bytes)):
                return False
        level = within
    return not level
