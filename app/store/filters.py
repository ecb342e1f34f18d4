"""What a list can be narrowed to: typed conditions on the fields of a kind, and words that search would find.

Which tests a field takes is read off its type. The statements that ask them stand in narrowing.py.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from sync.protocol import money
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import (
    ADDRESS_PARTS,
    Address,
    Choice,
    Content,
    Date,
    Field,
    Find,
    Flag,
    Instant,
    Integer,
    Money,
    Person,
    Ref,
    Several,
    Value,
)
from sync.protocol.ids import parse_id
from sync.protocol.joins import listed
from sync.protocol.kinds import Kind
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _

VALUES_MAX: Final = 64  # of one condition


class Asks(enum.StrEnum):
    """What is asked of a field."""

    IS = "is"
    IS_NOT = "is_not"  # something else, or nothing
    HAS = "has"  # its words, as search understands them: by their beginnings
    CONTAINS = "contains"
    BEFORE = "before"  # of numbers and sums: less than
    AFTER = "after"  # of numbers and sums: more than
    BETWEEN = "between"  # both ends belong to it
    ONE_OF = "one_of"
    MINE = "mine"  # this device's person
    EMPTY = "empty"
    NOT_EMPTY = "not_empty"
    CURRENCY = "currency"  # of sums: which money they are in


_BARE: Final = frozenset({Asks.MINE, Asks.EMPTY, Asks.NOT_EMPTY})


class Condition(Quiet, frozen=True):
    """One test of one field. `values` are of the field's type; of a moment, also a day of this machine's zone.

    With `part`, of that part of an address alone, or of those of several values that have this label.

    MINE, EMPTY and NOT_EMPTY have no value, BETWEEN has two, ONE_OF any number, all others one; that of CURRENCY is its
    code.
    """

    field: str
    test: Asks
    values: tuple[Value, ...] = ()
    part: str = ""


class Filter(Quiet, frozen=True):
    """All of the conditions, and all of the words as search understands them."""

    conditions: tuple[Condition, ...] = ()
    words: str = ""

    def __bool__(self) -> bool:
        """Whether anything is left out by it."""
        return bool(self.conditions or self.words.strip())


ALL: Final = Filter()


def asks_of(field: Field) -> tuple[Asks, ...]:
    """What may be asked of a field, the most useful first."""
    type_ = field.type
    if isinstance(type_, Choice):
        return (Asks.ONE_OF, Asks.IS, Asks.IS_NOT, Asks.EMPTY, Asks.NOT_EMPTY)
    if isinstance(type_, Content):
        return (Asks.NOT_EMPTY, Asks.EMPTY)
    if isinstance(type_, Flag):
        return (Asks.IS, Asks.IS_NOT, Asks.EMPTY, Asks.NOT_EMPTY)
    if isinstance(type_, (Date, Instant, Integer, Money)):
        asked = (
            Asks.BETWEEN, Asks.BEFORE, Asks.AFTER, Asks.IS, Asks.IS_NOT, Asks.EMPTY, Asks.NOT_EMPTY,
        )  # fmt: skip
        return (*asked, Asks.CURRENCY) if isinstance(type_, Money) else asked
    if isinstance(type_, Ref):
        return (Asks.IS, Asks.IS_NOT, Asks.ONE_OF, Asks.EMPTY, Asks.NOT_EMPTY)
    if isinstance(type_, Person):
        return (
            Asks.MINE, Asks.IS, Asks.IS_NOT, Asks.ONE_OF, Asks.CONTAINS, Asks.EMPTY, Asks.NOT_EMPTY,
        )  # fmt: skip
    words = () if field.find is Find.NO else (Asks.HAS,)
    return (*words, Asks.CONTAINS, Asks.IS, Asks.IS_NOT, Asks.EMPTY, Asks.NOT_EMPTY)


def checked(kind: Kind, condition: Condition) -> Condition:
    """The condition with its values made exact. Raises FieldProblem where the kind has no such field or test."""
    field = kind.field(condition.field)
    test, values = condition.test, condition.values
    if test not in asks_of(field) or (condition.part and not _has_part(field, condition.part, test)):
        raise FieldProblem(field.name, _("“{field}” cannot be asked this.").format(field=_(field.label)))
    wanted = 0 if test in _BARE else 2 if test is Asks.BETWEEN else 1
    fits = 0 < len(values) <= VALUES_MAX if test is Asks.ONE_OF else len(values) == wanted
    exact = tuple(_value(field, test, value) for value in values)
    if not fits or any(value is None for value in exact):
        raise FieldProblem(field.name, _("“{field}” needs a value to ask for.").format(field=_(field.label)))
    return Condition(field.name, test, exact, condition.part)


def _value(field: Field, test: Asks, value: Value) -> Value:
    type_ = field.type
    if isinstance(type_, Instant) and isinstance(value, str):
        return Date().check(field.name, value)
    if isinstance(type_, Ref) and isinstance(value, str):
        return value.strip() or None  # a title
    if test is Asks.CURRENCY:
        return _currency(field, value)
    if _is_text(field) or test in (Asks.HAS, Asks.CONTAINS):
        if not isinstance(value, str):
            raise FieldProblem(field.name, _("This field holds text."))
        return value.strip() or None
    return type_.check(field.name, value)


def _currency(field: Field, value: Value) -> str:
    code = value.strip().upper() if isinstance(value, str) else ""
    if code not in money.currencies():
        raise FieldProblem(field.name, _("Not a currency."), _("Write it as EUR, USD or CNY."))
    return code


def _is_text(field: Field) -> bool:
    """Whether a field, or each part of it, is a text that is asked for by its letters."""
    return not isinstance(field.type, (Choice, Flag, Date, Instant, Integer, Money, Ref))


def typed(kind: Kind, where: Mapping[str, str]) -> Filter:
    """FIELD=VALUE pairs as a filter: the field, or the part of one, is that, or empty where the value is. Raises
    FieldProblem.
    """
    return Filter(tuple(_typed(*part_of(kind, name), text) for name, text in where.items()))


def worded(kind: Kind, name: str, text: str) -> Condition:
    """That a field, or the part of one, has these words. Raises FieldProblem."""
    field, part = part_of(kind, name)
    return checked(kind, Condition(field.name, Asks.HAS, (text,), part))


def part_of(kind: Kind, name: str) -> tuple[Field, str]:
    """The field that a name such as `address.city` or `phone.work` means, and the part of it, "" where all of it is
    meant. Raises FieldProblem.
    """
    root, dot, part = name.partition(".")
    field = kind.field(root)
    if not dot:
        return field, ""
    if isinstance(field.type, Address) and part not in ADDRESS_PARTS:
        problem = _("No part of an address.")
        raise FieldProblem(name, problem, _("Parts: {parts}").format(parts=listed(ADDRESS_PARTS)))
    if not isinstance(field.type, (Address, Several)) or not part:
        raise FieldProblem(name, _("{field} has no parts.").format(field=_(field.label)))
    return field, part


def _has_part(field: Field, part: str, test: Asks) -> bool:
    if test not in (Asks.IS, Asks.HAS, Asks.EMPTY):
        return False
    return part in ADDRESS_PARTS if isinstance(field.type, Address) else isinstance(field.type, Several)


def _typed(field: Field, part: str, text: str) -> Condition:
    if not text.strip():
        return Condition(field.name, Asks.EMPTY, (), part)
    if isinstance(field.type, Ref):
        return Condition(field.name, Asks.IS, (_record(text),))
    value = text.strip() if _is_text(field) else field.type.parse(field.name, text)
    if value is None:
        return Condition(field.name, Asks.EMPTY, (), part)
    return Condition(field.name, Asks.IS, (value,), part)


def _record(text: str) -> Value:
    """A record by its id, or any record of that title."""
    try:
        return parse_id(text)
    except ValueError:
        return text.strip()


def is_parts(field: Field) -> bool:
    """Whether a field holds several texts, each of which may be meant."""
    return isinstance(field.type, Several) or field.type.editor in ("tags", "address")
