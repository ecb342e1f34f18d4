"""What waits for a choice: both values of edits that met, who and when; and changes that were not accepted."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.store import conflicts
from app.store.store import Store
from app.viewmodels import words
from app.viewmodels.reading import Titles
from sync.protocol import clock
from sync.protocol.fields import Ref, Several, Tags
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.texts import gettext as _


@dataclass(frozen=True, slots=True, repr=False)
class Side:
    """One of the two values: in words, by whom, when."""

    heading: str
    value: str
    by: str


@dataclass(frozen=True, slots=True, repr=False)
class Met:
    """Something that waits: the record, the field, the two sides (one for a change that was not accepted)."""

    kind: str
    id: bytes
    title: str
    field: str
    sides: tuple[Side, ...]
    explanation: str = ""


def read(store: Store, now_ms: int) -> list[Met]:
    """Everything that waits, the oldest first."""
    titles = Titles(store)
    found = []
    for each in conflicts.open_conflicts(store):
        conflict, kind = each.conflict, KINDS.get(each.conflict.kind)
        shown = cell_text(kind, conflict.cell, conflict.shown, titles)
        kept = cell_text(kind, conflict.cell, conflict.kept, titles)
        found.append(
            Met(
                conflict.kind,
                conflict.record,
                each.title or words.DASH,
                _field(kind, conflict.cell),
                (
                    Side(_("Shown now"), shown, _by(conflict.shown_by, conflict.shown_hlc, now_ms)),
                    Side(_("Also kept"), kept, _by(conflict.kept_by, conflict.kept_hlc, now_ms)),
                ),
            )
        )
    for refused in conflicts.attention(store):
        kind = KINDS.get(refused.kind)
        cells: Mapping[str, Any] = refused.op.set if refused.op else {}
        value = "\n".join(
            f"{_field(kind, cell)}: {cell_text(kind, cell, held, titles)}" for cell, held in cells.items()
        )
        side = Side(_("Your change"), value or words.DASH, words.moment(refused.at_ms, now_ms))
        why = refused.hint or _("The server did not accept this change.")
        found.append(
            Met(refused.kind, refused.id, refused.title or words.DASH, _("Not accepted"), (side,), why)
        )
    return found


def cell_text(kind: Kind | None, cell: str, held: Any, titles: Titles) -> str:
    """The value of a cell in words, as much as this version knows of it."""
    if held is None:
        return _("empty")
    name = cell.partition("/")[0]
    field = kind.by_name.get(name) if kind is not None else None
    if field is None:
        return _("deleted") if not cell and held is True else str(held)
    with contextlib.suppress(KeyError, TypeError, AttributeError, ValueError):  # a newer version's form of it
        if isinstance(field.type, Several):
            return words.value(field, [held], titles)
        if isinstance(field.type, Tags):
            return cell.partition("/")[2]
        if isinstance(field.type, Ref):
            return titles(bytes(held))
        return words.value(field, held, titles)
    return str(held)


def _field(kind: Kind | None, cell: str) -> str:
    field = kind.by_name.get(cell.partition("/")[0]) if kind is not None else None
    if field is not None:
        return _(field.label)
    return cell or _("The whole record")


def _by(who: str, hlc: int, now_ms: int) -> str:
    when = words.moment(clock.millis(hlc), now_ms) if hlc else ""
    return words.DOT.join(part for part in (words.person(who), when) if part)
