"""The types a field can have: what they hold, how they are written, stored, searched and merged by default.

A value is plain data (str, int, bool, list, dict of these). A record at rest on the server and on the wire is
a flat map of *cells*: one per field, or, for a field of several values, one per element (`phones/<16 hex>`) and
one per tag (`tags/<tag>`), so that two people who add two phones never meet.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import msgspec
from babel.localtime import get_localzone

from sync.protocol import money
from sync.protocol.errors import FieldProblem
from sync.protocol.ids import ELEMENT_BYTES, ID_BYTES, new_element_id, parse_id
from sync.protocol.texts import gettext as _

Value = Any  # None, str, int, bool, bytes (references), list and dict of these; checked by FieldType.check


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


TEXT_MAX: Final = 500
NOTES_MAX: Final = 65_536  # characters; a row stays below 256 KiB
ELEMENTS_MAX: Final = 64
INT_MAX: Final = 2**63 - 1

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder()
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LINE_BREAKS = re.compile(r"[\r\n\x0b\x0c\x85\u2028\u2029]+")


def clean_text(text: str, *, lines: bool = False) -> str:
    """Text every store can hold: no NUL, no lone surrogate, no stray control; one line unless `lines`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not lines:
        text = _LINE_BREAKS.sub(" ", text)
    kept = "".join(
        "\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c
        for c in text
        if c in "\n\t" or unicodedata.category(c) != "Cc"
    )
    return kept.strip()


@dataclass(frozen=True, slots=True)
class FieldType:
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


@dataclass(frozen=True, slots=True)
class Text(FieldType):
    """One line of text of at most `limit` characters."""

    limit: int = TEXT_MAX

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if not isinstance(value, str):
            raise FieldProblem(name, _("This field holds text."))
        text = clean_text(value)
        if len(text) > self.limit:
            raise FieldProblem(name, _("Too long: at most {limit} characters.").format(limit=self.limit))
        return text or None


@dataclass(frozen=True, slots=True)
class Notes(FieldType):
    """Text of many lines."""

    editor: ClassVar[str] = "notes"
    merge: ClassVar[Merge] = Merge.NOTES

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if not isinstance(value, str):
            raise FieldProblem(name, _("This field holds text."))
        text = clean_text(value, lines=True)
        if len(text) > NOTES_MAX:
            raise FieldProblem(name, _("Too long: at most {limit} characters.").format(limit=NOTES_MAX))
        return text or None


@dataclass(frozen=True, slots=True)
class Choice(FieldType):
    """One of a few set values; `choices` pairs the stored word with its label, mildest first where it matters."""

    editor: ClassVar[str] = "choice"
    choices: tuple[tuple[str, str], ...] = ()

    def check(self, name: str, value: Value) -> Value:
        if value is None or value == "":
            return None
        if value in self.values:
            return value
        raise FieldProblem(
            name,
            _("Not one of the choices."),
            _("Choose one of: {choices}").format(choices=", ".join(self.values)),
        )

    def parse(self, name: str, text: str) -> Value:
        wanted = " ".join(text.split()).casefold()
        for stored, label in self.choices:
            if wanted in (stored, label.casefold(), _(label).casefold()):
                return stored
        return self.check(name, text)

    @property
    def values(self) -> tuple[str, ...]:
        """The stored words, in order."""
        return tuple(stored for stored, _label in self.choices)

    def label(self, value: Value) -> str:
        """The label of a stored word in the reader's language; the word itself when it is from a newer version."""
        return next((_(label) for stored, label in self.choices if stored == value), str(value or ""))

    def words(self, value: Value) -> Iterable[str]:
        return ()


@dataclass(frozen=True, slots=True)
class Flag(FieldType):
    """Yes or no."""

    editor: ClassVar[str] = "flag"
    sql: ClassVar[tuple[tuple[str, str], ...]] = (("", "INTEGER"),)

    def check(self, name: str, value: Value) -> Value:
        if value is None or isinstance(value, bool):
            return value
        raise FieldProblem(name, _("This field is yes or no."))

    def parse(self, name: str, text: str) -> Value:
        word = text.strip().casefold()
        if word in ("", "-"):
            return None
        if word in ("yes", "true", "1", "y", "x", "on", "是", "对", "有"):
            return True
        if word in ("no", "false", "0", "n", "off", "否", "不", "无"):
            return False
        raise FieldProblem(name, _("This field is yes or no."))

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        return (None if value is None else int(value),)

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        return None if columns[0] is None else bool(columns[0])


@dataclass(frozen=True, slots=True)
class Integer(FieldType):
    """A whole number between `low` and `high`."""

    editor: ClassVar[str] = "number"
    sql: ClassVar[tuple[tuple[str, str], ...]] = (("", "INTEGER"),)
    low: int = 0
    high: int = INT_MAX

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise FieldProblem(name, _("This field holds a whole number."))
        if not self.low <= value <= self.high:
            raise FieldProblem(name, _("A number from {low} to {high}.").format(low=self.low, high=self.high))
        return value

    def parse(self, name: str, text: str) -> Value:
        bare = re.sub(r"[\s'_\u00a0\u202f]", "", text)
        bare = re.sub(r"(?<=\d),(?=\d{3}(?:\D|$))", "", bare)
        if not bare:
            return None
        try:
            return self.check(name, int(bare))
        except ValueError:
            raise FieldProblem(name, _("This field holds a whole number.")) from None


@dataclass(frozen=True, slots=True)
class Date(FieldType):
    """A day without a time, as ISO text."""

    editor: ClassVar[str] = "date"

    def check(self, name: str, value: Value) -> Value:
        if value is None or value == "":
            return None
        if isinstance(value, str) and _DATE.fullmatch(value):
            try:
                dt.date.fromisoformat(value)
            except ValueError:
                pass
            else:
                return value
        raise FieldProblem(name, _("Not a day of the calendar."), _("Write it as 2026-11-22."))


@dataclass(frozen=True, slots=True)
class Instant(FieldType):
    """A moment: UTC milliseconds and the IANA zone in which it was said."""

    editor: ClassVar[str] = "instant"
    sql: ClassVar[tuple[tuple[str, str], ...]] = (("", "INTEGER"), ("_zone", "TEXT"))

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if isinstance(value, Mapping) and set(value) <= {"at", "zone"}:
            at, zone = value.get("at"), value.get("zone") or "UTC"
            if isinstance(at, int) and not isinstance(at, bool) and abs(at) < 2**47 and isinstance(zone, str):
                return {"at": at, "zone": zone[:64]}
        raise FieldProblem(name, _("This field holds a moment in time."))

    def parse(self, name: str, text: str) -> Value:
        text = text.strip()
        if not text:
            return None
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            raise FieldProblem(name, _("Not a moment in time."), _("Write it as 2026-11-22 14:30.")) from None
        zone = "UTC"
        if moment.tzinfo is None:
            moment = moment.astimezone()
            zone = _local_zone()
        return self.check(name, {"at": int(moment.timestamp() * 1000), "zone": zone})

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        return (None, None) if value is None else (value["at"], value["zone"])

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        return None if columns[0] is None else {"at": columns[0], "zone": columns[1]}

    def words(self, value: Value) -> Iterable[str]:
        return ()


@dataclass(frozen=True, slots=True)
class Money(FieldType):
    """An amount: minor units and ISO 4217 currency, merged whole."""

    editor: ClassVar[str] = "money"
    merge: ClassVar[Merge] = Merge.HOLD
    sql: ClassVar[tuple[tuple[str, str], ...]] = (("", "INTEGER"), ("_currency", "TEXT"))

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if isinstance(value, Mapping) and set(value) == {"minor", "currency"}:
            minor, currency = value["minor"], value["currency"]
            fits = isinstance(minor, int) and not isinstance(minor, bool) and abs(minor) <= INT_MAX
            if fits and isinstance(currency, str) and re.fullmatch(r"[A-Z]{3}", currency):
                return {"minor": minor, "currency": currency}
        raise FieldProblem(name, _("This field holds an amount of money."), _("Write it as 1250.00 EUR."))

    def parse(self, name: str, text: str) -> Value:
        try:
            amount = money.parse(text)
        except ValueError:
            raise FieldProblem(name, _("Not an amount of money."), _("Write it as 1250.00 EUR.")) from None
        return None if amount is None else self.check(name, amount)

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        return (None, None) if value is None else (value["minor"], value["currency"])

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        return None if columns[0] is None else {"minor": columns[0], "currency": columns[1]}

    def words(self, value: Value) -> Iterable[str]:
        return ()


ADDRESS_PARTS: Final = ("street", "postcode", "city", "region", "country")


@dataclass(frozen=True, slots=True)
class Address(FieldType):
    """A postal address of five parts, merged whole."""

    editor: ClassVar[str] = "address"

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if not isinstance(value, Mapping) or not set(value) <= set(ADDRESS_PARTS):
            raise FieldProblem(
                name,
                _("This field holds an address."),
                _("Parts: {parts}").format(parts=", ".join(ADDRESS_PARTS)),
            )
        parts = {part: Text().check(name, value.get(part)) for part in ADDRESS_PARTS}
        return {part: text for part, text in parts.items() if text} or None

    def parse(self, name: str, text: str) -> Value:
        return self.check(name, {"street": text})

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        return (_json(value),)

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        return _unjson(columns[0])

    def words(self, value: Value) -> Iterable[str]:
        return tuple((value or {}).values())


@dataclass(frozen=True, slots=True)
class Several(FieldType):
    """Several labelled values (phones, e-mails, web addresses): a list of {id, label, value} in entry order."""

    editor: ClassVar[str] = "several"
    several: ClassVar[bool] = True
    merge: ClassVar[Merge] = Merge.UNION
    of: str = "text"  # "phone", "email", "url": how a value is checked, dialled and searched
    labels: tuple[str, ...] = ("work", "mobile", "home", "other")

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if isinstance(value, str):
            value = [{"value": value}]
        if not isinstance(value, (list, tuple)):
            raise FieldProblem(name, _("This field holds a list of values."))
        if len(value) > ELEMENTS_MAX:
            raise FieldProblem(name, _("At most {limit} values.").format(limit=ELEMENTS_MAX))
        elements = [self.element(name, item) for item in value]
        return [element for element in elements if element] or None

    def element(self, name: str, item: Value) -> Value:
        """One element made exact, with an id of its own; None when it is empty."""
        if isinstance(item, str):
            item = {"value": item}
        if not isinstance(item, Mapping) or not set(item) <= {"id", "label", "value"}:
            raise FieldProblem(name, _("A value has a label and a text."))
        text = Text().check(name, item.get("value"))
        label = Text(limit=40).check(name, item.get("label")) or ""
        if text is None:
            return None
        if self.of == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
            raise FieldProblem(name, _("Not an e-mail address."), _("Write it as name@example.com."))
        key = item.get("id") or new_element_id()
        if not isinstance(key, str) or not re.fullmatch(rf"[0-9a-f]{{{2 * ELEMENT_BYTES}}}", key):
            raise FieldProblem(name, _("An element has no proper id."))
        return {"id": key, "label": label, "value": text}

    def parse(self, name: str, text: str) -> Value:
        parts = [part for part in re.split(r"\s*[;\n]\s*", text) if part.strip()]
        return self.check(name, [{"value": part} for part in parts])

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        return (_json(value),)

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        return _unjson(columns[0])

    def words(self, value: Value) -> Iterable[str]:
        return tuple(element["value"] for element in value or ())

    def cells(self, name: str, value: Value) -> dict[str, Value]:
        return {
            f"{name}/{element['id']}": {"label": element["label"], "value": element["value"]}
            for element in value or ()
        }


@dataclass(frozen=True, slots=True)
class Tags(FieldType):
    """A set of short words, kept sorted."""

    editor: ClassVar[str] = "tags"
    several: ClassVar[bool] = True
    merge: ClassVar[Merge] = Merge.UNION

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, (list, tuple, set)) or len(value) > ELEMENTS_MAX:
            raise FieldProblem(name, _("At most {limit} values.").format(limit=ELEMENTS_MAX))
        tags = {Text(limit=60).check(name, tag) for tag in value}
        return sorted(tag for tag in tags if tag) or None

    def parse(self, name: str, text: str) -> Value:
        return self.check(name, [part for part in re.split(r"[;,，；\n]", text) if part.strip()])

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        return (_json(value),)

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        return _unjson(columns[0])

    def words(self, value: Value) -> Iterable[str]:
        return tuple(value or ())

    def cells(self, name: str, value: Value) -> dict[str, Value]:
        return {f"{name}/{tag}": True for tag in value or ()}


@dataclass(frozen=True, slots=True)
class Ref(FieldType):
    """Another record, by id; `to` names its kind."""

    editor: ClassVar[str] = "ref"
    sql: ClassVar[tuple[tuple[str, str], ...]] = (("", "BLOB"),)
    to: str = ""

    def check(self, name: str, value: Value) -> Value:
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                return parse_id(value)
            except ValueError:
                value = b""
        if isinstance(value, (bytes, bytearray)) and len(value) == ID_BYTES:
            return bytes(value)
        raise FieldProblem(name, _("This field points to another record."), _("Give its id."))

    def words(self, value: Value) -> Iterable[str]:
        return ()


@dataclass(frozen=True, slots=True)
class Person(FieldType):
    """Who is responsible: the e-mail of somebody with an account, or any other name kept as text."""

    editor: ClassVar[str] = "person"
    merge: ClassVar[Merge] = Merge.HOLD

    def check(self, name: str, value: Value) -> Value:
        return Text(limit=254).check(name, value)


@dataclass(frozen=True, slots=True)
class Field:
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


def _local_zone() -> str:
    """The IANA name of this machine's zone, or UTC when it has none."""
    return getattr(get_localzone(), "key", None) or "UTC"


def _json(value: Value) -> str | None:
    return None if value is None else _ENCODER.encode(value).decode()


def _unjson(text: str | None) -> Value:
    return None if text is None else _DECODER.decode(text)
