"""The verb of totals: how many records there are and what they come to, from what the store keeps counted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from app.cli import page, roles, show
from app.cli.verb import Arguments, aside, say, unlocked
from app.errors import WrongUse
from app.paths import Profile
from app.store import totals
from app.store.store import Store
from app.store.totals import Group
from sync.protocol import harmless
from sync.protocol.fields import Choice, Field, Value
from sync.protocol.kinds import KINDS, Kind, kind_of
from sync.protocol.texts import gettext as _


def tell(profile: Profile, args: Arguments) -> int:
    """Totals of a kind by one or more of its fields; money of each currency apart."""
    kind = kind_of(args.kind)
    if not kind.totals:
        kept = ", ".join(name for name, each in KINDS.items() if each.totals)
        raise WrongUse(
            _("No totals are kept of {kinds}.").format(kinds=_(kind.plural).lower()),
            _("Totals are kept of: {names}").format(names=kept),
        )
    by = _fields(kind, args.by)
    with unlocked(profile) as session:
        hidden = kind.hidden(session.card.person.care)
        sums = tuple(name for name in kind.totals[0].sums if name not in hidden)
        found = session.call(_asked, kind, [field.name for field in by], sums)
        found.sort(key=lambda group: (_place(by, group), _code(group)))
        if args.json:
            show.emit([_as_json(by, sums, group) for group in found])
            return 0
        rows = [_in_words(by, group) for group in found]
        _say_parted(found)
        if sys.stdout.isatty():
            heads = [
                *(_(field.label) for field in by),
                _("Number"),
                *(_(kind.by_name[n].label) for n in sums),
            ]
            page.table(heads, rows)
        else:
            for row in rows:
                say("\t".join(harmless.line(cell) for cell in row))
        if found:
            roles.explain_masks(session)
        else:
            roles.explain_nothing(session)
    return 0


def _say_parted(found: Sequence[Group]) -> None:
    """Where one group has several rows: why, so that none of them looks like a double."""
    if len({group.values for group in found}) < len(found):
        aside(_("Each currency has a row of its own, and so have records without an amount."))


def _fields(kind: Kind, names: Sequence[str]) -> list[Field]:
    """The fields asked for, the first that is kept where none is. Raises FieldProblem, WrongUse."""
    sets = [set(each.by) for each in kind.totals]
    by = [kind.field(name) for name in dict.fromkeys(names)] or [_first(kind)]
    if not any({field.name for field in by} <= each for each in sets):
        kept = ", ".join(sorted(set().union(*sets)))
        raise WrongUse(
            _("No totals are kept by these fields."), _("Totals are kept by: {names}").format(names=kept)
        )
    return by


def _first(kind: Kind) -> Field:
    fields = [kind.by_name[name] for each in kind.totals for name in each.by]
    return next((field for field in fields if isinstance(field.type, Choice)), fields[0])


def _asked(store: Store, kind: Kind, by: list[str], sums: tuple[str, ...]) -> list[Group]:
    return totals.totals(store, kind, by, sums=sums)


def _place(by: Sequence[Field], group: Group) -> tuple[tuple[bool, Any], ...]:
    """Choices in their own order, all else by letters; nothing at the end."""
    return tuple((value is None, _rank(field, value)) for field, value in zip(by, group.values, strict=True))


def _rank(field: Field, value: Value) -> str:
    if isinstance(field.type, Choice) and value in field.type.values:
        return f"{field.type.values.index(value):04d}"
    return str(value).casefold()


def _code(group: Group) -> str:
    return ",".join(str(value["currency"]) for value in group.sums if isinstance(value, dict))


def _as_json(by: Sequence[Field], sums: Sequence[str], group: Group) -> dict[str, Any]:
    return {
        **{field.name: value for field, value in zip(by, group.values, strict=True)},
        "count": group.kept,
        "currency": _code(group) or None,  # each is a row of its own, and so are records without an amount
        **dict(zip(sums, group.sums, strict=True)),
    }


def _in_words(by: Sequence[Field], group: Group) -> list[str]:
    values = [
        field.type.label(value) if isinstance(field.type, Choice) and value is not None else str(value or "")
        for field, value in zip(by, group.values, strict=True)
    ]
    sums = [
        show.amount(value) if isinstance(value, dict) else str(value or _("without an amount"))
        for value in group.sums
    ]
    return [*values, str(group.kept), *sums]
