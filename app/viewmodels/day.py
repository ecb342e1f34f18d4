"""What a day begins with: what is overdue, due or planned, deals that should close, what to look at, what waits.

Read in a few short walks along indexes (app/store/ahead.py), whatever the number of records.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from app.commands import CONFLICTS
from app.services import refused
from app.store import ahead, conflicts, outbox
from app.store.ahead import COUNTED_MAX, Found
from app.store.conflicts import Attention, OpenConflict
from app.store.filters import Asks, Condition, Filter
from app.store.reader import Reader
from app.store.records import Record
from app.viewmodels import reading, words
from app.viewmodels.reading import Titles
from sync.protocol.fields import Choice, Field, Instant, Value
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

LINES_MAX: Final = 12  # of one group; a page is no list
LOOK_MAX: Final = 5  # of what to look at, and of what waits
WAITING_LOOKED_AT: Final = 200  # ops
TASK_DAYS: Final = 7
DEAL_DAYS: Final = 30
_LONG_AGO: Final = "0001-01-01"


class Whose(StrEnum):
    """Whose day it is."""

    MINE = "mine"
    TEAM = "team"  # everybody whose records are here
    NOBODY = "nobody"  # of a role for which nothing is planned


class Target(Quiet, frozen=True):
    """Where a line leads: to a record, or to a section, narrowed where it is a list."""

    section: str
    id: bytes = b""
    filter: Filter | None = None


class Line(Quiet, frozen=True):
    """One line of a day. `ticks` says that it is a task that can be marked done, `gone` that its hour has passed."""

    target: Target
    title: str
    second: str = ""
    right: str = ""
    figure: str = ""
    icon: str = ""
    alarm: bool = False
    ticks: bool = False
    gone: bool = False


class Group(Quiet, frozen=True):
    """Lines that belong together, below a heading with its count."""

    heading: str
    count: str
    lines: tuple[Line, ...]
    alarm: bool = False


class Day(Quiet, frozen=True):
    """A day and its date in full: `doing` is what is to be done by somebody, `beside` what is to be kept in sight."""

    date: str
    doing: tuple[Group, ...] = ()
    beside: tuple[Group, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is to be done or looked at."""
        return not (self.doing or self.beside)


class _Asked(msgspec.Struct, frozen=True):
    """What all groups of one reading share."""

    store: Reader
    titles: Titles
    whose: Whose
    on: dt.date
    now_ms: int
    people: dict[str, list[str]]  # whose records are asked for, by kind

    def found(self, kind: Kind, first: Value, last: Value, *, latest: bool = False) -> Found:
        if kind.name not in self.people:
            team = self.whose is Whose.TEAM
            self.people[kind.name] = ahead.people(self.store, kind) if team else [self.store.person]
        whose = self.people[kind.name]
        return ahead.found(self.store, kind, whose, (first, last), LINES_MAX, latest=latest)

    def day(self, days: int) -> str:
        return (self.on + dt.timedelta(days=days)).isoformat()


def read(store: Reader, whose: Whose, now_ms: int) -> Day:
    """The day of that moment, on this machine's clock."""
    on = _local_day(now_ms)
    if whose is Whose.NOBODY:
        return Day(words.whole_day(on))
    asked = _Asked(store, Titles(store), whose, on, now_ms, {})
    doing = (_overdue(asked), _today(asked), _soon(asked))
    beside = (_deals(asked), _to_look_at(asked), _waiting(asked))
    return Day(words.whole_day(on), tuple(filter(None, doing)), tuple(filter(None, beside)))


def due(store: Reader, now_ms: int) -> int:
    """How many tasks of this device's person are due by today; up to `COUNTED_MAX`."""
    tomorrow = (_local_day(now_ms) + dt.timedelta(days=1)).isoformat()
    return ahead.count(store, KINDS["task"], [store.person], (_LONG_AGO, tomorrow))


def counted(count: int) -> str:
    """How many; beyond what was counted, that there are more."""
    return f"{words.number(COUNTED_MAX - 1)}+" if count >= COUNTED_MAX else words.number(count)


def _local_day(now_ms: int) -> dt.date:
    return dt.datetime.fromtimestamp(now_ms / 1000).astimezone().date()


# --- what is to be done ------------------------------------------------------------------------------


def _overdue(asked: _Asked) -> Group | None:
    found = asked.found(KINDS["task"], _LONG_AGO, asked.day(0), latest=True)
    lines = [_task(asked, each, late=True) for each in found.records]
    before = Condition("due", Asks.BEFORE, (asked.day(0),))
    return _group(_("Overdue"), lines, _more(asked, KINDS["task"], found, before), found.count, alarm=True)


def _today(asked: _Asked) -> Group | None:
    begin, end = _moments(asked.on, 1)
    visits = asked.found(KINDS["activity"], begin, end)
    tasks = asked.found(KINDS["task"], asked.day(0), asked.day(1))
    lines = [_activity(asked, each) for each in visits.records]
    lines += [_task(asked, each) for each in tasks.records]
    today = (asked.day(0),)
    more = (
        *_more(asked, KINDS["activity"], visits, Condition("at", Asks.IS, today)),
        *_more(asked, KINDS["task"], tasks, Condition("due", Asks.IS, today)),
    )
    return _group(_("Today"), lines, more, visits.count + tasks.count)


def _soon(asked: _Asked) -> Group | None:
    begin, end = _moments(asked.on + dt.timedelta(days=1), TASK_DAYS)
    visits = asked.found(KINDS["activity"], begin, end)
    tasks = asked.found(KINDS["task"], asked.day(1), asked.day(1 + TASK_DAYS))
    placed = [(_day_at(each), 0, _activity(asked, each)) for each in visits.records]
    placed += [(each.values["due"], 1, _task(asked, each)) for each in tasks.records]
    lines = [line for _on, _rank, line in sorted(placed, key=lambda each: each[:2])]
    span = (asked.day(1), asked.day(TASK_DAYS))
    more = (
        *_more(asked, KINDS["activity"], visits, Condition("at", Asks.BETWEEN, span)),
        *_more(asked, KINDS["task"], tasks, Condition("due", Asks.BETWEEN, span)),
    )
    heading = ngettext("Next {n} day", "Next {n} days", TASK_DAYS).format(n=TASK_DAYS)
    return _group(heading, lines, more, visits.count + tasks.count)


def _deals(asked: _Asked) -> Group | None:
    """Deals whose day has come and gone, then those whose day is near."""
    late = asked.found(KINDS["deal"], _LONG_AGO, asked.day(0), latest=True)
    soon = asked.found(KINDS["deal"], asked.day(0), asked.day(DEAL_DAYS + 1))
    kept = LINES_MAX // 2 if soon.records else LINES_MAX  # neither may hide the other
    late = msgspec.structs.replace(late, records=late.records[-kept:])
    lines = [_deal(asked, each, late=True) for each in late.records]
    lines += [_deal(asked, each) for each in soon.records]
    before = Condition("close_on", Asks.BEFORE, (asked.day(0),))
    near = Condition("close_on", Asks.BETWEEN, (asked.day(0), asked.day(DEAL_DAYS)))
    more = (*_more(asked, KINDS["deal"], late, before), *_more(asked, KINDS["deal"], soon, near))
    return _group(_("Deals to close"), lines, more, late.count + soon.count)


# --- what is to be kept in sight ----------------------------------------------------------------------


def _to_look_at(asked: _Asked) -> Group | None:
    store = asked.store
    count = conflicts.attention_count(store) + conflicts.open_count(store)
    lines = [_refused(each) for each in conflicts.attention(store, LOOK_MAX)]
    lines += [_met(each) for each in conflicts.open_conflicts(store, limit=LOOK_MAX)]
    rest = count - len(lines[:LOOK_MAX])
    more = [_further(rest, Target(CONFLICTS))] if rest > 0 else []
    return _group(_("To look at"), lines[:LOOK_MAX], more, count)


def _waiting(asked: _Asked) -> Group | None:
    count = outbox.count(asked.store.db)
    told = outbox.latest(asked.store.db, WAITING_LOOKED_AT) if count else []
    lines = []
    for kind, id_ in told[:LOOK_MAX]:
        if kind in KINDS:
            label = _(KINDS[kind].label)
            lines.append(Line(Target(kind, id_), asked.titles(id_), label, icon=KINDS[kind].icon))
    return _group(_("Waiting to be sent"), lines, (), count)


def _refused(each: Attention) -> Line:
    title, kind = each.title or words.DASH, KINDS.get(each.kind)
    second = refused.why(each) or _("The server did not accept this change.")
    label = _(kind.label) if kind is not None else ""
    return Line(Target(CONFLICTS), title, second, label, icon="alert", alarm=True)


def _met(each: OpenConflict) -> Line:
    conflict, kind = each.conflict, KINDS.get(each.conflict.kind)
    field = kind.by_name.get(conflict.cell.partition("/")[0]) if kind is not None else None
    second = words.met(_(field.label) if field is not None else "", each.one_person)
    there = kind is not None and not each.deleted and bool(each.title)
    target = Target(conflict.kind, conflict.record) if there else Target(CONFLICTS)
    return Line(target, each.title or words.DASH, second, icon="conflict")


# --- lines -------------------------------------------------------------------------------------------


def _task(asked: _Asked, record: Record, *, late: bool = False) -> Line:
    values, priority = record.values, record.kind.by_name["priority"]
    urgent = values.get("priority") == "high"
    second = _second(asked, record, _in_words(priority, "high") if urgent else "")
    right = "" if values["due"] == asked.day(0) else words.near_day(values["due"], asked.on)
    return Line(
        Target("task", record.id), reading.title(record), second, right, alarm=late, ticks=True,
    )  # fmt: skip


def _activity(asked: _Asked, record: Record) -> Line:
    values, at = record.values, record.values["at"]
    right, today = words.clock(at["at"], at["zone"]), _day_at(record) == asked.day(0)
    if not today:
        right = f"{words.near_day(_day_at(record), asked.on)} {right}"
    second = _second(asked, record, _in_words(record.kind.by_name["type"], values.get("type")))
    gone = at["at"] + int(values.get("minutes") or 0) * 60_000 < asked.now_ms
    return Line(
        Target("activity", record.id), reading.title(record), second, right, icon=record.kind.icon, gone=gone
    )


def _deal(asked: _Asked, record: Record, *, late: bool = False) -> Line:
    values = record.values
    second = _second(asked, record, _in_words(record.kind.by_name["stage"], values.get("stage")))
    amount = words.amount(values["amount"]) if values.get("amount") else ""
    right = words.near_day(values["close_on"], asked.on)
    title = reading.title(record)
    return Line(Target("deal", record.id), title, second, right, amount, record.kind.icon, alarm=late)


def _second(asked: _Asked, record: Record, first: str) -> str:
    """The line below a title: a word of its own, the customer, and whose it is where that may be anybody."""
    customer, owner = record.values.get("customer"), record.values.get("owner")
    parts = [first, asked.titles(customer) if customer else ""]
    if asked.whose is Whose.TEAM:
        parts.append(words.person(owner) if owner else _("Nobody's"))
    return words.DOT.join(part for part in parts if part)


def _in_words(field: Field, held: Value) -> str:
    return field.type.label(held) if isinstance(field.type, Choice) and held else ""


def _group(
    heading: str, lines: Sequence[Line], more: Iterable[Line], count: int, *, alarm: bool = False
) -> Group | None:
    if not count:
        return None
    return Group(heading, counted(count), (*lines, *more), alarm)


def _more(asked: _Asked, kind: Kind, found: Found, when: Condition) -> tuple[Line, ...]:
    """A line that leads to the list of all of them, where not all are here."""
    rest = found.count - len(found.records)
    if rest <= 0 or kind.ahead is None:
        return ()
    name, over = kind.ahead.over
    type_ = kind.by_name[name].type
    if isinstance(type_, Choice) and len(over) > 1:
        left = Condition(name, Asks.ONE_OF, tuple(value for value in type_.values if value not in over))
    else:
        left = Condition(name, Asks.IS_NOT, over)
    conditions = [when, left]
    if asked.whose is Whose.MINE and not found.nobodys:
        conditions.append(Condition(kind.ahead.whose, Asks.MINE))
    label = _(kind.plural)
    return (_further(rest, Target(kind.name, filter=Filter(tuple(conditions))), label),)


def _further(rest: int, target: Target, label: str = "") -> Line:
    title = ngettext("and {n} more", "and {n} more", rest).format(n=counted(rest))
    return Line(target, title, right=label)


def _moments(first: dt.date, days: int) -> tuple[int, int]:
    """Where so many days begin and end on this machine's clock, in UTC milliseconds."""
    ends = (first, first + dt.timedelta(days=days))
    begin, end = (dt.datetime(each.year, each.month, each.day).astimezone() for each in ends)
    return round(begin.timestamp() * 1000), round(end.timestamp() * 1000)


def _day_at(record: Record) -> str:
    type_ = record.kind.by_name["at"].type
    assert isinstance(type_, Instant)  # noqa: S101 - the table of kinds says so
    return _local_day(record.values["at"]["at"]).isoformat()
