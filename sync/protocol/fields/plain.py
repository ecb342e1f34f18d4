"""Types that hold one thing: text, a choice, yes or no, a number, a day, a moment, an amount, a record, a person."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from sync.protocol import money
from sync.protocol.errors import FieldProblem
from sync.protocol.fields.base import INT_MAX, TEXT_MAX, FieldType, Merge, Value, clean_text, notes_room
from sync.protocol.ids import ID_BYTES, parse_id
from sync.protocol.texts import gettext as _

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Text(FieldType, frozen=True):
    """One line of text of at most `limit` characters."""

    limit: int = TEXT_MAX

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if not isinstance(value, str):
            raise FieldProblem(name, _("This field holds text."))
        text = value.strip() if value.isprintable() else clean_text(value)
        if len(text) > self.limit:
            raise FieldProblem(name, _("Too long: at most {limit} characters.").format(limit=self.limit))
        return text or None


class Notes(FieldType, frozen=True):
    """Text of many lines."""

    editor: ClassVar[str] = "notes"
    merge: ClassVar[Merge] = Merge.NOTES

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if not isinstance(value, str):
            raise FieldProblem(name, _("This field holds text."))
        text = clean_text(value, lines=True)
        room = notes_room(text)
        if len(text) > room:
            raise FieldProblem(name, _("Too long: at most {limit} characters.").format(limit=room))
        return text or None


class Choice(FieldType, frozen=True):
    """One of a few set values; `choices` pairs the stored word with its label, mildest first where it matters."""

    editor: ClassVar[str] = "choice"
    choices: tuple[tuple[str, str], ...] = ()

    def check(self, name: str, value: Value) -> Value:
        if value is None or value == "":
            return None
        for stored, _label in self.choices:
            if value == stored:
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


class Flag(FieldType, frozen=True):
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
        if word in ("yes", "true", "1", "y", "x", "on", "是", "对", "對", "有", "已"):
            return True
        if word in ("no", "false", "0", "n", "off", "否", "不", "无", "無"):
            return False
        raise FieldProblem(name, _("This field is yes or no."))

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        return (None if value is None else int(value),)

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        return None if columns[0] is None else bool(columns[0])


class Integer(FieldType, frozen=True):
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


class Date(FieldType, frozen=True):
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


class Instant(FieldType, frozen=True):
    """A moment: UTC milliseconds and the IANA zone in which it was said."""

    editor: ClassVar[str] = "instant"
    sql: ClassVar[tuple[tuple[str, str], ...]] = (("", "INTEGER"), ("_zone", "TEXT"))

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if isinstance(value, Mapping) and set(value) <= {"at", "zone"}:
            at, zone = value.get("at"), value.get("zone") or "UTC"
            fits = isinstance(at, int) and not isinstance(at, bool) and abs(at) < 2**47
            if fits and isinstance(zone, str) and _ZONE.fullmatch(zone):
                return {"at": at, "zone": zone}
        raise FieldProblem(name, _("This field holds a moment in time."))

    def parse(self, name: str, text: str) -> Value:
        text = text.strip()
        if not text:
            return None
        zone = "UTC"
        try:
            moment = dt.datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.astimezone()
                zone = _local_zone()
            at = (moment - _EPOCH) // dt.timedelta(milliseconds=1)
        except (ValueError, OverflowError):  # the calendar's first and last days overflow in some zones
            raise FieldProblem(name, _("Not a moment in time."), _("Write it as 2026-11-22 14:30.")) from None
        return self.check(name, {"at": at, "zone": zone})

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        return (None, None) if value is None else (value["at"], value["zone"])

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        return None if columns[0] is None else {"at": columns[0], "zone": columns[1]}

    def words(self, value: Value) -> Iterable[str]:
        return ()


class Money(FieldType, frozen=True):
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


class Ref(FieldType, frozen=True):
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


class Person(FieldType, frozen=True):
    """Who is responsible: the e-mail of somebody with an account, or any other name kept as text."""

    editor: ClassVar[str] = "person"
    merge: ClassVar[Merge] = Merge.HOLD

    def check(self, name: str, value: Value) -> Value:
        return _PERSON.check(name, value)


_PERSON: Final = Text(limit=254)


def _local_zone() -> str:
    """The IANA name of this machine's zone, or UTC when it has none."""
    # It looks through files of the system: only when a zone is asked for.
    from babel.localtime import get_localzone

    return getattr(get_localzone(), "key", None) or "UTC"
