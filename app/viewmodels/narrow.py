"""Filters and orders in words: what a list can be asked, how a condition reads, and which way an order goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from app.store.filters import Asks, Condition, asks_of
from app.viewmodels import words
from sync.protocol.fields import Choice, Date, Field, Flag, Instant, Person, Ref, Value
from sync.protocol.joins import labelled, listed
from sync.protocol.kinds import Kind
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_

CHANGED: Final = "-changed"

_ASKED: Final = {
    Asks.IS: N_("is"),
    Asks.IS_NOT: N_("is not"),
    Asks.HAS: N_("has"),
    Asks.CONTAINS: N_("contains"),
    Asks.BEFORE: N_("less than"),
    Asks.AFTER: N_("more than"),
    Asks.BETWEEN: N_("from … to"),
    Asks.ONE_OF: N_("one of"),
    Asks.MINE: N_("is me"),
    Asks.EMPTY: N_("is empty"),
    Asks.NOT_EMPTY: N_("is filled"),
    Asks.CURRENCY: N_("in currency"),
}
_STANDS: Final = {
    Asks.EMPTY: N_("empty"),
    Asks.NOT_EMPTY: N_("filled in"),
}  # behind the field's name and a colon
_OF_DAYS: Final = {Asks.BEFORE: N_("before"), Asks.AFTER: N_("after")}


def asked_of(field: Field) -> list[Asks]:
    """What the window offers to ask of a field, the first one chosen; one record at a time for references."""
    return [
        asks
        for asks in asks_of(field)
        if asks is not Asks.ONE_OF or isinstance(field.type, Choice)
        if asks is not Asks.IS or not isinstance(field.type, Choice)
    ]


def asks_words(field: Field, asks: Asks) -> str:
    """A test of a field in words, such as "before"."""
    of_days = isinstance(field.type, (Date, Instant))
    return _(_OF_DAYS[asks]) if of_days and asks in _OF_DAYS else _(_ASKED[asks])


def fields_of(kind: Kind, hidden: Collection[str] = ()) -> list[Field]:
    """The fields that a list can be narrowed by: those of its columns first, and none that is hidden."""
    rest = [field for field in kind.fields if not field.column]
    return [field for field in (*kind.columns, *rest) if field.name not in hidden]


def described(kind: Kind, condition: Condition, names: Mapping[bytes, str]) -> str:
    """A condition as a chip says it: "Stage: Lead, Prospect", "Owner: me", "Due: before 3 Nov", "Stage: empty"."""
    field = kind.by_name[condition.field]
    asks = condition.test
    values = [value_words(field, value, names) for value in condition.values]
    if asks is Asks.MINE:
        said = _("me")
    elif asks in _STANDS:
        said = _(_STANDS[asks])
    elif asks in (Asks.IS, Asks.ONE_OF):
        said = listed(values)
    elif asks is Asks.IS_NOT:
        said = _("not {value}").format(value=values[0])
    elif asks is Asks.BETWEEN:
        said = _("{first} to {last}").format(first=values[0], last=values[1])
    else:
        said = " ".join([asks_words(field, asks), *values])
    return labelled(_(field.label), said)


def value_words(field: Field, value: Value, names: Mapping[bytes, str]) -> str:
    """One value that is asked for."""
    type_ = field.type
    if isinstance(type_, Ref):
        return names.get(value, words.DASH) if isinstance(value, bytes) else str(value)
    if isinstance(type_, Instant) and isinstance(value, str):
        return words.day(value)
    if isinstance(type_, Person):
        return words.person(str(value))
    if isinstance(type_, Flag):
        return _("yes") if value else _("no")
    if isinstance(value, str) and not isinstance(type_, (Choice, Date)):
        return value
    return words.value(field, value, lambda id_: names.get(id_, words.DASH))


# --- orders ------------------------------------------------------------------------------------------


def order_field(order: str) -> str:
    """An order without its direction."""
    return order.removeprefix("-")


def order_words(kind: Kind, order: str) -> str:
    """What an order goes by."""
    name = order_field(order)
    return _("Last changed") if name == "changed" else _(kind.by_name[name or kind.title].label)


def ways(kind: Kind, order: str) -> tuple[tuple[str, str], ...]:
    """Both directions of an order: (order, words)."""
    name = order_field(order)
    type_ = kind.by_name[name or kind.title].type if name != "changed" else None
    if type_ is None or isinstance(type_, (Date, Instant)):
        return (f"-{name}", _("Latest first")), (name, _("Earliest first"))
    if isinstance(type_, Choice):
        return (name, _("First to last")), (f"-{name}", _("Last to first"))
    if type_.sql[0][1] == "INTEGER":
        return (f"-{name}", _("Largest first")), (name, _("Smallest first"))
    return (name, _("A to Z")), (f"-{name}", _("Z to A"))
