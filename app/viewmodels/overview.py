"""What a record's first page shows: key facts, open deals, next tasks, and what happened, read in one go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from app.services import duplicates
from app.store import lists
from app.store.conflicts import open_conflicts
from app.store.reader import Reader
from app.store.records import Record
from app.viewmodels import reading, words
from app.viewmodels.reading import Sheet, Titles
from sync.protocol import clock
from sync.protocol.fields import Choice, Field, Flag, Notes, Tags
from sync.protocol.ids import id_text
from sync.protocol.joins import sentences
from sync.protocol.kinds import KINDS
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

CLOSED: Final = ("won", "lost")
MOMENTS_MAX: Final = 60
LINES_MAX: Final = 6
EACH_MAX: Final = 200  # records of one kind read for sums
SOON_DAYS: Final = 30  # a consent that ends within these is worth a word
DAY_MS: Final = 86_400_000


class FactText(Quiet, frozen=True):
    """A label and its value in words."""

    label: str
    value: str


class Line(Quiet, frozen=True):
    """A record named on a card: which, what it is called, a figure or a day, and whether that is alarming."""

    kind: str
    id: bytes
    title: str
    figure: str
    alarm: bool = False


class MomentText(Quiet, frozen=True):
    """Something that happened: when (UTC ms), what, and the record it is told from."""

    at_ms: int
    title: str
    when: str
    body: str = ""
    kind: str = ""
    id: bytes = b""


class Overview(Quiet, frozen=True):
    """The first page of one record. `related` counts what refers to it, by kind name."""

    sheet: Sheet
    second: str = ""
    chips: tuple[tuple[str, str], ...] = ()  # words and tone
    facts: tuple[FactText, ...] = ()
    deals: tuple[Line, ...] = ()
    deals_more: int = 0
    deals_sum: str = ""
    tasks: tuple[Line, ...] = ()
    tasks_more: int = 0
    moments: tuple[MomentText, ...] = ()
    related: Mapping[str, int] = msgspec.field(default_factory=dict)

    @property
    def record(self) -> Record:
        """The record itself."""
        return self.sheet.record


def read(store: Reader, id_: bytes, now_ms: int) -> Overview:
    """The first page of a record. Raises NotFound."""
    sheet = reading.sheet(store, id_)
    record, titles = sheet.record, Titles(store)
    fields = {other.name: by.name for other, by in reading.referring(record.kind)}
    refers = {kind: {name: id_text(id_)} for kind, name in fields.items()}
    deals = _deals(store, refers.get("deal"))
    tasks = _tasks(store, refers.get("task"))
    activities = _of(store, "activity", refers.get("activity"), "-at")
    consents = _of(store, "consent", refers.get("consent"), "-given_on")
    open_deals = [deal for deal in deals if deal.values.get("stage") not in CLOSED]
    open_tasks = [task for task in tasks if not task.values.get("done")]
    today = dt.datetime.fromtimestamp(now_ms / 1000).astimezone().date()
    moments = [
        *_activity_moments(activities, now_ms),
        *_deal_moments(deals, now_ms),
        *_consent_moments(consents, now_ms),
        *_task_moments(tasks, now_ms),
        *_conflict_moments(store, record, now_ms),
        *_pair_moments(store, record, now_ms),
        *_own_moments(record, now_ms),
    ]
    moments.sort(key=lambda moment: -moment.at_ms)
    return Overview(
        sheet=sheet,
        second=_second(record, titles, now_ms),
        chips=(*_chips(record), *_consent_chips(consents, today)),
        facts=tuple(_facts(record, titles, activities, now_ms)),
        deals=tuple(_deal_line(deal) for deal in open_deals[:LINES_MAX]),
        deals_more=max(0, len(open_deals) - LINES_MAX),
        deals_sum=words.sums([deal.values["amount"] for deal in open_deals if deal.values.get("amount")]),
        tasks=tuple(_task_line(task, today) for task in open_tasks[:LINES_MAX]),
        tasks_more=max(0, len(open_tasks) - LINES_MAX),
        moments=tuple(moments[:MOMENTS_MAX]),
        related={kind: lists.count(store, KINDS[kind], where) for kind, where in refers.items()},
    )


# --- what refers to the record ------------------------------------------------------------------------


def _of(store: Reader, kind: str, where: Mapping[str, str] | None, order: str) -> list[Record]:
    if where is None:
        return []
    return lists.page(store, KINDS[kind], where=where, order=order, limit=EACH_MAX).records


def _deals(store: Reader, where: Mapping[str, str] | None) -> list[Record]:
    """Open deals first, by what they are worth, then closed ones, the latest first."""
    if where is None:
        return []
    stage = KINDS["deal"].by_name["stage"].type
    assert isinstance(stage, Choice)  # noqa: S101 - the table of kinds says so
    still_open: list[Record] = []
    for name in stage.values:
        if name not in CLOSED:
            still_open += _of(store, "deal", {**where, "stage": name}, "-amount")
    still_open.sort(key=lambda deal: -int((deal.values.get("amount") or {"minor": -1})["minor"]))
    closed = [deal for deal in _of(store, "deal", where, "-close_on") if deal.values.get("stage") in CLOSED]
    return [*still_open, *closed]


def _tasks(store: Reader, where: Mapping[str, str] | None) -> list[Record]:
    return _of(store, "task", where, "due")


# --- head, facts, lines ---------------------------------------------------------------------------------


def _second(record: Record, titles: Titles, now_ms: int) -> str:
    kind = record.kind
    named = [name for name in kind.subtitle if not _is_chip(kind.by_name[name])]
    parts = []
    for name in named:
        field_ = kind.by_name[name]
        held = record.values.get(name)
        if name == "address" and held is not None:
            parts.append(words.address(held))
        else:
            parts.append(words.brief(field_, held, titles, now_ms))
    owner = record.values.get("owner")
    if owner and "owner" not in named:
        parts.append(_("Owner {name}").format(name=words.person(owner)))
    return words.DOT.join(part for part in parts if part)


def _is_chip(field_: Field) -> bool:
    return isinstance(field_.type, Choice) and field_.name in ("stage", "status", "type", "priority")


def _chips(record: Record) -> Iterable[tuple[str, str]]:
    """Stage and the like, tags, and what asks for care."""
    kind = record.kind
    for field_ in kind.fields:
        held = record.values.get(field_.name)
        if held is None:
            continue
        if isinstance(field_.type, Choice) and field_.name in ("stage", "status"):
            yield field_.type.label(held), "accent"
        elif isinstance(field_.type, Flag) and field_.name == "do_not_contact" and held:
            yield _(field_.label), "bad"
        elif isinstance(field_.type, Flag) and field_.name == "done" and held:
            yield _(field_.label), "ok"
        elif isinstance(field_.type, Tags):
            for tag in held[:4]:
                yield tag, "plain"
    if record.conflicts:
        text = ngettext("{n} conflict", "{n} conflicts", record.conflicts)
        yield text.format(n=record.conflicts), "plain"


def _consent_chips(consents: list[Record], today: dt.date) -> Iterable[tuple[str, str]]:
    ends = [
        dt.date.fromisoformat(consent.values["ends_on"])
        for consent in consents
        if consent.values.get("status") == "given" and consent.values.get("ends_on")
    ]
    left = min(((end - today).days for end in ends if end >= today), default=SOON_DAYS + 1)
    if left <= SOON_DAYS:
        yield ngettext("Consent ends in {n} day", "Consent ends in {n} days", left).format(n=left), "warn"


def _facts(record: Record, titles: Titles, activities: list[Record], now_ms: int) -> Iterable[FactText]:
    kind = record.kind
    for field_ in kind.fields:
        held = record.values.get(field_.name)
        hidden = field_.name in (kind.title, "owner") or isinstance(field_.type, (Notes, Tags))
        if held is None or hidden or (_is_chip(field_) and field_.name in ("stage", "status")):
            continue
        if isinstance(field_.type, Flag) and not held:
            continue
        yield FactText(_(field_.label), words.value(field_, held, titles))
    been = (each for each in activities if each.values.get("at") and each.values["at"]["at"] <= now_ms)
    last = next(been, None)  # what is planned has not been yet
    if last is not None:
        yield FactText(
            _("Last activity"), words.moment(last.values["at"]["at"], now_ms, last.values["at"]["zone"])
        )


def _deal_line(deal: Record) -> Line:
    amount = deal.values.get("amount")
    return Line("deal", deal.id, deal.title, words.amount(amount) if amount else words.DASH)


def _task_line(task: Record, today: dt.date) -> Line:
    due = task.values.get("due")
    late = due is not None and dt.date.fromisoformat(due) < today
    return Line("task", task.id, task.title, words.day(due, today) if due else "", alarm=late)


# --- what happened -----------------------------------------------------------------------------------------


def _activity_moments(activities: list[Record], now_ms: int) -> Iterable[MomentText]:
    type_ = KINDS["activity"].by_name["type"].type
    for each in activities:
        values = each.values
        at = values.get("at") or {"at": each.changed_ms, "zone": ""}
        label = type_.label(values.get("type")) if isinstance(type_, Choice) and values.get("type") else ""
        body = _first_line(values.get("about")) or values.get("outcome") or ""
        yield MomentText(
            at["at"],
            words.DOT.join(part for part in (label, each.title) if part),
            _when(at["at"], now_ms, values.get("owner"), zone=at["zone"]),
            body,
            "activity",
            each.id,
        )


def _deal_moments(deals: list[Record], now_ms: int) -> Iterable[MomentText]:
    type_ = KINDS["deal"].by_name["stage"].type
    for deal in deals:
        values, stage = deal.values, deal.values.get("stage") or ""
        iso = values.get("close_on" if stage in CLOSED else "engaged_on")
        at_ms = _in_day(iso, now_ms) or _made(deal.id)
        if stage == "won":
            told = _("Deal won: {name}")
        elif stage == "lost":
            told = _("Deal lost: {name}")
        else:
            told = _("Deal opened: {name}")
        body = [words.amount(values["amount"])] if values.get("amount") else []
        if stage not in CLOSED:
            body.append(type_.label(stage) if isinstance(type_, Choice) and stage else "")
            if values.get("close_on"):
                body.append(_("expected close {day}").format(day=words.day(values["close_on"])))
        elif stage == "lost" and values.get("lost_reason"):
            body.append(values["lost_reason"])
        when = _day_when(iso, values.get("owner")) if iso else _when(at_ms, now_ms, values.get("owner"))
        text = words.DOT.join(part for part in body if part)
        yield MomentText(at_ms, told.format(name=deal.title), when, text, "deal", deal.id)


def _consent_moments(consents: list[Record], now_ms: int) -> Iterable[MomentText]:
    kind = KINDS["consent"]
    for each in consents:
        status, basis = kind.by_name["status"].type, kind.by_name["basis"].type
        label = status.label(each.values.get("status")) if isinstance(status, Choice) else ""
        body = []
        if each.values.get("basis") and isinstance(basis, Choice):
            body.append(_("Basis: {basis}").format(basis=basis.label(each.values["basis"])))
        if each.values.get("ends_on"):
            body.append(_("valid until {day}").format(day=words.day(each.values["ends_on"])))
        iso = each.values.get("given_on")
        at_ms = _in_day(iso, now_ms) or _made(each.id)
        title = _("Consent: {purpose}").format(purpose=reading.title(each))
        when = words.day(iso) if iso else words.moment(at_ms, now_ms)
        text = words.DOT.join([part for part in (label, *body) if part])
        yield MomentText(at_ms, title, when, text, "consent", each.id)


def _task_moments(tasks: list[Record], now_ms: int) -> Iterable[MomentText]:
    for task in tasks:
        if task.values.get("done"):
            title = _("Task done: {name}").format(name=task.title)
            when = _when(task.changed_ms, now_ms, task.values.get("owner"))
            yield MomentText(task.changed_ms, title, when, "", "task", task.id)


def _conflict_moments(store: Reader, record: Record, now_ms: int) -> Iterable[MomentText]:
    for each in open_conflicts(store, record=record.id):
        conflict = each.conflict
        at_ms = max(clock.millis(conflict.shown_hlc), clock.millis(conflict.kept_hlc))
        field_ = record.kind.by_name.get(conflict.cell.partition("/")[0])
        title = words.met(_(field_.label) if field_ else conflict.cell, each.one_person)
        people = words.DOT.join(
            dict.fromkeys(words.person(who) for who in (conflict.shown_by, conflict.kept_by) if who)
        )
        when = words.DOT.join(part for part in (words.moment(at_ms, now_ms), people) if part)
        text = sentences(words.one_person(each.one_person), _("See the other one in Conflicts."))
        yield MomentText(at_ms, title, when, text, "conflict", conflict.record)


def _pair_moments(store: Reader, record: Record, now_ms: int) -> Iterable[MomentText]:
    """Records that seem to be about the same as this one, and those that were joined into it."""
    for each in duplicates.seen(store, record.id) if record.kind.alike else ():
        other = each.gone if each.remains.id == record.id else each.remains
        title = _("Possible duplicate: {name}").format(name=other.title)
        at_ms = max(_made(each.gone.id), _made(each.remains.id)) or now_ms
        text = _("{why}. See both beside one another in Duplicates.").format(why=each.why)
        yield MomentText(at_ms, title, _when(at_ms, now_ms, other.changed_by), text, "duplicate", other.id)


def _own_moments(record: Record, now_ms: int) -> Iterable[MomentText]:
    made = _made(record.id)
    if made:
        title = _("{kind} added").format(kind=_(record.kind.label))
        yield MomentText(made, title, words.moment(made, now_ms), "", record.kind.name, record.id)
    if record.changed_ms > made + 60_000:
        title = _("{kind} changed").format(kind=_(record.kind.label))
        when = _when(record.changed_ms, now_ms, record.changed_by)
        yield MomentText(record.changed_ms, title, when, "", record.kind.name, record.id)


def _when(at_ms: int, now_ms: int, person: str | None, *, zone: str = "") -> str:
    when = words.moment(at_ms, now_ms, zone) if at_ms else ""
    return words.DOT.join(part for part in (when, words.person(person or "")) if part)


def _day_when(iso: str, person: str | None) -> str:
    return words.DOT.join(part for part in (words.day(iso), words.person(person or "")) if part)


def _in_day(iso: Any, now_ms: int) -> int:
    """A day as UTC milliseconds in its middle, 0 for none; what is dated today has happened by now."""
    if not isinstance(iso, str):
        return 0
    try:
        date = dt.date.fromisoformat(iso)
    except ValueError:
        return 0
    noon = int(dt.datetime(date.year, date.month, date.day, 12, tzinfo=dt.UTC).timestamp() * 1000)
    return min(noon, now_ms) if date <= dt.datetime.fromtimestamp(now_ms / 1000).astimezone().date() else noon


def _made(id_: bytes) -> int:
    """When a record was made, told by its id (UUIDv7); 0 for an id of another make."""
    return int.from_bytes(id_[:6], "big") if len(id_) == 16 and id_[6] >> 4 == 7 else 0


def _first_line(text: Any) -> str:
    return str(text).strip().split("\n", 1)[0] if text else ""
