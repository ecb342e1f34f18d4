"""From the cells of a row to the values of one record; references stay texts until all files are known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.services.exchange.cells import restore
from app.services.exchange.columns import ColumnReader, Decisions
from app.services.exchange.mapping import Mapping as ColumnMap
from app.services.exchange.report import Finding, Gathered, Level
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Address, Choice, Notes, Ref, Several, Tags, Value
from sync.protocol.ids import new_element_id, parse_id
from sync.protocol.texts import gettext as _

# Names in these scripts are written family name first, without a space.
_EAST_ASIAN = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")


@dataclass(frozen=True, slots=True)
class Lack:
    """A cell that was not taken: what is wrong with it, and with that what becomes of a new record's field."""

    field: str
    problem: str
    new: str
    column: str
    value: str

    def said(self, values: Mapping[str, Value], before: Mapping[str, Value] | None) -> str:
        """The problem and what stands instead; `before` is the record that is here already."""
        if before is not None and before.get(self.field) not in (None, "", []):
            return self.problem + " " + _("What is here stays.")
        if values.get(self.field) not in (None, "", []):
            return self.problem  # another column has filled the field
        return self.new if before is None else self.problem + " " + _("Left empty.")


@dataclass(slots=True)
class Draft:
    """A row as a record to be: `references` holds the texts that name others, `own_id` our id of an export."""

    number: int
    values: dict[str, Value]
    references: dict[str, str]
    own_id: bytes | None = None
    made_title: bool = False  # the title was made from other fields
    id: bytes = b""
    before: Mapping[str, Value] | None = None  # the record that is here already
    lacks: tuple[Lack, ...] = ()
    namesake: bool = False  # an earlier row brings another record of this name


@dataclass(slots=True)
class _Row:
    """What the cells of one row gave, before parts are joined."""

    values: dict[str, Value] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)  # fields that more than one cell went into


class Builder:
    """Turns rows of one file into drafts and gathers what is to be said about them."""

    def __init__(self, mapping: ColumnMap, decisions: Decisions, gathered: Gathered) -> None:
        self._kind = mapping.kind
        self._gathered = gathered
        columns = mapping.columns
        readers = list(decisions.readers.values())
        self._labels = [r for r in readers if r.column.part == "label"]
        # Most cells are the value of their field: those have its name here, of others `_put` knows what to do.
        self._readers = [
            (r.column.index, r, "" if _is_special(r) else r.field.name)
            for r in readers
            if r.column.part != "label"
        ]
        self._currencies = [c for c in columns if c.part == "currency"]
        self._own_id = next((c.index for c in columns if c.part == "id"), None)
        self._needed = [f for f in mapping.kind.fields if f.required and f.default is None]
        self.skipped = 0

    def build(self, rows: Iterable[tuple[int, tuple[str, ...]]]) -> list[Draft]:
        """A draft for each row that has a name."""
        drafts = []
        for number, cells in rows:
            draft = self._draft(number, cells)
            if draft is None:
                self.skipped += 1
            else:
                drafts.append(draft)
        return drafts

    def _draft(self, number: int, cells: tuple[str, ...]) -> Draft | None:
        row, lacks = _Row(), []
        labels = self._read_labels(cells) if self._labels else {}
        values = row.values
        for index, reader, name in self._readers:
            cell = cells[index]
            if not cell:
                continue
            currency = self._currency(reader, cells) if reader.numbers is not None else ""
            value, problem = reader.value(cell, currency)
            if name and problem is None and value is not None and name not in values:
                values[name] = value
                continue
            if problem is not None and value is not None:
                said = Finding(
                    problem.title, Level.PROBLEM, number, reader.column.heading, restore(cell), kept=True
                )
                self._gathered.one(said)
            elif problem is not None:
                lacks.append(_lack(reader, cell, problem))
            if value is not None:
                _put(row, reader, value, labels)
        kind = self._kind
        joined = _joined_name(row.names)
        if joined and kind.title not in row.values:
            row.values[kind.title] = joined
            row.joined.add(kind.title)
            if kind.name == "customer":
                row.values.setdefault("type", "person")
        self._check_joined(number, row)
        own_id = self._read_own_id(cells)
        draft = Draft(number, row.values, row.references, own_id, lacks=tuple(lacks))
        if kind.title not in row.values and not self._make_title(draft):
            empty = _("{field} is empty: a record needs one.").format(field=_(kind.by_name[kind.title].label))
            self._leave_out(draft, empty)
            return None
        for needed in self._needed:
            if needed.name not in row.values and not draft.made_title:
                lacking = _("{field} is needed.").format(field=_(needed.label))
                self._leave_out(draft, lacking)
                return None
        return draft

    def _leave_out(self, draft: Draft, problem: str) -> None:
        """Say why a row brings no record."""
        for lack in draft.lacks:
            self._gathered.again(lack.problem, Level.PROBLEM, draft.number, lack.column, lack.value)
        self._gathered.again(problem, Level.PROBLEM, draft.number)

    def _check_joined(self, number: int, row: _Row) -> None:
        """What several columns gave together may be more than the field holds."""
        for name in row.joined:
            field = self._kind.by_name[name]
            try:
                field.type.check(name, row.values.get(name))
            except FieldProblem as problem:
                del row.values[name]
                self._gathered.one(Finding(problem.title, row=number, column=_(field.label)))

    def _make_title(self, draft: Draft) -> bool:
        """Whether a draft without a name can get one: a contact from its e-mail, a deal later from its references."""
        if self._kind.name == "contact" and draft.values.get("emails"):
            draft.values["name"] = draft.values["emails"][0]["value"]
            self._gathered.again(
                _("Without a name: named after the e-mail address."), Level.NOTE, draft.number
            )
            draft.made_title = True
        elif self._kind.name == "deal":
            draft.made_title = bool(
                draft.references.get("product")
                or draft.references.get("customer")
                or draft.values.get("number")
            )
        return draft.made_title

    def _read_labels(self, cells: tuple[str, ...]) -> dict[tuple[str, str], str]:
        """Labels that stand in columns of their own, by field and number."""
        found = {}
        for reader in self._labels:
            cell = cells[reader.column.index]
            if cell and (text := reader.value(cell)[0]):
                found[reader.field.name, reader.column.group] = str(text)[:40]
        return found

    def _currency(self, reader: ColumnReader, cells: tuple[str, ...]) -> str:
        """The currency that another column of the row names for an amount."""
        for column in self._currencies:
            if column.field is None or column.field.name == reader.field.name:
                return restore(cells[column.index]).strip()
        return ""

    def _read_own_id(self, cells: tuple[str, ...]) -> bytes | None:
        if self._own_id is None:
            return None
        try:
            return parse_id(cells[self._own_id])
        except ValueError:
            return None


def _lack(reader: ColumnReader, cell: str, problem: FieldProblem) -> Lack:
    """What is said of a cell that holds no value of its field."""
    field, title, end = reader.field, problem.title, _("Left empty.")
    if field.default is not None:
        type_, default = field.type, field.default
        label = type_.label(default) if isinstance(type_, Choice) else str(default)
        end = _("Brought in as {value}.").format(value=label)
    more = f" {problem.hint}" if isinstance(field.type, Choice) and problem.hint else ""
    return Lack(field.name, title + more, f"{title} {end}{more}", reader.column.heading, restore(cell))


def _is_special(reader: ColumnReader) -> bool:
    """Whether what a cell gives is more, or less, than the value of its field."""
    type_ = reader.field.type
    return isinstance(type_, Ref | Address | Several | Tags) or reader.column.part in (
        "first",
        "middle",
        "last",
    )


def _put(row: _Row, reader: ColumnReader, value: Value, labels: Mapping[tuple[str, str], str]) -> None:
    """Lay one cell's value into the row."""
    field, column = reader.field, reader.column
    values = row.values
    if field.name in values:
        row.joined.add(field.name)
    if isinstance(field.type, Ref):
        row.references[field.name] = value
    elif column.part in ("first", "middle", "last"):
        row.names[column.part] = value
    elif isinstance(field.type, Address):
        found = {**values.get(field.name, {}), **value}
        if "more" in found:
            more = found.pop("more")
            found["street"] = f"{found['street']}, {more}" if found.get("street") else more
        values[field.name] = found
    elif isinstance(field.type, Several):
        label = labels.get((field.name, column.group)) if column.group else None
        known = values.setdefault(field.name, [])
        there = {each["value"] for each in known}  # a second column that repeats the first adds nothing
        known += [
            {"id": new_element_id(), "label": label or element["label"], "value": element["value"]}
            for element in value
            if element["value"] not in there
        ]
    elif isinstance(field.type, Tags):
        values[field.name] = sorted({*values.get(field.name, ()), *value})
    elif isinstance(field.type, Notes) and field.name in values:
        values[field.name] = f"{values[field.name]}\n\n{value}"
    else:
        values[field.name] = value


def _joined_name(parts: Mapping[str, str]) -> str:
    """A name from its parts, in the order of its script."""
    if _EAST_ASIAN.search("".join(parts.values())):
        return parts.get("last", "") + parts.get("middle", "") + parts.get("first", "")
    return " ".join(parts[part] for part in ("first", "middle", "last") if part in parts)
