"""What records come to, in words and as parts of the largest: by stage, by owner or by month, one currency at a time.

Told from the totals that the store keeps (app/store/totals.py), so that no record is asked.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from app.store.filters import Asks, Condition, Filter
from app.store.reader import Reader
from app.store.totals import Group, totals
from app.viewmodels import words
from sync.protocol.fields import Choice, Date, Field, Person, Value
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

NUMBER: Final = ""  # in place of a currency: how many records
ALL: Final = "all"
OPEN: Final = "open"
MONTHS_FILLED: Final = 60  # months without a record are shown between others up to so many


class When(StrEnum):
    """In which year the day lies."""

    ANY = "any"
    THIS = "this"
    LAST = "last"


class Asked(Quiet, frozen=True):
    """What is asked: by which field, of which records, in which currency (None: the one that most are in)."""

    by: str
    state: str = ALL  # or OPEN, or one of the values that end a record
    when: When = When.ANY
    mine: bool = False
    currency: str | None = None


class Bar(Quiet, frozen=True):
    """One value with its figures; `short` and `brief` are its name and figure where there is hardly room.

    `part` of 1 is the largest; `filter` finds its records.
    """

    name: str
    short: str
    brief: str
    kept: int
    count: str
    sum: str
    part: float
    filter: Filter


class Shown(Quiet, frozen=True):
    """The answer: bars in their order, what they come to, the currencies there are, and what is left out of it."""

    asked: Asked
    currency: str
    bars: tuple[Bar, ...]
    count: str
    sum: str
    currencies: tuple[str, ...]
    besides: str = ""


def kinds() -> list[Kind]:
    """The kinds of which totals are kept."""
    return [kind for kind in KINDS.values() if kind.totals]


def fields(kind: Kind) -> tuple[str, ...]:
    """By what they can be told: choices first, then persons, then months."""
    names = dict.fromkeys(name for each in kind.totals for name in each.by)
    ranks = {Choice: 0, Person: 1, Date: 2}
    return tuple(sorted(names, key=lambda name: ranks.get(type(kind.by_name[name].type), 3)))


def states(kind: Kind) -> list[tuple[str, str]]:
    """All, those that are open, and those that are over, by how they ended: with their words."""
    assert kind.ahead is not None  # noqa: S101 - whoever keeps totals has it
    name, over = kind.ahead.over
    type_ = kind.by_name[name].type
    ended = [(value, type_.label(value)) for value in over] if isinstance(type_, Choice) else []
    return [(ALL, _("All {kinds}").format(kinds=_(kind.plural).lower())), (OPEN, _("Open")), *ended]


def read(store: Reader, kind: Kind, asked: Asked, today: dt.date, own: str) -> Shown:
    """The answer at one moment of the store; `own` is the person's currency, taken where nothing else is asked."""
    summed = kind.totals[0].sums[0]
    found = totals(store, kind, (asked.by,), sums=(summed,), where=_where(kind, asked, today, store.person))
    counts = _by_currency(found)
    offered = tuple(sorted(counts, key=lambda each: (-counts[each], each)))
    currency = asked.currency
    if currency is None or (currency != NUMBER and currency not in offered):
        currency = own if own in offered else next(iter(offered), NUMBER)
    kept, sums = _figures(found, currency)
    narrowed = tuple(_conditions(kind, asked, today))
    if currency != NUMBER:
        narrowed = (*narrowed, Condition(summed, Asks.CURRENCY, (currency,)))
    field = kind.by_name[asked.by]
    largest = max((abs(sums[key] if currency else kept[key]) for key in kept), default=0) or 1
    bars: list[Bar] = []
    for value in _in_order(field, kept, sums if currency else kept):
        money = {"minor": sums[value], "currency": currency} if currency else None
        figure = sums[value] if currency else kept[value]
        conditions = (*(each for each in narrowed if each.field != asked.by), _is(field, value))
        bars.append(
            Bar(
                _name(field, value),
                _short(field, value, first=not bars),
                words.compact(money or kept[value]) if figure else "",
                kept[value],
                words.number(kept[value]),
                words.amount(money) if money is not None else "",
                max(0.0, figure / largest),
                Filter(conditions),
            )
        )
    total = words.amount({"minor": sum(sums.values()), "currency": currency}) if currency else ""
    count = words.number(sum(kept.values()))
    return Shown(asked, currency, tuple(bars), count, total, offered, _besides(kind, found, currency))


# --- figures -----------------------------------------------------------------------------------------


def _code(group: Group) -> str:
    money = group.sums[0]
    return str(money["currency"]) if money is not None else ""


def _by_currency(found: Sequence[Group]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for group in found:
        if code := _code(group):
            counts[code] = counts.get(code, 0) + group.kept
    return counts


def _figures(found: Sequence[Group], currency: str) -> tuple[dict[Value, int], dict[Value, int]]:
    """How many by value, and the sums in minor units; of one currency, or of all how many alone."""
    kept: dict[Value, int] = {}
    sums: dict[Value, int] = {}
    for group in found:
        if currency == NUMBER or _code(group) == currency:
            value = group.values[0]
            kept[value] = kept.get(value, 0) + group.kept
            sums[value] = sums.get(value, 0) + (group.sums[0]["minor"] if currency else 0)
    return kept, sums


def _besides(kind: Kind, found: Sequence[Group], currency: str) -> str:
    """What a currency leaves out: sums of different money are never added up."""
    if currency == NUMBER:
        return ""
    left = {code: count for code, count in _by_currency(found).items() if code != currency}
    parts = [
        ngettext("{n} in {currency}", "{n} in {currency}", count).format(n=words.number(count), currency=code)
        for code, count in sorted(left.items(), key=lambda each: -each[1])
    ]
    without = sum(group.kept for group in found if not _code(group))
    if without:
        text = ngettext("{n} without an amount", "{n} without an amount", without)
        parts.append(text.format(n=words.number(without)))
    return _("Not counted here: {others}").format(others=words.DOT.join(parts)) if parts else ""


def _in_order(field: Field, kept: Mapping[Value, int], figures: Mapping[Value, int]) -> list[Value]:
    """Choices in their own order, months in time with those between them, persons by what they come to; none last."""
    there = [value for value in kept if value is not None]
    if isinstance(field.type, Choice):
        there = [value for value in field.type.values if value in kept]
        there += [value for value in kept if value is not None and value not in there]
    elif isinstance(field.type, Date):
        there = _filled(sorted(there), kept, figures)
    else:
        there.sort(key=lambda value: (-figures[value], str(value).casefold()))
    return [*there, None] if None in kept else there


def _filled(months: list[str], kept: Any, figures: Any) -> list[str]:
    """With the months between, unless a day of another century stands among them."""
    if not months:
        return months
    first, last = (int(each[:4]) * 12 + int(each[5:]) - 1 for each in (months[0], months[-1]))
    if last - first >= MONTHS_FILLED:
        return months
    whole = [f"{at // 12:04d}-{at % 12 + 1:02d}" for at in range(first, last + 1)]
    for month in whole:
        kept.setdefault(month, 0)
        figures.setdefault(month, 0)
    return whole


# --- what is asked -----------------------------------------------------------------------------------


def _where(kind: Kind, asked: Asked, today: dt.date, person: str) -> dict[str, Collection[Value]]:
    assert kind.ahead is not None  # noqa: S101 - whoever keeps totals has it
    found: dict[str, Collection[Value]] = {}
    if asked.state != ALL:
        found[kind.ahead.over[0]] = _of_state(kind, asked.state)
    if asked.when is not When.ANY:
        year = _year(asked.when, today)
        found[kind.ahead.when] = [f"{year}-{month:02d}" for month in range(1, 13)]
    if asked.mine:
        found[kind.ahead.whose] = [person]
    return found


def _conditions(kind: Kind, asked: Asked, today: dt.date) -> Iterator[Condition]:
    """The same for a list."""
    assert kind.ahead is not None  # noqa: S101 - whoever keeps totals has it
    if asked.state == OPEN:
        # Whatever has not ended, one without a value too.
        for value in kind.ahead.over[1]:
            yield Condition(kind.ahead.over[0], Asks.IS_NOT, (value,))
    elif asked.state != ALL:
        yield Condition(kind.ahead.over[0], Asks.IS, (asked.state,))
    if asked.when is not When.ANY:
        year = _year(asked.when, today)
        yield Condition(kind.ahead.when, Asks.BETWEEN, (f"{year}-01-01", f"{year}-12-31"))
    if asked.mine:
        yield Condition(kind.ahead.whose, Asks.MINE)


def _of_state(kind: Kind, state: str) -> tuple[Value, ...]:
    assert kind.ahead is not None  # noqa: S101 - whoever keeps totals has it
    name, over = kind.ahead.over
    type_ = kind.by_name[name].type
    if state != OPEN or not isinstance(type_, Choice):
        return (state,)
    return (*(value for value in type_.values if value not in over), None)


def _year(when: When, today: dt.date) -> int:
    return today.year - (when is When.LAST)


def _is(field: Field, value: Value) -> Condition:
    """The condition that finds the records of a bar."""
    if value is None:
        return Condition(field.name, Asks.EMPTY)
    if isinstance(field.type, Date):
        year, month = int(value[:4]), int(value[5:7])
        return Condition(
            field.name, Asks.BETWEEN, (f"{value}-01", f"{value}-{calendar.monthrange(year, month)[1]:02d}")
        )
    return Condition(field.name, Asks.IS, (value,))


def _name(field: Field, value: Value) -> str:
    if value is None:
        if isinstance(field.type, Date):
            return _("Without a day")
        return _("Nobody's") if isinstance(field.type, Person) else _("Without one")
    if isinstance(field.type, Choice):
        return field.type.label(value)
    if isinstance(field.type, Date):
        return words.month(value)
    return words.person(str(value)) if isinstance(field.type, Person) else str(value)


def _short(field: Field, value: Value, *, first: bool) -> str:
    """A month as it stands below its column; its year with the first one, and where another year begins."""
    if value is None or not isinstance(field.type, Date):
        return words.DASH
    year = f"\n{value[:4]}" if first or value.endswith("-01") else ""
    return f"{words.month(value, short=True)}{year}"
