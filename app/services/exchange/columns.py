"""Per column, over all of its rows: how its texts are read as values of a field, and what the report says of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from babel import Locale

from app.services.exchange import dates, numbers, words
from app.services.exchange.cells import restore
from app.services.exchange.headings import Column
from app.services.exchange.mapping import Mapping as ColumnMap
from app.services.exchange.read import Table
from app.services.exchange.report import Finding, Level
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import (
    ELEMENTS_MAX,
    Address,
    Choice,
    Date,
    Field,
    Instant,
    Integer,
    Money,
    Person,
    Ref,
    Several,
    Tags,
    Value,
    clean_text,
)
from sync.protocol.ids import ELEMENT_BYTES
from sync.protocol.kinds import Kind, same_header
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

Reader = Callable[[str], Value]  # of one restored cell; raises FieldProblem
Read = tuple[Value, FieldProblem | None]  # what a cell gave, and why not all of it
LABELLED = re.compile(r"((?:[^:\\\n]|\\.){0,80}): (.+)")
MOMENT = re.compile(r"(.+[Z\d])\s+([A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+|UTC)")
_PARTED: Final = re.compile(r"[;\n；]| ::: ")
_PARTED_MAIL: Final = re.compile(r"[;,\s；，、]| ::: ")
_MOSTLY: Final = 0.8
_FEW: Final = 1_000_000  # what most companies that have an account of their own take in a year, and more
_LOOKED_AT: Final = 1000
_SEEN: Final = 4_096  # values of a column that are kept in mind
_NO_ID: Final = "0" * (2 * ELEMENT_BYTES)  # of an element that gets its own later


class Partly(FieldProblem):
    """Some of a cell's several values could be read; `value` holds these."""

    def __init__(self, problem: FieldProblem, value: Value) -> None:
        super().__init__(problem.field, problem.title, problem.hint)
        self.value = value


@dataclass(slots=True)
class ColumnReader:
    """One column's way of reading, with what it has read of late: files repeat their values."""

    column: Column
    field: Field
    read: Reader
    numbers: numbers.Numbers | None = None  # for amounts, whose currency may stand in another column
    seen: dict[Any, Read] = dataclasses.field(default_factory=dict)

    def value(self, cell: str, currency: str = "") -> Read:
        """The value of a cell, and why it has none or not all; `currency` is what another column says."""
        key = (cell, currency) if currency else cell
        known = self.seen.get(key)
        if known is None:
            if len(self.seen) >= _SEEN:
                self.seen.clear()  # names, numbers and notes hardly ever come again, and there may be a million
            known = self.seen[key] = self._value(restore(cell), currency)
        return known

    def _value(self, text: str, currency: str) -> Read:
        if not text:
            return None, None
        try:
            if currency and self.numbers is not None:
                own = numbers.in_currency(self.numbers, currency)
                return self.field.type.check(
                    self.field.name, numbers.read_amount(self.field.name, text, own)
                ), None
            return self.read(text), None
        except Partly as problem:
            return problem.value, problem
        except FieldProblem as problem:
            return None, problem


@dataclass(frozen=True, slots=True)
class Decisions:
    """How each column of a file is read, by column index, and what the report says about that."""

    readers: Mapping[int, ColumnReader]
    findings: tuple[Finding, ...]


def decide(table: Table, mapping: ColumnMap, *, today: dt.date, currency: str) -> Decisions:
    """How to read each column of a table, by looking at all of its values."""
    texts = {column.index: _texts(table, column.index) for column in mapping.columns}
    days = _days(mapping, texts)
    shared = {
        column.field.name if column.field else "" for column in mapping.columns if column.part == "currency"
    }
    findings: list[Finding] = []
    readers: dict[int, ColumnReader] = {}
    for column in mapping.columns:
        field = column.field
        if field is None or column.part == "currency":
            continue
        own = texts[column.index]
        notes: list[str] = []
        found: numbers.Numbers | None = None
        if isinstance(field.type, Money):
            named = bool(column.currency or shared & {"", field.name})
            found = numbers.decide(own, column.currency or currency, named=named)
            found = dataclasses.replace(found, factor=column.factor)
            notes = [*found.notes(amounts=True), *_about_units(mapping, column, own, found)] if own else []
            read = _amounts(field, found)
        elif isinstance(field.type, Integer):
            whole = numbers.decide(own, currency, named=False)
            whole = dataclasses.replace(whole, factor=column.factor)
            notes = whole.notes(amounts=False)
            read = _integers(field, whole)
        elif isinstance(field.type, Date | Instant):
            notes = _about_days(field, days[column.index])
            read = _days_reader(field, days[column.index], today)
        elif isinstance(field.type, Address) and not column.part and _are_countries(own):
            notes = [_("These are countries: taken as the country of the address.")]
            read = _part(field, "country")
        else:
            notes = _about_people(own) if isinstance(field.type, Person) else []
            read = _plain(mapping.kind, column, field)
        readers[column.index] = ColumnReader(column, field, read, found)
        findings += [Finding(note, level=Level.NOTE, column=column.heading) for note in notes]
        if column.factor > 1 and own:
            findings.append(Finding(_multiplied(column), level=Level.CORRECTION, column=column.heading))
    return Decisions(readers, (*findings, *_empty_words(table, mapping)))


def _multiplied(column: Column) -> str:
    """That amounts were made larger, by whose word, and by how much."""
    factor = f"{column.factor:,}"
    if column.told_by:
        return _("“{file}” names a unit: every number was multiplied by {factor}.").format(
            file=column.told_by, factor=factor
        )
    return _("The heading names a unit: every number was multiplied by {factor}.").format(factor=factor)


def _about_units(mapping: ColumnMap, column: Column, texts: list[str], decided: numbers.Numbers) -> list[str]:
    """What to know where amounts are taken as they are written."""
    if column.factor > 1 or any(each.part == "id" for each in mapping.columns):
        return []  # it is said elsewhere, or the file is an export of ours
    if column.unclear:
        return [
            _("“{text}” in the heading is not understood: taken as written, without a unit.").format(
                text=column.unclear
            )
        ]
    field = column.field.name if column.field is not None else ""
    # A company's year is what files count in thousands or millions; nobody writes the price of a product so.
    if (mapping.kind.name, field) in words.OFTEN_IN_UNITS and numbers.most_below(
        texts[:_LOOKED_AT], _FEW, decided
    ):
        said = _(
            "Taken as written. If these are thousands or millions, let the heading say so: {heading} (millions)"
        )
        return [said.format(heading=column.heading)]
    return []


def _about_people(texts: list[str]) -> list[str]:
    """Names that are nobody's account for sure: accounts go by e-mail."""
    names = sum("@" not in text for text in texts)
    said = ngettext(
        "{n} name is no e-mail address: kept as text. Accounts go by e-mail, so its records stay with whoever brings"
        " them in.",
        "{n} names are no e-mail addresses: kept as text. Accounts go by e-mail, so their records stay with whoever"
        " brings them in.",
        names,
    )
    return [said.format(n=names)] if names else []


def _about_days(field: Field, days: dates.Days) -> list[str]:
    notes = days.notes()
    if days.times and isinstance(field.type, Date):
        notes.append(_("The time of day was left out."))
    return notes


def _texts(table: Table, index: int) -> list[str]:
    """The distinct texts of a column, without empty ones."""
    distinct = dict.fromkeys(cells[index] for _number, cells in table.rows)
    return [text for text in (restore(cell) for cell in distinct) if text]


def _days(mapping: ColumnMap, texts: Mapping[int, list[str]]) -> dict[int, dates.Days]:
    """The decision for each column of days, helped by the others."""
    own = {
        column.index: dates.decide(texts[column.index])
        for column in mapping.columns
        if column.field is not None and isinstance(column.field.type, Date | Instant)
    }
    return {index: dates.settle(days, own.values()) for index, days in own.items()}


def _empty_words(table: Table, mapping: ColumnMap) -> Iterable[Finding]:
    """A note for each word, such as NULL, that was read as empty."""
    for column in mapping.columns:
        index = column.index
        distinct = dict.fromkeys(cells[index] for _number, cells in table.rows)
        empty = {cell: word for cell in distinct if cell and not restore(cell) and (word := cell.strip())}
        found: dict[str, list[int]] = {}
        for number, cells in table.rows if empty else ():
            if word := empty.get(cells[index], ""):
                found.setdefault(word, []).append(number)
        for word, rows in found.items():
            yield Finding(
                _("Read as empty."), Level.NOTE, rows[0], column.heading, word, len(rows), tuple(rows)
            )  # fmt: skip


def _plain(kind: Kind, column: Column, field: Field) -> Reader:
    """Texts, choices, flags, several values and parts of addresses and names."""
    if column.part == "label":
        return lambda text: text.strip().lstrip("* ").casefold()
    if isinstance(field.type, Address):
        return _part(field, column.part or "street")
    if isinstance(field.type, Ref):
        return clean_text
    if column.part:
        return lambda text: " ".join(text.split())
    if isinstance(field.type, Choice):
        known = words.CHOICES.get((kind.name, field.name), {})
        choice = field.type
        return lambda text: known.get(same_header(text)) or choice.parse(field.name, text)
    if isinstance(field.type, Several):
        return _several(column, field, field.type)
    if isinstance(field.type, Tags):
        tags = field.type
        return lambda text: (
            tags.check(field.name, text.split("\n")) if "\n" in text else tags.parse(field.name, text)
        )
    return lambda text: field.type.parse(field.name, text)


def _part(field: Field, part: str) -> Reader:
    """A part of an address."""
    # A second line of the street is checked as a street and joined to the first later.
    checked = "street" if part == "more" else part

    def read(text: str) -> Value:
        found = field.type.check(field.name, {checked: text})
        return None if found is None else {part: found[checked]}

    return read


def _several(column: Column, field: Field, kind: Several) -> Reader:
    """Phones, e-mails, websites: parted by `;` or line breaks, each with a label before a colon or of its own.

    Gives elements without ids: two rows with the same cell must not share one.
    """
    parted = _PARTED_MAIL if kind.of == "email" else _PARTED

    def read(text: str) -> Value:
        found: list[dict[str, str]] = []
        trouble: FieldProblem | None = None
        for line in text.split("\n"):
            match = LABELLED.fullmatch(line.strip())
            if match and len(label := unescape(match[1])) <= 40 and (kind.of != "email" or "@" in match[2]):
                pairs = [(label.strip() or ("" if match[1] == "" else column.label), match[2])]
            else:
                pairs = [(column.label, part) for part in parted.split(line.strip())]
            for label, value in pairs:
                try:
                    element = kind.element(field.name, {"id": _NO_ID, "label": label, "value": value})
                except FieldProblem as problem:
                    trouble = trouble or problem
                    continue
                if element is not None:
                    found.append({"label": element["label"], "value": element["value"]})
        if len(found) > ELEMENTS_MAX:
            many = FieldProblem(field.name, _("At most {limit} values.").format(limit=ELEMENTS_MAX))
            raise Partly(many, found[:ELEMENTS_MAX])
        if trouble is not None:
            raise Partly(trouble, found or None)
        return found or None

    return read


def unescape(label: str) -> str:
    """A label as it was before export wrote a backslash before its colons."""
    return re.sub(r"\\(.)", r"\1", label)


def _amounts(field: Field, decided: numbers.Numbers) -> Reader:
    return lambda text: field.type.check(field.name, numbers.read_amount(field.name, text, decided))


def _integers(field: Field, decided: numbers.Numbers) -> Reader:

    def read(text: str) -> Value:
        number = numbers.read_number(field.name, text, decided)
        if number != number.to_integral_value():
            raise FieldProblem(field.name, _("This field holds a whole number."))
        return field.type.check(field.name, int(number))

    return read


def _days_reader(field: Field, days: dates.Days, today: dt.date) -> Reader:
    def read(text: str) -> Value:
        if isinstance(field.type, Date):
            return field.type.check(field.name, dates.read_day(field.name, text, days, today))
        zoned = MOMENT.fullmatch(text.strip()) if len(text) <= dates.LONGEST else None
        moment: Any = field.type.parse(
            field.name, dates.read_moment(field.name, zoned[1] if zoned else text, days, today)
        )
        return {**moment, "zone": zoned[2]} if zoned and moment else moment

    return read


def _are_countries(texts: list[str]) -> bool:
    """Whether most of a column's distinct texts are names or codes of countries."""
    known = _countries()
    return bool(texts) and sum(same_header(text) in known for text in texts) >= _MOSTLY * len(texts)


@cache
def _countries() -> frozenset[str]:
    """Names and codes of countries in the languages whose files we meet."""
    names = {"usa", "us", "uk", "korea", "england", "scotland", "prc", "uae"}
    for language in ("en", "zh", "de", "fr", "es"):
        territories: Mapping[str, str] = Locale(language).territories
        names |= {same_header(name) for code, name in territories.items() if len(code) == 2}
        names |= {code.casefold() for code in territories if len(code) == 2}
    return frozenset(names)
