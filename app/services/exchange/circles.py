"""Rows that would make a record part of itself by way of others: each comes in without that link, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from app.services.exchange.ports import Catalogue
from app.services.exchange.rows import Draft, Lack
from app.services.exchange.same import missing
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Value
from sync.protocol.kinds import Kind
from sync.protocol.kinds.circle import STEPS_MAX, refuse_circle
from sync.protocol.texts import gettext as _

# A row, and the headings of its file by field.
Row = tuple[Draft, Mapping[str, str]]


def leave_open(kind: Kind, rows: Sequence[Row], book: Catalogue) -> None:
    """Take the links away that would close a circle, among the rows and with the book; the row that closes it loses."""
    names = [field.name for field in kind.upward]
    linked = [row for row in rows if any(row[0].values.get(name) for name in names)]
    if not linked:
        return
    above = _above(kind, names, linked, book)
    for draft, headings in linked:
        new = missing(draft.values, draft.before or {})
        for name in names:
            target = new.get(name)
            if target is None:
                continue
            try:
                refuse_circle(kind, draft.id, {name: target}, above.get)
            except FieldProblem:
                del draft.values[name]
                problem = _("The record would be part of itself by way of others.")
                said = _("The record would be part of itself by way of others: brought in without it.")
                text = draft.references.get(name, "")
                draft.lacks += (Lack(name, problem, said, headings.get(name, name), text),)
            else:
                above.setdefault(draft.id, {})[name] = target


def _above(
    kind: Kind, names: Sequence[str], rows: Iterable[Row], book: Catalogue
) -> dict[bytes, dict[str, Value]]:
    """What stands above which record before the rows come in, upwards from all that they name."""
    found: dict[bytes, dict[str, Value]] = {}
    wanted = {draft.values[name] for draft, _headings in rows for name in names if name in draft.values}
    for _step in range(STEPS_MAX):
        if not wanted:
            break
        there = book.values(kind, wanted)
        for id_ in wanted:
            values = there.get(id_, {})
            found[id_] = {name: values[name] for name in names if values.get(name)}
        wanted = {up for id_ in wanted for up in found[id_].values()} - found.keys()
    return found
