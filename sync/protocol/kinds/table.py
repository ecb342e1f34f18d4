"""What a kind is: a name, its fields, and how records of it are shown, kept and shared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Care, Content, Field, Find, Merge, Ref, Tags, Value, is_plain
from sync.protocol.joins import listed
from sync.protocol.kinds import pairs
from sync.protocol.kinds.han import simplified
from sync.protocol.texts import gettext as _

CELL_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}(/.{1,80})?", re.DOTALL)


class Totals(msgspec.Struct, frozen=True):
    """Figures that a store keeps at hand: how many kept records hold the same values in the fields `by`, and sums.

    A day counts for its month. `by` names fields of one column; `sums` whole numbers and money, of which each
    currency is summed apart.
    """

    by: tuple[str, ...]
    sums: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ahead:
    """What of a kind lies before somebody: `when` names a day or a moment, `whose` the person.

    A record is over once the field of `over` holds one of its values, such as a task that is done.
    """

    when: str
    whose: str
    over: tuple[str, tuple[Value, ...]]


@dataclass(frozen=True)
class Kind:
    """One kind of record. `title` names the field that stands for it; `subtitle` those of the second line."""

    name: str
    label: str
    plural: str
    icon: str
    title: str
    fields: tuple[Field, ...]
    subtitle: tuple[str, ...] = ()
    side: str = ""  # the field shown at the right of a list row
    shared: bool = False  # a catalogue that everyone with customer data holds, whatever the team
    synonyms: str = ""  # words in file names that mean this kind, parted by "; "
    order: int = 0  # place in the rail
    from_file: bool = False  # made of a file that is attached to another record, and in no other way
    totals: tuple[Totals, ...] = ()
    ahead: Ahead | None = None
    alike: bool = False  # two of its records may be about one customer or person, and be made one (pairs.py)

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """Fields by name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def headers(self) -> Mapping[str, Field]:
        """Fields by every header, normalised by `same_header`, under which other programs write them."""
        known: dict[str, Field] = {}
        for field in self.fields:
            own = (field.name, field.alias, field.label)
            for header in (*own, *field.synonyms.split("; ")):
                known.setdefault(same_header(header), field)
        known.pop("", None)
        return known

    @cached_property
    def columns(self) -> tuple[Field, ...]:
        """Fields shown as list columns, in order."""
        return tuple(sorted((f for f in self.fields if f.column), key=lambda f: f.column))

    @cached_property
    def upward(self) -> tuple[Field, ...]:
        """The fields that refer to a record of the same kind."""
        return tuple(f for f in self.fields if isinstance(f.type, Ref) and f.type.to == self.name)

    @cached_property
    def _required(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.required)

    def field(self, name: str) -> Field:
        """The field of that name or alias. Raises FieldProblem when there is none."""
        found = self.by_name.get(name) or next((f for f in self.fields if f.alias == name and name), None)
        if found is None:
            raise FieldProblem(
                name,
                _("{kind} has no field “{field}”.").format(kind=_(self.label), field=name[:60]),
                _("Fields: {names}").format(names=listed(self.by_name)),
            )
        return found

    def hidden(self, care: int) -> frozenset[str]:
        """Names of the fields that are hidden from somebody who sees classes up to `care`."""
        return frozenset(field.name for field in self.fields if field.care > care)

    def shows(self, cell: str, care: int) -> bool:
        """Whether somebody who sees classes up to `care` sees that cell; how much one of later needs is not known."""
        field = self.by_name.get(cell.partition("/")[0])
        if field is None and pairs.is_pair(cell):
            return True
        return (Care.RESTRICTED if field is None else field.care) <= care

    @cached_property
    def contents(self) -> tuple[Field, ...]:
        """The fields that hold files."""
        return tuple(f for f in self.fields if isinstance(f.type, Content))

    def searched(self, *how: Find) -> tuple[Field, ...]:
        """Fields that search sees in one of these ways."""
        return tuple(f for f in self.fields if f.find in how)

    def check(self, values: Mapping[str, Value], *, whole: bool = False) -> dict[str, Value]:
        """Values by field name made exact; with `whole`, required fields must be there.

        Raises FieldProblem for the first value that its field cannot hold.
        """
        checked: dict[str, Value] = {}
        by_name = self.by_name
        for name, value in values.items():
            field = by_name.get(name) or self.field(name)
            exact = checked[field.name] = field.type.check(field.name, value)
            if exact is None and field.required:
                raise _missing(field)
        if whole:
            for field in self._required:
                if checked.get(field.name) is None:
                    raise _missing(field)
        return checked

    def cells(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Checked values as the flat cells of a record."""
        flat: dict[str, Value] = {}
        for name, value in values.items():
            flat.update(self.by_name[name].type.cells(name, value))
        return flat

    def values(self, cells: Mapping[str, Value]) -> dict[str, Value]:
        """The record that its cells spell, by field name; empty fields and unknown cells are left out."""
        found: dict[str, Value] = {}
        for cell, value in cells.items():
            name, _slash, element = cell.partition("/")
            field = self.by_name.get(name)
            if field is None or value is None:
                continue
            if not field.type.several:
                found[name] = value
            elif isinstance(field.type, Tags):
                found.setdefault(name, []).append(element)
            elif isinstance(value, Mapping):
                found.setdefault(name, []).append({"id": element, **value})
        for name, value in found.items():
            if isinstance(self.by_name[name].type, Tags):
                value.sort()
        return found

    def told(self, cells: Mapping[str, Value]) -> dict[str, Value]:
        """Cells as scripts are told them: without what must not leave the program."""
        secret = {field.name: field.type for field in self.contents}
        return {cell: secret[cell].told(value) if cell in secret else value for cell, value in cells.items()}

    def changes(self, before: Mapping[str, Value], values: Mapping[str, Value]) -> dict[str, Value]:
        """The cells that turn the cells `before` into `values` (None takes a cell away); unmentioned fields stay."""
        wanted = self.cells(values)
        changed = {cell: value for cell, value in wanted.items() if before.get(cell) != value}
        for cell, value in before.items():
            root = cell.partition("/")[0]
            if "/" in cell and root in values and cell not in wanted and value is not None:
                changed[cell] = None
        return changed

    def check_cells(self, cells: Mapping[Any, Any], *, before: bool = False) -> dict[str, Any]:
        """Cells as they come over the wire made exact; unknown fields are carried where their names are sane and their
        values plain. With `before`, they are what somebody saw: any of them may have been empty.

        Raises FieldProblem.
        """
        checked: dict[str, Any] = {}
        for cell, value in cells.items():
            if not isinstance(cell, str) or not CELL_NAME.fullmatch(cell):
                raise FieldProblem(str(cell)[:40], _("Not a field name."))
            name, slash, element = cell.partition("/")
            field = self.by_name.get(name)
            if (
                field is None
                and self.alike
                and name in pairs.CELLS
                and not (pairs.is_pair(cell) and value in (True, None))
            ):
                raise FieldProblem(name, _("Not a field name."))
            if field is not None and bool(slash) != field.type.several:
                # A second cell of one field would be merged past the first one, whatever the field's rule.
                raise FieldProblem(name, _("Not a field name."))
            if field is None or value is None:
                if not is_plain(value):
                    raise FieldProblem(name, _("Not a value that a record can hold."))
                checked[cell] = value
            elif not field.type.several:
                checked[cell] = field.type.check(name, value)
            elif isinstance(field.type, Tags):
                if field.type.check(name, [element]) != [element] or value is not True:
                    raise FieldProblem(name, _("Not a tag."))
                checked[cell] = True
            else:
                if not isinstance(value, Mapping):
                    raise FieldProblem(name, _("A value has a label and a text."))
                exact = field.type.check(name, [{**value, "id": element}])
                if not exact:
                    raise FieldProblem(name, _("A value has a label and a text."))
                checked[cell] = {"label": exact[0]["label"], "value": exact[0]["value"]}
            if field is not None and field.required and checked[cell] is None and not before:
                raise _missing(field)
        return checked

    def rule(self, cell: str) -> Merge:
        """The merge rule of a cell; what we do not know merges by the latest clock."""
        field = self.by_name.get(cell.partition("/")[0])
        if field is None:
            return Merge.LATEST
        return Merge.LATEST if field.rule is Merge.UNION else field.rule


def same_header(text: str) -> str:
    """A column header or the word of a choice, folded and in one Chinese script, so that variants meet."""
    return simplified(same_name(text))


def same_name(text: str) -> str:
    """A name without case, accents, spaces and signs; its script stays, since that may tell two names apart."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in folded if c.isalnum())


def _missing(field: Field) -> FieldProblem:
    return FieldProblem(field.name, _("{field} is needed.").format(field=_(field.label)))
