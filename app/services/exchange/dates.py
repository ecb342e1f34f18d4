"""How the days of one column are written, decided by the values that can be read in one way only.

`10/20/2016` is a month first, `20/10/2016` a day first, `3/4/2016` is either: it follows the values beside it.
Where no value of a column decides, the file's other columns do; where none does, a slash is taken for month
first and a point or a dash for day first, and the report says that this was assumed.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from babel.dates import get_month_names

from sync.protocol.errors import FieldProblem
from sync.protocol.texts import gettext as _


class Order(enum.StrEnum):
    """Which part of a written day comes first."""

    MONTH = "month"
    DAY = "day"
    MIXED = "mixed"  # some rows one way, some the other: only what is plain by itself is read
    NONE = "none"  # nothing to decide: ISO, month names, serial numbers


_THREE = re.compile(r"(\d{1,4})\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{1,4})")
_CHINESE = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日?")
_COMPACT = re.compile(r"(?:19|20)\d{6}")
_NAMED = re.compile(
    r"(?:[^\W\d]+,\s*)?"
    r"(?:(\d{1,2})(?:st|nd|rd|th|\.)?[\s-]+([^\W\d]+)\.?|([^\W\d]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?)"
    r"[\s,-]+(\d{4}|\d{2})"
)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_EPOCH_MS = re.compile(r"-?\d{11,15}")
_CLOCK = re.compile(
    r"[\sT]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp])?\.?(?:[Mm]\.?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?"
)
_SERIAL_START: Final = dt.date(1899, 12, 30)
_LANGUAGES: Final = ("en", "de", "fr", "es", "it", "nl", "pt")
LONGEST: Final = 80  # characters; no day takes more, and patterns are slow on long runs of spaces
AHEAD: Final = 20  # years beyond today that two digits may mean


@dataclass(frozen=True, slots=True)
class Days:
    """The decision for one column: the order, whether it is only assumed, and what else was seen."""

    order: Order
    assumed: bool = False
    decided_by: int = 0  # values that can be read in one way only
    open: int = 0  # values that can be read in two ways
    short_years: bool = False
    serial: bool = False
    times: bool = False

    def notes(self) -> list[str]:
        """What the report says about the column."""
        found = []
        if self.order is Order.MIXED and not self.open:
            found.append(_("Days are written in two orders. Each can be read in one way only."))
        elif self.order is Order.MIXED:
            found.append(
                _("Days are written in two orders. Those that can be read in two ways were left out.")
            )
        elif self.assumed and self.order is Order.MONTH:
            found.append(_("No value tells whether month or day comes first: read as month/day/year."))
        elif self.assumed:
            found.append(_("No value tells whether month or day comes first: read as day, month, year."))
        elif self.order is Order.MONTH and self.open:
            found.append(_("Read as month/day/year."))
        elif self.order is Order.DAY and self.open:
            found.append(_("Read as day, month, year."))
        if self.short_years:
            found.append(_("Years of two digits were read as years from 80 years ago to 20 years from now."))
        if self.serial:
            found.append(_("Numbers were read as a spreadsheet's day numbers."))
        return found


def decide(texts: Iterable[str]) -> Days:
    """The decision that a column's own values give; order NONE and open > 0 when they leave it open."""
    month = day = either = short = serial = times = 0
    marks: set[str] = set()
    for text in texts:
        bare, clock = _split(text)
        times += clock is not None and (clock.hour, clock.minute, clock.second) != (0, 0, 0)
        found = _THREE.fullmatch(bare)
        if found is None:
            serial += _SERIAL.fullmatch(bare) is not None
            named = _NAMED.fullmatch(bare)
            short += named is not None and len(named[5]) == 2
            continue
        first, second = int(found[1]), int(found[3])
        if len(found[1]) > 2 or (first > 31 and len(found[4]) <= 2):
            continue
        short += len(found[4]) <= 2
        if first > 12 >= second:
            day += 1
        elif second > 12 >= first:
            month += 1
        elif first != second and first <= 12 and second <= 12:
            either += 1
            marks.add(found[2])
    order = Order.NONE
    if month and day:
        order = Order.MIXED
    elif month or day:
        order = Order.MONTH if month else Order.DAY
    elif either:
        order = Order.MONTH if marks == {"/"} else Order.DAY
    assumed = bool(either and not month and not day)
    return Days(order, assumed, month + day, either, short > 0, serial > 0, times > 0)


def settle(own: Days, others: Iterable[Days]) -> Days:
    """A column's decision, helped by the other columns of its file where its own values leave it open."""
    if not own.assumed:
        return own
    orders = {days.order for days in others if days.decided_by}
    if len(orders) == 1 and (order := orders.pop()) in (Order.MONTH, Order.DAY):
        return Days(order, False, 0, own.open, own.short_years, own.serial, own.times)
    return own


def read_day(name: str, text: str, days: Days, today: dt.date) -> str:
    """A written day as ISO text. Raises FieldProblem."""
    bare, _clock = _split(text)
    try:
        return _day(name, bare, days, today).isoformat()
    except (ValueError, OverflowError):
        raise _no_day(name) from None


def read_moment(name: str, text: str, days: Days, today: dt.date) -> str:
    """A written moment as ISO text, with an offset where one was written. Raises FieldProblem."""
    bare, clock = _split(text)
    try:
        if _EPOCH_MS.fullmatch(bare):
            return dt.datetime.fromtimestamp(int(bare) / 1000, dt.UTC).isoformat(timespec="milliseconds")
        day = _day(name, bare, days, today)
    except (ValueError, OverflowError, OSError):
        raise _no_day(name) from None
    return dt.datetime.combine(day, clock or dt.time()).isoformat(timespec="milliseconds")


def _no_day(name: str) -> FieldProblem:
    return FieldProblem(name, _("Not a day of the calendar."), _("Write it as 2026-11-22."))


def _split(text: str) -> tuple[str, dt.time | None]:
    """A text without its time of day, and that time where there is one that holds."""
    if len(text) > LONGEST:
        return "", None
    text = unicodedata.normalize("NFKC", text).strip()
    found = _CLOCK.search(text)
    if found is None or found.end() != len(text) or found.start() == 0:
        return text, None
    hour, minute, second, fraction, half, zone = found.groups()
    hours = int(hour)
    if half:
        hours = hours % 12 + (12 if half in "Pp" else 0)
    try:
        offset = None
        if zone:
            bare = zone.replace(":", "")
            shift = (
                dt.timedelta(hours=int(bare[1:3]), minutes=int(bare[3:5]))
                if bare[0] in "+-"
                else dt.timedelta()
            )
            offset = dt.timezone(-shift if zone.startswith("-") else shift)
        micros = int((fraction or "").ljust(6, "0")[:6])
        return text[: found.start()], dt.time(hours, int(minute), int(second or 0), micros, offset)
    except ValueError:
        return text, None


def _day(name: str, bare: str, days: Days, today: dt.date) -> dt.date:
    """The day of a text without time; raises ValueError."""
    found = _THREE.fullmatch(bare)
    if found is not None:
        return _three(name, found, days, today)
    found = _CHINESE.fullmatch(bare)
    if found is not None:
        return dt.date(int(found[1]), int(found[2]), int(found[3]))
    if _COMPACT.fullmatch(bare):
        return dt.date(int(bare[:4]), int(bare[4:6]), int(bare[6:]))
    found = _NAMED.fullmatch(bare)
    if found is not None:
        month = _months().get((found[2] or found[3]).casefold(), 0)
        return dt.date(_year(found[5], today), month, int(found[1] or found[4]))
    if _SERIAL.fullmatch(bare):
        return _SERIAL_START + dt.timedelta(days=int(float(bare)))
    if _EPOCH_MS.fullmatch(bare):
        return dt.datetime.fromtimestamp(int(bare) / 1000, dt.UTC).date()
    raise ValueError("no day")


def _three(name: str, found: re.Match[str], days: Days, today: dt.date) -> dt.date:
    """Three numbers as a day, in the column's order; raises ValueError, FieldProblem where it stays open."""
    first, second = int(found[1]), int(found[3])
    if len(found[1]) > 2 or (first > 31 and len(found[4]) <= 2):
        return dt.date(_year(found[1], today), second, int(found[4]))
    year = _year(found[4], today)
    if first > 12 or second > 12 or first == second:
        return dt.date(year, second, first) if first > 12 or first == second else dt.date(year, first, second)
    if days.order is Order.MIXED:
        raise FieldProblem(
            name,
            _("This day can be read in two ways, and the column writes days in both orders."),
            _("Write it as 2026-11-22."),
        )
    return dt.date(year, first, second) if days.order is Order.MONTH else dt.date(year, second, first)


def _year(text: str, today: dt.date) -> int:
    """A year as written; one of two digits lies at most AHEAD years from now."""
    year = int(text)
    if len(text) > 2:
        return year
    century = today.year // 100 * 100
    return century + year if century + year <= today.year + AHEAD else century - 100 + year


@cache
def _months() -> dict[str, int]:
    """Names of months in the languages whose files we meet, short and long."""
    names: dict[str, int] = {}
    for language in _LANGUAGES:
        for width in ("abbreviated", "wide"):
            for number, name in get_month_names(width, locale=language).items():
                names[name.casefold().rstrip(".")] = number
    return names | {"sept": 9}
