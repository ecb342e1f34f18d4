"""Records and findings as JSON for scripts and as lines for people."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

from app.services.session import Session
from app.store import lists
from app.store.records import Record
from sync.protocol import codec, harmless, money, texts
from sync.protocol.fields import (
    Address,
    Care,
    Choice,
    Content,
    Date,
    Field,
    Flag,
    Instant,
    Money,
    Ref,
    Several,
    Tags,
    Value,
)
from sync.protocol.ids import id_text
from sync.protocol.joins import sized
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

TitleOf = Callable[[bytes], str | None]


def names(session: Session) -> TitleOf:
    """What to call the record of an id, as far as this device has it."""
    return lambda ref: session.call(lists.name_of, ref)


def emit(document: object, out: TextIO | None = None) -> None:
    """One JSON document and a line break; invisible characters are escaped, and so mean the same."""
    (out or sys.stdout).write(harmless.escaped(spelled(document, indent=1)) + "\n")


def spelled(value: object, indent: int | None = None) -> str:
    """A value in JSON, whatever an unknown field or another device's word holds; keys that JSON cannot have go."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_plain, skipkeys=True)


def _plain(value: object) -> object:
    """What JSON does not know: ids, and what no field of ours holds."""
    if isinstance(value, (bytes, bytearray)):
        return id_text(bytes(value)) if len(value) == 16 else bytes(value).hex()
    return codec.pack(value).hex()


def as_json(record: Record, care: int = Care.RESTRICTED) -> dict[str, Any]:
    """A record: id, kind, every field by name (null when empty), and how it stands.

    `hidden` names the fields that need more than `care`: what stands in them is a mask, and null is not empty.
    """
    return {
        "id": id_text(record.id),
        "kind": record.kind.name,
        **{field.name: field.type.told(record.values.get(field.name)) for field in record.kind.fields},
        "hidden": sorted(record.kind.hidden(care)),
        "deleted": record.deleted,
        "waiting": record.waiting,
        "conflicts": record.conflicts,
        "changed": when_iso(record.changed_ms),
        "changed_by": record.changed_by,
    }


def told(kind: str, cells: Mapping[str, Any]) -> dict[str, Any]:
    """Cells of a record as scripts are told them; of a kind of later, as they are."""
    known = KINDS.get(kind)
    return known.told(cells) if known is not None else dict(cells)


def when_iso(ms: int) -> str | None:
    """UTC milliseconds as ISO text, None for never."""
    if not ms:
        return None
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).isoformat(timespec="milliseconds")


def moment(ms: int, zone: str) -> str:
    """UTC milliseconds on the clock of an IANA zone, or of UTC where it is not known; typed back, it is the same."""
    import zoneinfo  # takes its time, and a short command shows no moment

    try:
        clock: dt.tzinfo = zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        clock = dt.UTC
    try:
        return dt.datetime.fromtimestamp(ms / 1000, clock).isoformat(" ", "minutes")
    except (ValueError, OverflowError):  # a field holds more years than a calendar here
        return str(ms)


def lines(record: Record, title_of: TitleOf, care: int = Care.RESTRICTED) -> Iterable[str]:
    """A record as lines of label and value; what needs more than `care` is said to be hidden."""
    hidden = record.kind.hidden(care)
    title = record.title or _("Without a name")
    yield f"{title}  ({_(record.kind.label)}, {id_text(record.id)})"
    for field in record.kind.fields:
        text = in_words(field, record.values.get(field.name), title_of)
        if field.name in hidden:
            said = _("hidden on this device")
            text = f"{text} ({said})" if text else said
        if text:
            first, *more = text.splitlines()
            yield f"  {_(field.label)}: {first}"
            yield from (f"      {line}" for line in more)
    standing = []
    if record.deleted:
        standing.append(_("deleted"))
    if record.waiting:
        standing.append(_("waiting to be sent"))
    if record.conflicts:
        text = ngettext("{n} conflict", "{n} conflicts", record.conflicts)
        standing.append(text.format(n=record.conflicts))
    if standing:
        yield "  " + " · ".join(standing)


def row(record: Record, title_of: TitleOf) -> str:
    """A record as one line: id, title, second line."""
    parts = (in_words(f, record.values.get(f.name), title_of) for f in record.kind.columns[1:])
    return "\t".join(harmless.line(part) for part in (id_text(record.id), record.title, *parts))


def in_words(field: Field, value: Value, title_of: TitleOf) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(field.type, Choice):
        return field.type.label(value)
    if isinstance(field.type, Flag):
        return _("yes") if value else _("no")
    if isinstance(field.type, Money):
        return amount(value)
    if isinstance(field.type, Ref):
        title = title_of(value)
        # A record that was deleted before this device knew it is here without its name.
        return title or (id_text(value) if title is None else _("(deleted)"))
    if isinstance(field.type, Instant):
        return moment(value["at"], value["zone"])
    if isinstance(field.type, Several):
        return "\n".join(f"{e['value']} ({e['label']})" if e["label"] else e["value"] for e in value)
    if isinstance(field.type, Address):
        return ", ".join(value.values())
    if isinstance(field.type, Tags):
        return ", ".join(value)
    if isinstance(field.type, Content):
        return sized(value["size"])
    if isinstance(field.type, Date):
        return str(value)
    return str(value)


def amount(value: Mapping[str, Any]) -> str:
    """An amount of money in the reader's way, with a sign that is read back as the same currency."""
    from babel import Locale, UnknownLocaleError  # only a verb that shows an amount pays for it
    from babel.numbers import format_currency, get_currency_symbol

    currency = value["currency"]
    decimal = money.decimal(value["minor"], currency)
    try:
        locale = Locale.parse(texts.language(), sep="_")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    pattern = None
    sign = get_currency_symbol(currency, locale)
    if money.SIGNS.get(sign, sign.upper()) in money.currencies() - {currency}:
        # A country writes its own money with a bare $ or ¥; typed back, that would be another country's.
        own = next((sign for sign, code in money.SIGNS.items() if code == currency), "")
        pattern = locale.currency_formats["standard"].pattern.replace("¤", f"'{own}'" if own else "¤¤\u00a0")
    return str(format_currency(decimal, currency, pattern, locale=locale))
