"""Amounts without a currency, typed or in JSON: they are in the currency of the profile's settings."""

from __future__ import annotations

import re
from typing import Any, Final

from app import settings
from app.paths import Profile
from sync.protocol.fields import Money
from sync.protocol.kinds import Kind

_BARE: Final = re.compile(r"\s*[+-]?\d[\d.,'\s\u00a0\u202f]*")
_CURRENCY: Final = "currency"


def bare(profile: Profile, kind: Kind, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """FIELD=VALUE pairs, with the profile's currency beside every amount that names none."""
    return [(name, _with_currency(profile, text) if _is_money(kind, name) else text) for name, text in pairs]


def plain(profile: Profile, kind: Kind, found: Any) -> Any:
    """An object read from JSON, whose plain numbers for amounts are in the profile's currency."""
    if not isinstance(found, dict):
        return found
    return {name: _said(profile, value) if _is_money(kind, name) else value for name, value in found.items()}


def _said(profile: Profile, value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    return _with_currency(profile, value) if isinstance(value, str) else value


def _with_currency(profile: Profile, text: str) -> str:
    return f"{text} {settings.load(profile)[_CURRENCY]}" if _BARE.fullmatch(text) else text


def _is_money(kind: Kind, name: str) -> bool:
    field = kind.by_name.get(name)
    return field is not None and isinstance(field.type, Money)
