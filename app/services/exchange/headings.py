"""What one heading of a file means for one kind of record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from app.services.exchange import units, words
from app.services.exchange.units import Unit
from sync.protocol.fields import Address, Field, Integer, Money, Ref, Several
from sync.protocol.kinds import Kind, same_header
from sync.protocol.kinds.han import simplified

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_E_MAIL = re.compile(r"\be[-\s]mail", re.IGNORECASE)
_HOME_PAGE = re.compile(r"\bhome[-\s]page", re.IGNORECASE)
_BRACKETS = re.compile(r"\s*(?:\(([^()]*)\)|\[([^\[\]]*)\]|（([^（）]*)）)\s*$")
_IN_CURRENCY = re.compile(r"(?:[\s_]+in[\s_]+|_)([A-Za-z]{3})$|\s([A-Z]{3})$")
_GAP = re.compile(r"(?<=\w)[\s_]+(?=\w)")
FAR: Final = 1000  # the rank of a heading that was only understood after something was taken off


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file and what it is for.

    `part` is "" for a whole value; "first", "middle", "last" of a name; a part of an address ("street", "more",
    "postcode", "city", "region", "country"); "label" or "currency" of another column's value; "id" for our own
    record id. `group` joins columns of one address or one numbered value. `rank` rises with doubt.
    """

    index: int
    heading: str
    field: Field | None = None
    part: str = ""
    label: str = ""
    group: str = ""
    currency: str = ""
    factor: int = 1  # what its numbers are multiplied by
    told_by: str = ""  # the file that says so, where it is not the heading
    unclear: str = ""  # what the heading says in brackets and nobody understood
    rank: int = 0

    @property
    def taken(self) -> bool:
        """Whether anything comes of this column."""
        return self.field is not None or self.part in ("id", "currency")


def meaning(kind: Kind, index: int, heading: str) -> Column:
    """What a heading means for a kind; a column without field when it means nothing."""
    blank = Column(index, heading)
    if same_header(heading) == same_header(words.our_id(kind)):
        return replace(blank, part="id")
    bare, unit, unclear = _without_unit(heading)
    found = _whole(kind, blank, heading) or (_whole(kind, blank, bare) if bare != heading else None)
    found = (
        found or _shortened(kind, blank, bare) or _own_id(kind, blank, heading, same_header(heading)) or blank
    )
    if found.field is not None and isinstance(found.field.type, Money):
        return replace(found, currency=unit.currency, factor=unit.factor, unclear=unclear)
    if found.field is not None and isinstance(found.field.type, Integer) and not unit.currency:
        return replace(found, factor=unit.factor)
    if unit.factor > 1 and not _BRACKETS.search(heading):
        return _whole(kind, blank, heading) or blank  # no amount, so its last words are no unit
    return found


def _whole(kind: Kind, blank: Column, heading: str) -> Column | None:
    """What a heading means as it stands."""
    key = same_header(heading)
    for reading in (_exact, _name_part, _address, _channel, _currency):
        found = reading(kind, blank, heading, key)
        if found is not None:
            return found
    return None


def _shortened(kind: Kind, blank: Column, heading: str) -> Column | None:
    """What a heading means without a word before it that names the record, or without "name" after it."""
    for shorter, references in _shorter(kind, heading):
        key = same_header(shorter)
        for reading in (_exact, _name_part, _channel, _own_id):
            found = reading(kind, blank, shorter, key)
            if found is not None and (not references or is_reference(found)):
                return replace(found, rank=FAR)
    return None


def _exact(kind: Kind, blank: Column, heading: str, key: str) -> Column | None:
    """A heading that the table of kinds names. Names that come in parts and addresses have rules of their own."""
    field = kind.headers.get(key)
    if field is None or key in words.NAME_PARTS:
        return None
    rank = list(kind.headers).index(key)
    if isinstance(field.type, Address):
        parts = _address(kind, blank, heading, key)
        return parts or replace(blank, field=field, rank=rank)
    if isinstance(field.type, Several):
        _known, label, group = _channel_words(heading)
        return replace(blank, field=field, label=label, group=group, rank=rank)
    return replace(blank, field=field, rank=rank)


def _name_part(kind: Kind, blank: Column, _heading: str, key: str) -> Column | None:
    """First, middle and last name, joined into the title."""
    part = words.NAME_PARTS.get(key)
    if part is None or kind.name not in ("contact", "customer"):
        return None
    return replace(blank, field=kind.by_name[kind.title], part=part)


def _address(kind: Kind, blank: Column, heading: str, key: str) -> Column | None:
    """A part of an address, with the group it belongs to: "Billing City", "Address 1 - City"."""
    field = next((field for field in kind.fields if isinstance(field.type, Address)), None)
    if field is None:
        return None
    if key in words.ADDRESS_PARTS:
        return replace(blank, field=field, part=words.ADDRESS_PARTS[key])
    tokens = _tokens(heading)
    if tokens[:1] == ["property"]:
        tokens = tokens[1:]
    for cut in range(min(3, len(tokens))):
        part = words.ADDRESS_PARTS.get("".join(tokens[cut:]))
        before = tokens[:cut]
        if part and all(token in words.ADDRESS_GROUPS or token.isdigit() for token in before):
            return replace(blank, field=field, part=part, group=" ".join(before), rank=FAR)
        if tokens[cut:] in (["address"], ["location"]) and before and before[0] in words.ADDRESS_GROUPS:
            return replace(blank, field=field, group=" ".join(before), rank=FAR)
    return None


def _channel(kind: Kind, blank: Column, heading: str, _key: str) -> Column | None:
    """A phone, an e-mail or a website under a heading of its own: "Home Phone 2", "E-mail 1 - Type"."""
    tokens = set(_tokens(heading))
    for name, channel in words.CHANNELS.items():
        field = kind.by_name.get(name)
        if field is None or not tokens & channel:
            continue
        known, label, group = _channel_words(heading)
        if known:
            part = "label" if tokens & {"type", "label"} else ""
            return replace(blank, field=field, part=part, label=label, group=group, rank=FAR)
    return None


def _channel_words(heading: str) -> tuple[bool, str, str]:
    """Whether every word of a heading is about a channel; the label it gives; its number."""
    tokens = _tokens(heading)
    numbers = [token for token in tokens if token.isdigit()]
    rest = [token for token in tokens if not token.isdigit() and token not in ("type", "label")]
    labels = dict.fromkeys(words.LABELS.get(token, "") for token in rest)
    if "fax" in labels:
        labels.pop("work", None)
    label = " ".join(label for label in labels if label)
    return all(token in words.LABELS for token in rest), label, " ".join(numbers)


def _currency(kind: Kind, blank: Column, heading: str, _key: str) -> Column | None:
    """The currency of an amount in another column, or of all amounts of the row."""
    tokens = _tokens(heading)
    while tokens and tokens[-1] in ("code", "iso"):
        tokens = tokens[:-1]
    if not tokens or tokens[-1] not in ("currency", "货币", "币种", "币别"):
        return None
    field = kind.headers.get("".join(tokens[:-1]))
    if field is not None and not isinstance(field.type, Money):
        field = None
    if field is None and len(tokens) > 2:
        return None
    return replace(blank, field=field, part="currency")


def _own_id(kind: Kind, blank: Column, _heading: str, key: str) -> Column | None:
    """The record's id in the other program, kept as our number."""
    number = kind.by_name.get("number")
    fits = number is not None and key in ("id", same_header(f"{kind.name} id"))
    return replace(blank, field=number, rank=FAR) if fits else None


def _without_unit(heading: str) -> tuple[str, Unit, str]:
    """A heading without brackets and unit at its end, that unit, and what of the brackets is not understood:
    "Revenue (€)", "amount_eur", "Revenue in millions", "营收（万元）".
    """
    brackets = _BRACKETS.search(heading)
    if brackets is not None:
        inside = next((group for group in brackets.groups() if group), "").strip()
        unit = units.read(inside)
        return heading[: brackets.start()], unit or Unit(), "" if unit else inside
    if (currency := _IN_CURRENCY.search(heading)) is not None:
        code = next(group for group in currency.groups() if group).upper()
        if code in units.CURRENCIES:
            bare, unit, _unclear = _without_unit(heading[: currency.start()])
            return bare, replace(unit, currency=code), ""
    for gap in _GAP.finditer(heading):
        unit = units.read(heading[gap.end() :].replace("_", " "))
        if unit is not None and unit.factor > 1:
            return heading[: gap.start()], unit, ""
    return heading, Unit(), ""


def _shorter(kind: Kind, heading: str) -> Iterator[tuple[str, bool]]:
    """The heading with one thing or another taken off, and whether what is left may only name another record:
    "Organization 1 - Name" does, "Phone 1 Name" does not.
    """
    tokens = _tokens(heading)
    if tokens and kind.name in words.OWNERS.get(tokens[0], ()):
        rest = tokens[1:]
        while rest and rest[0].isdigit():
            rest = rest[1:]
        if rest and (rest != ["name"] or tokens[0] in (*words.OWN_NAME, kind.name)):
            yield " ".join(rest), False
    if len(tokens) > 1 and tokens[-1] in ("name", "names"):
        yield " ".join(token for token in tokens[:-1] if not token.isdigit()), True


def _tokens(heading: str) -> list[str]:
    """The words of a heading: "homePhone2" and "Home Phone - 2" give home, phone, 2."""
    plain = _HOME_PAGE.sub("homepage", _E_MAIL.sub("email", simplified(heading)))
    return [word.casefold() for word in _WORD.findall(plain)]


def is_reference(column: Column) -> bool:
    """Whether the column names another record."""
    return column.field is not None and isinstance(column.field.type, Ref)
