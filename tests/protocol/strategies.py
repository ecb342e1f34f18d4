"""What random tests draw: hostile texts, values of every field type, and settings that give the same run each time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from sync.protocol.fields import (
    ADDRESS_PARTS,
    Address,
    Choice,
    Content,
    Date,
    Field,
    FieldType,
    Flag,
    Instant,
    Integer,
    Money,
    Notes,
    Person,
    Ref,
    Several,
    Tags,
    Text,
)
from sync.protocol.kinds import Kind


def tries(count: int) -> Callable[[Any], Any]:
    """Settings of a random test: the same `count` examples on every machine, so that a failure is never by luck."""
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


# characters() alone draws lone surrogates and control characters too, which text() would leave out.
texts = st.text(st.characters(), max_size=40)
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20).filter(
    str.strip
)


def _several(type_: Several) -> st.SearchStrategy[Any]:
    value = st.builds(lambda name: f"{name}@example.com", st.text("abc", min_size=1, max_size=9))
    element = st.fixed_dictionaries(
        {"value": value if type_.of == "email" else texts},
        optional={"label": st.text(max_size=9), "id": st.integers(0, 2**64 - 1).map("{:016x}".format)},
    )
    return st.lists(element, max_size=4, unique_by=lambda each: each.get("id", repr(each)))


def _instant() -> st.SearchStrategy[Any]:
    zones = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Shanghai", "America/Argentina/Buenos_Aires"])
    return st.fixed_dictionaries({"at": st.integers(-(2**46), 2**46)}, optional={"zone": zones})


def _money() -> st.SearchStrategy[Any]:
    currency = st.sampled_from(["USD", "EUR", "JPY", "BHD", "CNY"])
    return st.fixed_dictionaries({"minor": st.integers(-(2**63) + 1, 2**63 - 1), "currency": currency})


def _content() -> st.SearchStrategy[Any]:
    long = st.binary(min_size=32, max_size=32)
    return st.fixed_dictionaries({"sha256": long, "size": st.integers(0, 2**63 - 1), "key": long})


def raw_value(type_: FieldType) -> st.SearchStrategy[Any]:
    """Values that people, files and scripts give to a field of this type, most of which it can hold."""
    known: dict[type[FieldType], Callable[[], st.SearchStrategy[Any]]] = {
        Text: lambda: texts,
        Person: lambda: texts,
        Notes: lambda: st.text(st.characters(), max_size=200),
        Flag: st.booleans,
        Date: lambda: st.dates(min_value=dt.date(1000, 1, 1)).map(dt.date.isoformat),
        Instant: _instant,
        Money: _money,
        Address: lambda: st.dictionaries(st.sampled_from(ADDRESS_PARTS), texts, max_size=5),
        Tags: lambda: st.lists(texts, max_size=5),
        Ref: lambda: st.binary(min_size=16, max_size=16),
        Content: _content,
    }
    if isinstance(type_, Choice):
        return st.none() | st.sampled_from(type_.values)
    if isinstance(type_, Integer):
        return st.none() | st.integers(type_.low, type_.high)
    if isinstance(type_, Several):
        return st.none() | _several(type_)
    return st.none() | known[type(type_)]()


def _required(field: Field) -> st.SearchStrategy[Any]:
    if isinstance(field.type, Choice):
        return st.sampled_from(field.type.values)
    if isinstance(field.type, Content):
        return _content()
    return words if isinstance(field.type, Text) else raw_value(field.type)


def raw_values(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    """Some fields of a record as they are given, the required ones among them."""
    return st.fixed_dictionaries(
        {field.name: _required(field) for field in kind.fields if field.required},
        optional={field.name: raw_value(field.type) for field in kind.fields if not field.required},
    )
